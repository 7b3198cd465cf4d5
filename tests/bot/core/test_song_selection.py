from __future__ import annotations

import pytest

from bot.core.song_selection import MessageContent, links_in, requested_songs

SONG = "https://example.org/song"


@pytest.mark.parametrize(
    "text",
    [
        *(f"**{SONG}**", f"*{SONG}*", f"_{SONG}_", f"__{SONG}__", f"~~{SONG}~~", f"||{SONG}||"),
        *(f"`{SONG}`", f"```{SONG}```", f"<{SONG}>", f"({SONG})", f"[{SONG}]", f"{{{SONG}}}", f"((see {SONG}))"),
        *(f'"{SONG}"', f"'{SONG}'", f"“{SONG}”", f"„{SONG}“", f"«{SONG}»", f"「{SONG}」", f"（{SONG}）"),
        *(f"[this song]({SONG})", f"[{SONG}]({SONG})", f"**[this]({SONG})**, isn't it?"),
        *(f"what is {SONG}?", f"{SONG}, please", f"{SONG}...", f"{SONG}…", f"{SONG}。", f"{SONG}!!"),
        f"{SONG} and again {SONG}",
    ],
)
def test_a_link_is_found_without_the_markup_and_the_punctuation_around_it(text: str) -> None:
    assert links_in(text) == [SONG]


@pytest.mark.parametrize(
    "link",
    [
        *(
            "Https://example.org/a",
            "HTTP://EXAMPLE.ORG/a",
            "https://example.org/a_(b)",
            "https://example.org/a_(b)_(c)",
        ),
        *("https://youtu.be/abcdefghij_", "https://youtu.be/abcdefghi-", "https://example.org/~ann/~"),
        *("https://example.org/?q=a,b;c&d=[1]", "https://example.org/bài-hát", "https://example.org/#a=b"),
    ],
)
def test_what_belongs_to_a_link_is_kept(link: str) -> None:
    assert links_in(link) == links_in(f"({link})") == links_in(f"**{link}**,") == [link]


def test_several_links_come_in_their_order() -> None:
    assert links_in("a http://b.example/1\n- <https://c.example/2>; https://d.example/3.") == [
        *("http://b.example/1", "https://c.example/2", "https://d.example/3")
    ]
    assert links_in("no link: example.org, ftp://example.org, https://") == []


def _chosen(*contents: MessageContent[str, str]) -> tuple[str, list[str], list[str]] | None:
    chosen = requested_songs(contents, lambda name: (name, None))
    return None if chosen is None else (chosen.message, list(chosen.files), list(chosen.links))


def test_music_comes_before_links_and_both_before_other_files_which_are_tried_all_the_same() -> None:
    asks = MessageContent("asks", ["cover.png", "song.mp3"], [SONG])
    replied = MessageContent("replied", ["other.flac"], ["https://example.org/other"])
    assert _chosen(asks, replied) == ("asks", ["song.mp3"], [])
    assert _chosen(MessageContent("asks", ["cover.png"], [SONG]), replied) == ("asks", [], [SONG])
    assert _chosen(MessageContent("asks", ["cover.png"]), replied) == ("replied", ["other.flac"], [])
    assert _chosen(MessageContent("asks"), MessageContent("replied", ["song"])) == ("replied", ["song"], [])
    assert _chosen(MessageContent("asks"), MessageContent("replied")) is None
