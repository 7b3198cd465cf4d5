"""TLS credentials of a cluster: certificate files, converted to the settings of ``distributed``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


class BadCredentials(ValueError):
    """The certificates cannot be used with the scheduler's address; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The PEM files that authenticate a bot or a worker in the cluster.

    Attributes
    ----------
    authority
        Certificate of the authority that signed all certificates of the cluster.
    certificate, key
        The certificate of this bot or worker and its key.
    """

    authority: Path
    certificate: Path
    key: Path


def security(url: str, credentials: Credentials | None) -> Any:
    """Return the ``distributed.Security`` for a scheduler's address.

    Raises
    ------
    BadCredentials
        If there are no certificates for ``tls://``, or certificates for an unencrypted ``tcp://`` address.
    """
    from distributed.security import Security

    encrypted = url.startswith("tls://")
    if encrypted and credentials is None:
        raise BadCredentials(f"{url} needs a CA's certificate, a certificate and its key.")
    if credentials is None:
        return Security(require_encryption=False)  # type: ignore[no-untyped-call]
    if not encrypted:
        raise BadCredentials(f"{url} is not encrypted, so certificates are of no use there: write tls:// instead.")
    for path in (credentials.authority, credentials.certificate, credentials.key):
        if not path.is_file():
            raise BadCredentials(f"{path} is not a file.")
    own = {
        f"tls_{role}_{part}": str(path)
        for role in ("client", "worker")
        for part, path in (("cert", credentials.certificate), ("key", credentials.key))
    }
    return Security(  # type: ignore[no-untyped-call]
        require_encryption=True, tls_ca_file=str(credentials.authority), **own
    )
