"""Errors of fetching a link, each with a code and a sentence for the person. ``error_mapping`` chooses among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.errors import EmptyFile, SongError, TooLarge, TooLong

if TYPE_CHECKING:
    from links.limits import FetchLimits
    from links.playlist import Playlist


class LinkError(SongError):
    code = "link-failed"
    sentence = "The site behind this link did not answer as it should. Please try again later, or send the file."


class NotALink(LinkError):
    code = "link-not-a-link"
    sentence = "This is not a link that I can open. Please send one that begins with https:// or http://."


class LinkTooLong(NotALink):
    code = "link-too-long"
    sentence = "This link is too long. Please open it in a browser and copy the shorter link from there."


class HostNotAllowed(LinkError):
    code = "link-host"
    sentence = "I was told not to open links to this site. Please send the file instead."


class PrivateAddress(LinkError):
    code = "link-inside"
    sentence = "This link leads into a private network, where I do not go. Please send the file instead."


class LoginRequired(LinkError):
    code = "link-login"
    sentence = "This site lets only people in who log in. Please send the file instead."


class AddressBlocked(LinkError):
    code = "link-blocked"
    sentence = "This site turns me away because of where I run. Please send the file instead."


class LiveStream(LinkError):
    code = "link-live"
    sentence = "This is a live broadcast, or one that has not begun. Please send a recording."


class LinkCopyProtected(LinkError):
    code = "link-drm"
    sentence = "This song is copy-protected, so I cannot listen to it. Please send a file."


class GeoBlocked(LinkError):
    code = "link-geo"
    sentence = "This cannot be played in the country where I run. Please send the file instead."


class PrivateLink(LinkError):
    code = "link-private"
    sentence = "This is private, so I cannot listen to it. Please send the file instead."


class LinkRemoved(LinkError):
    code = "link-removed"
    sentence = "This was removed from its site. Please send another link, or the file."


class LinkNotFound(LinkError):
    code = "link-not-found"
    sentence = "There is nothing at this link. Please check it, or send the file."


class NoMusicAtLink(LinkError):
    code = "link-no-music"
    sentence = "I found no music at this link. Please send a link to a song, or the file."


class LinkTimeout(LinkError):
    """Placeholders: ``seconds``, the limit."""

    code = "link-timeout"
    sentence = "Fetching this took longer than {seconds:g} seconds, so I stopped. Please send the file instead."


class LinkTooSlow(LinkError):
    code = "link-too-slow"
    sentence = "This site sends its file too slowly, so I stopped. Please try again later, or send the file instead."


class PageTooComplex(LinkError):
    code = "link-too-complex"
    sentence = "This page is too complicated for me to search. Please send the link of the song itself, or the file."


class BadCertificate(LinkError):
    code = "link-certificate"
    sentence = (
        "This site cannot prove that it is what it says it is, so I do not trust it. Please send the file instead."
    )


class ScriptRequired(LinkError):
    code = "link-script"
    sentence = "This site hides its songs behind a script that I cannot run here. Please send the file instead."


class PlaylistFound(LinkError):
    """The link leads to several songs; ``playlist`` lists them if they are known."""

    code = "link-list"
    sentence = "There is more than one song at this link. Please send the link of one song."

    def __init__(self, playlist: Playlist | None = None) -> None:
        super().__init__()
        self.playlist = playlist


_BY_CODE: dict[str, type[LinkError]] = {
    kind.code: kind
    for kind in (
        LinkError,
        HostNotAllowed,
        PrivateAddress,
        LoginRequired,
        AddressBlocked,
        LiveStream,
        LinkCopyProtected,
        GeoBlocked,
        PrivateLink,
        LinkRemoved,
        LinkNotFound,
        NoMusicAtLink,
        LinkTooSlow,
        PageTooComplex,
        BadCertificate,
        ScriptRequired,
        PlaylistFound,
    )
}


def error_from_code(code: str, limits: FetchLimits) -> SongError:
    """Return the error for a code that the child process reported; an unknown code becomes a plain ``LinkError``.

    Parameters
    ----------
    limits
        The values in the sentence come from here, because the child process is not trusted.
    """
    if code == TooLarge.code:
        return TooLarge(megabytes=limits.megabytes)
    if code == EmptyFile.code:
        return EmptyFile()
    if code == TooLong.code:
        return TooLong(minutes=limits.song_seconds / 60)
    if code == LinkTimeout.code:
        return LinkTimeout(seconds=limits.seconds)
    return _BY_CODE.get(code, LinkError)()
