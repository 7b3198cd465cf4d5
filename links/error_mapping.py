"""Maps yt-dlp's exceptions and the error texts of sites to the codes in ``errors``."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING, Any, Final

from yt_dlp.networking.exceptions import CertificateVerifyError, HTTPError
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError, UnsupportedError, UserNotLive

if TYPE_CHECKING:
    from collections.abc import Iterator

# Patterns in the messages of sites and of yt-dlp's extractors; the first match wins.
_WORDS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), code)
    for code, pattern in (
        ("link-blocked", r"not a bot|captcha|rate.?limit|too many requests|\bip\b.{0,20}block|unusual traffic"),
        ("link-drm", r"\bdrm\b|copy.?protected"),
        ("link-geo", r"(in|from) your (country|region|location)|geo.?restrict|geo.?block"),
        ("link-private", r"\bprivate\b"),
        ("link-login", r"log.?in\b|sign.?in\b|(signed|logged).in|cookies|registered users|confirm your age|password"),
        ("link-login", r"members.only|join this channel|premium|subscri|purchase|payment|\brent"),
        ("link-removed", r"removed|deleted|terminated|no longer (available|exists)|taken down|has been closed"),
        ("link-live", r"live event|premiere|not currently live|live.?stream|is offline"),
        ("link-no-music", r"unsupported url|no (video|audio|media)|requested format|no formats|no suitable extractor"),
        ("link-not-found", r"not found|unavailable|does ?n.t exist|does not exist|not available"),
        ("link-timeout", r"timed out|timeout"),
        ("too-large", r"file is larger"),
        ("empty-file", r"file is empty|not get any data"),
    )
)
_STRONGER_THAN_STATUS: Final = frozenset({"link-blocked", "link-drm", "link-geo", "link-private", "link-login"})
_BY_STATUS: Final = {
    401: "link-login",
    402: "link-login",
    403: "link-blocked",
    404: "link-not-found",
    407: "link-login",
    410: "link-removed",
    413: "too-large",
    429: "link-blocked",
    451: "link-geo",
}


class CodedFailure(Exception):
    """Ends the fetch with an error code; ``playlist`` describes the songs if the link leads to several."""

    def __init__(self, code: str, playlist: dict[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code, self.playlist = code, playlist


def code_of(error: BaseException) -> str:
    """Return the error code for an exception."""
    causes = list(_causes(error))
    found = next((cause for cause in causes if isinstance(cause, CodedFailure)), None)
    if found is not None:
        return found.code
    for kind, code in (
        (MemoryError, "too-large"),
        (GeoRestrictedError, "link-geo"),
        (UserNotLive, "link-live"),
        (UnsupportedError, "link-no-music"),
        (CertificateVerifyError, "link-certificate"),
        (socket.gaierror, "link-not-found"),
    ):
        if any(isinstance(cause, kind) for cause in causes):
            return code
    said = " ".join(str(cause) for cause in causes if isinstance(cause, ExtractorError | DownloadError))
    worded = next((code for pattern, code in _WORDS if pattern.search(re.sub(r"https?://\S+", "", said))), None)
    status = next((cause.status for cause in causes if isinstance(cause, HTTPError)), None)
    if status is not None and worded not in _STRONGER_THAN_STATUS:
        return _BY_STATUS.get(status, "link-failed")
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return "link-timeout"
    return worded or "link-failed"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and all its causes, as Python chains them and as yt-dlp stores them."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or any(cause is one for one in seen):
            continue
        seen.append(cause)
        yield cause
        kept = getattr(cause, "exc_info", None)
        waiting += [cause.__context__, cause.__cause__, getattr(cause, "cause", None), getattr(cause, "reason", None)]
        waiting += [kept[1]] if isinstance(kept, tuple) and len(kept) == 3 else []
        waiting += [part for part in cause.args if isinstance(part, BaseException)]
