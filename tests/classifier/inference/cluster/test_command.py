"""``python -m classifier worker``: started rightly it listens with a real release, wrongly it says what is wrong."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

import classifier.inference
from classifier.__main__ import main
from classifier.inference.cluster.executor import ClusterExecutor
from classifier.inference.executor import LocalExecutor, find_classifier, song_limits
from classifier.inference.executor_factory import UnknownExecutor, open_executor
from classifier.inference.manifest import PACKAGED_MODELS
from tests.classifier.inference.cluster.processes import Cluster
from tests.synthesis import song, write

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_cluster_worker_gives_the_same_answer_as_a_local_one(tmp_path: Path) -> None:
    path = write(song("disco", 8), tmp_path / "song.mp3")
    cluster = Cluster(tmp_path, work="classifier")
    cluster.start_scheduler()
    cluster.start_worker()
    local = LocalExecutor(find_classifier(PACKAGED_MODELS, 10), workers=1, limits=song_limits(10))
    elsewhere = open_executor(cluster.url, model_dir=PACKAGED_MODELS, workers=1, max_minutes=10)
    assert isinstance(elsewhere, ClusterExecutor)
    try:
        await local.start()
        await elsewhere.start()
        assert (elsewhere.release, elsewhere.genres) == (local.release, local.genres)
        assert (await elsewhere.classify(path)).report == (await local.classify(path)).report
        assert "has arrived" in cluster.log("worker0")
    finally:
        await elsewhere.close()
        await local.close()
        cluster.stop()
    # It ended in peace when it was asked to.
    assert cluster.workers[0].returncode == 0
    assert "Traceback" not in cluster.log("worker0")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["http://scheduler:8786"], "must be like tcp://host:8786"),
        (["tcp://scheduler:8786", "--songs", "0"], "--songs must be at least 1"),
        (["tls://scheduler:8786", "--ca", "ca.pem"], "must be used together"),
        (["tls://scheduler:8786"], "needs a CA's certificate"),
        (["tcp://scheduler:8786", "--listen", "here"], "--listen must be like"),
    ],
)
def test_usage_errors_have_a_message(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["worker", *arguments, "--folder", str(tmp_path)]) == 2
    assert sentence in capsys.readouterr().err


def test_without_the_package_the_worker_and_the_bot_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("classifier.inference.cluster")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(classifier.inference, "cluster")
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["worker", "tcp://scheduler:8786"]) == 2
    assert "extra `cluster`" in capsys.readouterr().err
    with pytest.raises(UnknownExecutor, match="install genre-bot with the extra `cluster`"):
        open_executor("tcp://scheduler:8786", model_dir=PACKAGED_MODELS, workers=1, max_minutes=10)
