"""Which files and links of a message are taken for songs, by the same rules in every chat."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from common.media_types import is_music

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.core.localization import Localizer

LINKS_AT_ONCE = 5
Message = TypeVar("Message")
File = TypeVar("File")

_LINK = re.compile(r"https?://[^\s<>|\"`“”„«»]+", re.IGNORECASE)
_PUNCTUATION = ".,;:!?…'’*。，！？、；："
_BRACKETS = {")": "(", "]": "[", "}": "{", "）": "（", "」": "「", "》": "《"}
# These may also be the last character of an address, so they are cut only where the text before has them, too.
_EMPHASIS = "_~"


@dataclass(frozen=True, slots=True)
class MessageContent(Generic[Message, File]):
    """What may be songs in a message: its files and its links."""

    message: Message
    files: Sequence[File] = ()
    links: Sequence[str] = ()


def requested_songs(
    contents: Sequence[MessageContent[Message, File]], describe: Callable[[File], tuple[str | None, str | None]]
) -> MessageContent[Message, File] | None:
    """Return what to take where somebody asked for a genre; None if there is neither a file nor a link.

    The first message with music or links counts, and music before links. Where there are none, any file is tried.

    Parameters
    ----------
    contents
        The message that asks, and those that it refers to.
    describe
        Returns a file's name and MIME type, each None where the platform knows none.
    """
    for content in contents:
        music = [file for file in content.files if is_music(*describe(file))]
        if music:
            return MessageContent(content.message, files=music)
        if content.links:
            return MessageContent(content.message, links=content.links)
    return next((MessageContent(each.message, files=each.files) for each in contents if each.files), None)


def links_in(text: str) -> list[str]:
    """Return the web addresses in a text, each once, without the punctuation and markup around them."""
    found = [_without_markup(match.group(), text[: match.start()]) for match in _LINK.finditer(text)]
    return list(dict.fromkeys(found))


def links_left_out(links: Sequence[str], words: Localizer) -> str:
    """Return a sentence that names the links that were too many to be taken at once."""
    shown = ", ".join(re.sub(r"^https?://", "", link, flags=re.IGNORECASE) for link in links)
    return words.translate("links-left-out", limit=LINKS_AT_ONCE, links=shown)


def _without_markup(link: str, before: str) -> str:
    # "[name](address)" with an address for a name.
    link = link.partition("](")[0]
    while link:
        last = link[-1]
        opening = _BRACKETS.get(last)
        is_unbalanced = opening is not None and link.count(last) > link.count(opening)
        is_emphasis = last in _EMPHASIS and before.endswith(last)
        if not (last in _PUNCTUATION or is_unbalanced or is_emphasis):
            break
        link = link[:-1]
        before = before[:-1] if is_emphasis else before
    return link
