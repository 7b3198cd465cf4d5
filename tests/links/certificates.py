"""Certificates of the hostile world: one by an authority that the fetching side trusts, and invalid ones."""

from __future__ import annotations

import datetime
import ssl
from typing import TYPE_CHECKING

import certifi
import trustme

if TYPE_CHECKING:
    from pathlib import Path

LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
TRUSTED = "trusted.pem"
SECURE_HOSTS = ("good.example", "expired.example", "wrong-name.example", "unknown.example", "self-signed.example")


def make_certificates(folder: Path) -> None:
    """Write a key and a certificate for every HTTPS host, and the file of trusted authorities."""
    trusted, unknown = trustme.CA(), trustme.CA()
    (folder / TRUSTED).write_bytes(certifi.contents().encode() + trusted.cert_pem.bytes())
    issued = {
        "good.example": trusted.issue_cert("good.example"),
        "expired.example": trusted.issue_cert(
            "expired.example", not_before=LONG_AGO, not_after=LONG_AGO + datetime.timedelta(days=90)
        ),
        "wrong-name.example": trusted.issue_cert("good.example"),
        "unknown.example": unknown.issue_cert("unknown.example"),
    }
    for host, certificate in issued.items():
        certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / f"{host}.pem"))
    own = unknown.private_key_pem.bytes() + unknown.cert_pem.bytes()
    (folder / "self-signed.example.pem").write_bytes(own)


def contexts(folder: Path) -> ssl.SSLContext:
    """Return a server TLS context that presents each host's own certificate."""
    by_host = {host: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for host in SECURE_HOSTS}
    for host, context in by_host.items():
        context.load_cert_chain(folder / f"{host}.pem")

    def choose(connection: ssl.SSLObject, host: str | None, _: ssl.SSLContext) -> None:
        connection.context = by_host.get(host or "", by_host["unknown.example"])

    first = by_host["good.example"]
    first.sni_callback = choose
    return first
