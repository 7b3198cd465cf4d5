# The serving image. `docker build .` makes the bot; `docker build --target cluster .` the same for machines of a Dask
# cluster. The base is pinned by its exact tag, everything on top of it by hashes. `deploy/follow_dockerfile.py` follows
# these steps without Docker, on a bare Debian of the same release.

FROM python:3.11.15-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
# Compiled files then say which source they are of by its hash, not by its time, so that two builds are the same.
ENV SOURCE_DATE_EPOCH=315532800
WORKDIR /build
COPY requirements/serve.lock deploy/deno.lock ./
# Wheels only: nothing is compiled, so the image needs no compiler. pip itself stays behind.
RUN python -m venv --without-pip /opt/venv \
 && python -m pip --python /opt/venv/bin/python install --require-hashes --only-binary :all: -r serve.lock -r deno.lock
# What the image consists of, for scanners: a CycloneDX document.
COPY deploy/sbom.py ./
RUN /opt/venv/bin/python sbom.py > /opt/venv/sbom.cdx.json

FROM packages AS cluster-packages
COPY deploy/cluster.lock ./
RUN python -m pip --python /opt/venv/bin/python install --require-hashes --only-binary :all: -r serve.lock -r cluster.lock
RUN /opt/venv/bin/python sbom.py > /opt/venv/sbom.cdx.json

FROM python:3.11.15-slim-bookworm AS code
WORKDIR /app
COPY bot bot
COPY classifier classifier
COPY common common
COPY links links
COPY storage storage
COPY models models
COPY deploy/backup.py deploy/
# The root is read-only when it runs: what Python would write down at the first start is written down here.
RUN python -m compileall -q --invalidation-mode unchecked-hash bot classifier common links storage

FROM python:3.11.15-slim-bookworm AS base
RUN groupadd --gid 10001 bot \
 && useradd --uid 10001 --gid bot --home-dir /data --no-create-home --shell /usr/sbin/nologin bot \
 && install --directory --owner=bot --group=bot --mode=0700 /data
# Without a limit every thread gets a heap of its own to keep: 18 MB more once SQLite's caches are full.
ENV MALLOC_ARENA_MAX=2
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATA_DIR=/data \
    MODEL_DIR=/data/models \
    OPERATIONS_LISTEN=0.0.0.0:9090 \
    LOG_FORMAT=json
WORKDIR /app
# Everything that is kept: the database, the key, promoted releases, songs under way.
VOLUME /data
# 8080 is the page where LOCAL_CHAT is set to it; 9090 is for operators only.
EXPOSE 8080 9090
STOPSIGNAL SIGTERM

FROM base AS cluster
COPY --from=cluster-packages /opt/venv /opt/venv
COPY --from=code /app /app
USER 10001:10001
CMD ["python", "-m", "classifier", "worker", "tcp://scheduler:8786", "--folder", "/data"]

FROM base AS bot
COPY --from=packages /opt/venv /opt/venv
COPY --from=code /app /app
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9090/healthz', timeout=4)"]
CMD ["python", "-m", "bot"]
