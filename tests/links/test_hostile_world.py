"""Links into a hostile world, fetched like the bot does: no canary is hit, every fetch ends, nothing is left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.links.cases import ENDINGS, GOOD_CASES, HERE, INSIDE_CASES, LIST_CASES, leads
from tests.links.namespaces import Namespaces, check_permitted

if TYPE_CHECKING:
    from collections.abc import Iterator

BAD_CASES = {**INSIDE_CASES, **LIST_CASES, **{name: case for name, (_, case) in ENDINGS.items()}}
HARMLESS: dict[str, set[str | None]] = {
    "to wide digits": {"link-inside", "link-not-found"},  # as the resolver likes
    "to name of both": {"link-inside", None},  # whichever of its addresses comes first
}

pytestmark = pytest.mark.timeout(300)
CANARIES = {
    "10.1.2.3 80": {"link": leads("redirect", "http://10.1.2.3/song.wav", status=302)},
    "172.16.5.5 80": {"link": leads("element", "http://172.16.5.5/song.wav")},
    "192.168.7.7 80": {"link": leads("list.m3u8", "http://192.168.7.7/part.ts")},
    "169.254.169.254 80": {"link": "http://metadata.example/"},
    "100.64.0.9 80": {"link": leads("list.mpd", "http://100.64.0.9/part.ts")},
    "198.18.0.9 80": {"link": leads("refresh", "http://198.18.0.9/song.wav")},
    "fd00::9 80": {"link": leads("list.m3u", "http://[fd00::9]/song.wav")},
    "127.0.0.1 80": {"link": leads("redirect", "http://0x7f.1/song.wav", status=301)},
    "::1 80": {"link": "http://loopback-six.example/song.wav"},
    "45.0.0.1 80": {"link": "http://own.example/song.wav"},
    "45.0.0.2 25": {"link": f"{HERE}:25/song.wav"},
}


@pytest.fixture(scope="module")
def namespaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespaces]:
    check_permitted()
    made = Namespaces(tmp_path_factory.mktemp("world"))
    try:
        made.open()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def told(namespaces: Namespaces) -> dict[str, Any]:
    """Fetch everything once; the tests check the results."""
    good, good_hits = namespaces.fetch(GOOD_CASES)
    bad, bad_hits = namespaces.fetch(BAD_CASES, "tests.links.generic_child")
    return {
        "results": {**good["results"], **bad["results"]},
        "children": [*good["children"], *bad["children"]],
        "files": max(good["files"], bad["files"]),
        "hits": [*good_hits, *bad_hits],
    }


def test_not_one_canary_is_hit(told: dict[str, Any]) -> None:
    assert told["hits"] == []


def test_without_the_guard_every_canary_is_hit(namespaces: Namespaces) -> None:
    _, hits = namespaces.fetch(CANARIES, "tests.links.unguarded_child")
    assert set(hits) == set(CANARIES)


@pytest.mark.parametrize("name", INSIDE_CASES)
def test_a_link_that_leads_inside_ends_with_its_sentence(told: dict[str, Any], name: str) -> None:
    assert told["results"][name]["code"] in HARMLESS.get(name, {"link-inside"})


@pytest.mark.parametrize("name", ENDINGS)
def test_what_a_hostile_site_does_ends_with_its_sentence(told: dict[str, Any], name: str) -> None:
    result = told["results"][name]
    assert result["code"] == ENDINGS[name][0]
    assert result["code"] == "cancelled" or result["sentence"].endswith(".")


@pytest.mark.parametrize("name", GOOD_CASES)
def test_what_people_send_is_fetched(told: dict[str, Any], name: str) -> None:
    assert told["results"][name]["code"] is None
    assert told["results"][name]["size"] > 0


@pytest.mark.parametrize("name", [*GOOD_CASES, *BAD_CASES])
def test_nothing_is_left_in_the_songs_folder(told: dict[str, Any], name: str) -> None:
    assert told["results"][name]["left"] == []


def test_a_list_is_told_with_the_links_of_its_songs_or_their_numbers(told: dict[str, Any]) -> None:
    page = told["results"]["list: a page of songs"]["listing"]
    assert [(item["link"], item["item"]) for item in page["items"]] == [(f"{HERE}/elements", n) for n in (1, 2, 3)]
    assert (page["title"], page["count"], page["complete"], page["newest_first"]) == ("Three songs", 3, True, False)
    feed = told["results"]["list: a feed"]["listing"]
    # An item without a valid link has a number, so that fetching it gives its own error.
    assert [(item["link"].removeprefix(HERE), item["item"]) for item in feed["items"]] == [
        ("/episodes.xml", 1),
        ("/song.wav?3", None),
        ("/episodes.xml", 3),
        ("/episodes.xml", 4),
    ]
    assert told["results"]["a feed of several"]["listing"] == feed


def test_a_feed_begins_with_the_newest_episode(told: dict[str, Any]) -> None:
    feed = told["results"]["list: a feed"]["listing"]
    assert [item["title"] for item in feed["items"]] == [f"＠everyone day {day}" for day in (4, 3, 2, 1)]
    assert feed["newest_first"]


def test_of_a_long_list_as_many_are_told_as_were_asked_for(told: dict[str, Any]) -> None:
    listing = told["results"]["list: a long feed"]["listing"]
    assert (len(listing["items"]), listing["count"], listing["complete"]) == (40, 2000, True)


def test_one_song_is_a_list_of_one(told: dict[str, Any]) -> None:
    (item,) = told["results"]["list: one song"]["listing"]["items"]
    assert (item["link"], item["item"]) == (f"{HERE}/titled", None)


def test_a_title_reaches_the_chat_without_what_was_hidden_in_it(told: dict[str, Any]) -> None:
    assert told["results"]["a title that means harm"]["name"] == "＠everyone x evil [a] (http: b) (1)"


def test_cancelling_takes_effect_at_once(told: dict[str, Any]) -> None:
    assert told["results"]["cancelled"]["seconds"] < 2


def test_no_process_and_no_open_file_is_left(told: dict[str, Any]) -> None:
    assert told["children"] == []
    assert told["files"] <= 0
