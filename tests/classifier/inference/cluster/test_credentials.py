"""TLS: who has no certificate of the cluster's authority has no part in it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest
import trustme

from classifier.inference.cluster.credentials import BadCredentials, Credentials, security
from classifier.inference.cluster.executor import ClusterExecutor
from classifier.inference.executor_factory import UnknownExecutor, open_executor
from tests.classifier.inference.cluster.processes import Cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def _issue(folder: Path) -> Credentials:
    """Make an authority and a certificate that it signs."""
    folder.mkdir()
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    for number, part in enumerate(issued.cert_chain_pems):
        part.write_to_path(str(folder / "certificate.pem"), append=number > 0)
    return Credentials(folder / "ca.pem", folder / "certificate.pem", folder / "key.pem")


@pytest.fixture
def ours(tmp_path: Path) -> Credentials:
    return _issue(tmp_path / "ours")


@pytest.fixture
def closed_cluster(tmp_path: Path, ours: Credentials) -> Iterator[Cluster]:
    (tmp_path / "cluster").mkdir()
    own = [str(path) for path in (ours.authority, ours.certificate, ours.key)]
    cluster = Cluster(
        tmp_path / "cluster",
        protocol="tls",
        scheduler=[f"--tls-{part}={path}" for part, path in zip(("ca-file", "cert", "key"), own, strict=True)],
        worker=[f"--{part}={path}" for part, path in zip(("ca", "certificate", "key"), own, strict=True)],
    )
    cluster.start_scheduler()
    cluster.start_worker()
    yield cluster
    cluster.stop()


async def test_only_clients_with_a_certificate_of_the_authority_can_connect(
    closed_cluster: Cluster,
    ours: Credentials,
    tmp_path: Path,
    model_dir: Path,
    song: Callable[[str], Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    member = ClusterExecutor(closed_cluster.url, model_dir=model_dir, max_minutes=10, credentials=ours)
    await member.start()
    assert (await member.classify(song("play"))).report.genre == "blues"
    stranger = ClusterExecutor(
        closed_cluster.url, model_dir=model_dir, max_minutes=10, credentials=_issue(tmp_path / "theirs")
    )
    refused = asyncio.Event()

    class Notice(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            if "cannot be reached, songs wait" in record.getMessage():
                refused.set()
            return True

    with caplog.at_level(logging.WARNING, "classifier.inference.cluster.scheduler_client"), caplog.filtering(Notice()):
        await stranger.start()
        await refused.wait()
    assert not stranger.connected
    await stranger.close()
    await member.close()


def test_certificates_must_match_the_address(ours: Credentials, tmp_path: Path) -> None:
    with pytest.raises(BadCredentials, match="needs a CA's certificate"):
        security("tls://scheduler:8786", None)
    with pytest.raises(BadCredentials, match="write tls:// instead"):
        security("tcp://scheduler:8786", ours)
    missing = Credentials(ours.authority, tmp_path / "missing.pem", ours.key)
    with pytest.raises(BadCredentials, match=r"missing\.pem is not a file"):
        security("tls://scheduler:8786", missing)
    with pytest.raises(UnknownExecutor, match="needs a CA's certificate"):
        open_executor("tls://scheduler:8786", model_dir=tmp_path, workers=1, max_minutes=10)
