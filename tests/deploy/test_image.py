"""What can be checked of the Docker image without building it; ``deploy/follow_dockerfile.py`` builds it."""

from __future__ import annotations

import importlib.metadata
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from deploy.dockerfile import NotUnderstood, lineage, read_stages
from tests.conftest import REPOSITORY

TEXT = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
STAGES = read_stages(TEXT)
FINAL = ("bot", "cluster")


def _pins(lock: str) -> dict[str, str]:
    text = (REPOSITORY / lock).read_text(encoding="utf-8")
    return {match[1].lower().replace("_", "-"): match[2] for match in re.finditer(r"(?m)^([\w.-]+)==([^ \\;]+)", text)}


def _outside_sources() -> set[str]:
    """Return the paths that the Dockerfile copies from the repository."""
    return {
        source
        for stage in STAGES.values()
        for instruction in stage.instructions
        if instruction.name == "COPY" and "from" not in instruction.flags
        for source in instruction.words[:-1]
    }


def _kept(path: str) -> bool:
    """Tell whether .dockerignore includes a path; as in Docker, the last matching pattern decides."""
    kept = True
    for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        pattern, wanted = (line[1:], True) if line.startswith("!") else (line, False)
        parts = [re.escape(part).replace(r"\*", "[^/]*") for part in pattern.split("/") if part != "**"]
        anywhere = "(.*/)?" if pattern.startswith("**/") else ""
        if re.fullmatch(f"{anywhere}{'/'.join(parts)}(/.*)?", path):
            kept = wanted
    return kept


def test_everything_that_is_copied_exists_and_passes_dockerignore() -> None:
    for source in _outside_sources():
        assert (REPOSITORY / source).exists(), source
        assert _kept(source), source


def test_all_that_the_bot_is_made_of_is_copied() -> None:
    packages = {path.parent.name for path in REPOSITORY.glob("*/__init__.py")} - {"tests", "deploy", "benchmarks"}
    assert packages <= _outside_sources()
    files = [path for name in (*packages, "models") for path in (REPOSITORY / name).rglob("*") if path.is_file()]
    wanted = [path for path in files if "__pycache__" not in path.parts and path.suffix != ".part"]
    assert len(wanted) > len(packages)
    assert all(_kept(path.relative_to(REPOSITORY).as_posix()) for path in wanted)


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".git/config",
        "data/secret.key",
        "data/songs.db",
        "tests/conftest.py",
        "requirements/dev.lock",
        "bot/__pycache__/serve.cpython-311.pyc",
        "models/new.joblib.part",
        "candidates/manifest.json",
        "secret.key",
    ],
)
def test_secrets_data_and_tests_stay_out(path: str) -> None:
    assert not _kept(path)


def test_bases_are_pinned_by_exact_tags_and_all_the_same() -> None:
    bases = {stage.base for stage in STAGES.values() if stage.base not in STAGES}
    (base,) = bases
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", base)
    assert list(STAGES)[-1] == "bot"


@pytest.mark.parametrize("name", FINAL)
def test_the_image_runs_as_nobody_in_particular_and_stops_when_asked(name: str) -> None:
    _, chain = lineage(STAGES, name)
    last = {instruction.name: instruction for instruction in chain}
    user, group = last["USER"].rest.split(":")
    assert int(user) >= 1000
    assert int(group) >= 1000
    assert last["STOPSIGNAL"].rest == "SIGTERM"
    assert last["VOLUME"].rest == "/data"
    assert last["CMD"].rest.startswith("["), "a shell would keep the signal to itself"
    after_user = [instruction.name for instruction in chain[chain.index(last["USER"]) :]]
    assert "RUN" not in after_user
    assert "COPY" not in after_user


def test_the_bot_is_asked_how_it_is_where_it_listens() -> None:
    _, chain = lineage(STAGES, "bot")
    environment = dict(word.split("=", 1) for each in chain if each.name == "ENV" for word in each.words)
    (health,) = (each.rest for each in chain if each.name == "HEALTHCHECK")
    port = environment["OPERATIONS_LISTEN"].rpartition(":")[2]
    assert f"http://127.0.0.1:{port}/healthz" in health
    assert Path(environment["MODEL_DIR"]).is_relative_to(environment["DATA_DIR"])


@pytest.mark.parametrize("name", FINAL)
def test_packages_come_by_hash_as_wheels_and_ffmpeg_does_not_come_at_all(name: str) -> None:
    copied = [each.flags["from"] for each in lineage(STAGES, name)[1] if "from" in each.flags]
    steps = [each.rest for stage in (name, *copied) for each in lineage(STAGES, stage)[1] if each.name == "RUN"]
    installs = [step for step in steps if "pip" in step]
    assert installs
    assert all("--require-hashes" in step and "--only-binary :all:" in step for step in installs)
    assert not any(re.search(r"ffmpeg|apt-get|curl|wget|dev\.lock", step) for step in steps)


def test_every_pin_has_a_hash() -> None:
    for lock in ("requirements/serve.lock", "deploy/deno.lock", "deploy/cluster.lock"):
        text = (REPOSITORY / lock).read_text(encoding="utf-8")
        pinned = [block for block in re.split(r"\n(?=\w)", text) if re.match(r"[\w.-]+==", block)]
        assert pinned
        assert all("--hash=sha256:" in block for block in pinned), lock


def test_the_clusters_lock_has_just_what_is_missing_for_dask() -> None:
    serve, cluster = _pins("requirements/serve.lock"), _pins("deploy/cluster.lock")
    assert not serve.keys() & cluster.keys()
    development = _pins("requirements/dev.lock")
    assert {name: development[name] for name in cluster} == cluster
    needed, todo = set[str](), ["distributed"]
    while todo:
        name = todo.pop()
        if name not in needed:
            needed.add(name)
            wanted = map(Requirement, importlib.metadata.requires(name) or [])
            todo += [
                each.name.lower().replace("_", "-")
                for each in wanted
                if each.marker is None or each.marker.evaluate({"extra": ""})
            ]
    assert needed <= serve.keys() | cluster.keys()
    assert cluster.keys() <= needed


@pytest.mark.parametrize(
    "text", ["RUN true", "FROM debian:12", "FROM debian:12 AS base\nADD x /x", "FROM a AS b\nONBUILD RUN true"]
)
def test_a_dockerfile_that_the_reader_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstood):
        read_stages(text)


@given(st.lists(st.text(min_size=1), min_size=1))
def test_a_command_is_read_word_for_word(words: list[str]) -> None:

    stages = read_stages(f"FROM a:1 AS one\nCMD {json.dumps(words)}\nFROM one AS two\nENV \\\n  A=b \\\n  C=d\n")
    base, chain = lineage(stages, "two")
    assert base == "a:1"
    assert [instruction.words for instruction in chain] == [words, ["A=b", "C=d"]]


COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "compose.yaml").read_text(encoding="utf-8"))
OURS = [name for name, service in COMPOSE["services"].items() if "build" in service]


@pytest.mark.parametrize("name", OURS)
def test_our_services_are_hardened_and_given_time_to_stop(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["build"]["target"] in STAGES
    if "bot" in name or name == "worker":
        assert int(service["stop_grace_period"].removesuffix("s")) >= _drain_seconds()
    published = [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:")]
    assert not published


def test_everything_in_compose_is_pinned_and_behind_a_profile() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["profiles"], name
        if "build" not in service:
            assert re.fullmatch(r"[\w/-]+:v?\d+\.\d+(\.\d+)?[\w-]*", service["image"]), service["image"]
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in COMPOSE["volumes"] or (REPOSITORY / source).exists(), source


def test_the_scheduler_is_in_a_network_without_a_way_out() -> None:
    services = COMPOSE["services"]
    assert services["scheduler"]["networks"] == services["worker"]["networks"] == ["songs"]
    assert COMPOSE["networks"]["songs"]["internal"] is True
    assert "metrics" not in services["bot"]["profiles"]


def _drain_seconds() -> float:
    from bot import health, http_chat
    from bot.core import song_queue
    from bot.discord import chat as discord

    queue = song_queue.FINISH_SECONDS + song_queue.RELEASE_SECONDS
    return queue + discord.CLOSE_SECONDS + http_chat.CLOSE_SECONDS + health.CLOSE_SECONDS


def test_fly_gives_one_small_machine_a_volume_a_check_and_time_to_drain() -> None:

    fly = tomllib.loads((REPOSITORY / "fly.toml").read_text(encoding="utf-8"))
    assert fly["kill_signal"] in {"SIGINT", "SIGTERM"}
    assert fly["kill_timeout"] >= _drain_seconds()
    assert [machine["memory"] for machine in fly["vm"]] == ["512mb"]
    _, chain = lineage(STAGES, "bot")
    (volume,) = (each.rest for each in chain if each.name == "VOLUME")
    assert [mount["destination"] for mount in fly["mounts"]] == [volume]
    environment = dict(word.split("=", 1) for each in chain if each.name == "ENV" for word in each.words)
    port = int(environment["OPERATIONS_LISTEN"].rpartition(":")[2])
    assert (fly["checks"]["ready"]["port"], fly["checks"]["ready"]["path"]) == (port, "/readyz")
    assert (fly["metrics"]["port"], fly["metrics"]["path"]) == (port, "/metrics")
    assert fly["env"] == {"MAX_MINUTES": "20"}, "secrets are set with `fly secrets`"
