"""The child process with only the two extractors that the hostile world needs, which halves its time."""

from __future__ import annotations

from typing import Any
from unittest import mock

from yt_dlp.extractor import generic  # noqa: F401 - imported once for all children

from links import error_mapping, subprocess_main, ytdlp_runner  # noqa: F401

whole = ytdlp_runner._options


def run() -> None:
    def options(*arguments: Any) -> dict[str, Any]:
        return {**whole(*arguments), "allowed_extractors": ["generic", "html5"]}

    with mock.patch.object(ytdlp_runner, "_options", options):
        subprocess_main.main()
