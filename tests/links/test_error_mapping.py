"""Error texts of sites, as quoted in yt-dlp's source and issues, and the sentences that people get."""

from __future__ import annotations

import pytest
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError, UnsupportedError, UserNotLive

from links import FetchLimits
from links.error_mapping import CodedFailure, code_of
from links.errors import error_from_code

LIMITS = FetchLimits(file_bytes=1_000_000, song_seconds=60)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Sign in to confirm you’re not a bot. Use --cookies-from-browser or --cookies", "link-blocked"),
        ("Your IP address is blocked from accessing this post", "link-blocked"),
        ("This content isn't available, try again later. The current session has been rate-limited", "link-blocked"),
        ("Sign in to confirm your age. This video may be inappropriate for some users.", "link-login"),
        ("This video is only available for registered users. Use --cookies", "link-login"),
        ("Join this channel to get access to members-only content like this video", "link-login"),
        ("Private video. Sign in if you've been granted access to this video", "link-private"),
        ("This video is private", "link-private"),
        ("Video unavailable. This video has been removed by the uploader", "link-removed"),
        ("This account has been terminated", "link-removed"),
        ("Video unavailable", "link-not-found"),
        ("The uploader has not made this video available in your country", "link-geo"),
        ("This video is DRM protected", "link-drm"),
        ("This live event will begin in 3 hours.", "link-live"),
        ("Premieres in 20 minutes", "link-live"),
        ("No video formats found!", "link-no-music"),
        ("Requested format is not available. Use --list-formats", "link-no-music"),
        ("Something that nobody has thought of", "link-failed"),
    ],
)
def test_a_sites_words_have_their_sentence(said: str, code: str) -> None:
    assert code_of(DownloadError(f"ERROR: [site] id: {said}")) == code
    assert code_of(ExtractorError(said, expected=True)) == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GeoRestrictedError("Not here"), "link-geo"),
        (UnsupportedError("https://song.example/"), "link-no-music"),
        (UserNotLive(), "link-live"),
        (MemoryError(), "too-large"),
        (CodedFailure("link-host"), "link-host"),
        (KeyError("a site has changed"), "link-failed"),
    ],
)
def test_an_error_is_known_however_deep_it_lies(error: Exception, code: str) -> None:
    assert code_of(error) == code
    wrapped = DownloadError("ERROR: it failed", (type(error), error, None))
    assert code_of(wrapped) == code


@pytest.mark.parametrize("code", ["", "our-fault", "link-list", "too-long", "no such thing", "None"])
def test_whatever_a_child_says_there_is_a_sentence(code: str) -> None:
    assert str(error_from_code(code, LIMITS)).endswith(".")
