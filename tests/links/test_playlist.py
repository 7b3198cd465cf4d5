"""The child's report on a playlist is untrusted: whatever it contains, the result is songs or an error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from yt_dlp.utils import LazyList, OnDemandPagedList

from links import MAX_PLAYLIST_SONGS, LinkError, parse_link
from links.error_mapping import CodedFailure
from links.playlist_entries import entry_of
from links.playlist_parsing import parse_playlist

LINK = "https://song.example/list"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["songs", "link", "number"]), inner),
)


@settings(max_examples=400, deadline=None)
@given(JSON | st.builds(lambda songs: {"songs": songs}, st.lists(JSON)))
@example({"songs": [{"number": 1, "link": "http://10.1.2.3/"}], "count": True, "title": "\u202e"})
@example({"songs": [{"number": True}, {"number": -1}, {"number": 10**9}]})
def test_whatever_a_child_tells_of_a_list_is_read_or_refused(told: Any) -> None:
    try:
        listing = parse_playlist(told, LINK, ("*",))
    except LinkError:
        return
    assert 0 < len(listing.items) <= MAX_PLAYLIST_SONGS
    assert listing.count >= len(listing.items)
    for item in listing.items:
        assert parse_link(item.link) == item.link
        assert item.item is None or (item.link == LINK and 0 < item.item <= MAX_PLAYLIST_SONGS)


def test_a_song_of_a_site_that_is_not_allowed_keeps_its_number() -> None:
    told = {"songs": [{"number": 1, "link": "https://elsewhere.example/a"}, {"number": 2, "link": LINK + "/b"}]}
    listing = parse_playlist(told, LINK, ("song.example",))
    assert [(item.link, item.item) for item in listing.items] == [(LINK, 1), (LINK + "/b", None)]


def songs(count: int) -> list[dict[str, Any]]:
    return [{"_type": "url", "url": f"{LINK}/{number}", "title": f"Song {number}"} for number in range(1, count + 1)]


def pages(count: int) -> OnDemandPagedList:
    return OnDemandPagedList(lambda page: iter(songs(count)[page * 10 : page * 10 + 10]), 10)


@pytest.mark.parametrize("form", [list, iter, LazyList, lambda entries: pages(len(entries))])
def test_lists_of_every_kind_that_extractors_make_are_read(form: Any) -> None:
    with pytest.raises(CodedFailure) as found:
        entry_of({"entries": form(songs(30)), "title": "All"}, None, 25)
    listing = found.value.playlist
    assert listing is not None
    assert [song["link"] for song in listing["songs"]] == [f"{LINK}/{number}" for number in range(1, 26)]
    # Only the start of a playlist of unknown length is read.
    assert (listing["count"], listing["complete"]) == ((30, True) if form is list else (25, False))
    assert entry_of({"entries": form(songs(30))}, 27, 25)["title"] == "Song 27"
    with pytest.raises(CodedFailure, match="link-not-found"):
        entry_of({"entries": form(songs(30))}, 31, 25)


def test_songs_that_are_gone_are_left_out_but_counted() -> None:
    entries = [None, *songs(2)]
    with pytest.raises(CodedFailure) as found:
        entry_of({"entries": entries}, None, 25)
    assert found.value.playlist is not None
    assert [song["number"] for song in found.value.playlist["songs"]] == [2, 3]
    assert entry_of({"entries": entries}, 2, 25)["title"] == "Song 1"
    with pytest.raises(CodedFailure, match="link-not-found"):
        entry_of({"entries": entries}, 1, 25)
    assert entry_of({"entries": entries[:2]}, None, 25)["title"] == "Song 1"
    with pytest.raises(CodedFailure, match="link-no-music"):
        entry_of({"entries": [None]}, None, 25)


@pytest.mark.parametrize("item", [0, -1, MAX_PLAYLIST_SONGS + 1])
def test_no_song_is_numbered_so(item: int) -> None:
    with pytest.raises(CodedFailure, match="link-not-found"):
        entry_of({"entries": songs(3)}, item, 25)
