#!/bin/sh
# Resolves pyproject.toml into the two hashed lock files. Needs uv (https://docs.astral.sh/uv/) only here:
# whoever installs from a lock file needs nothing but pip.
set -eu
cd "$(dirname "$0")/.."
lock() { uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-header --no-annotate --constraints requirements/constraints.txt "$@" pyproject.toml; }
lock --extra train --extra parquet --extra cluster --extra dev --output-file requirements/dev.lock
lock --constraints requirements/dev.lock --output-file requirements/serve.lock
