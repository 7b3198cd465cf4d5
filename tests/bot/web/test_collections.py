from __future__ import annotations

import io
import posixpath
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.web.collection_routes import is_inside
from bot.web.collection_service import MOST_SONGS
from tests.bot.running import eventually
from tests.bot.web.folder_client import begin, ended, paths_in, playlists, room, send_all, send_song, shown
from tests.bot.web.page import history, opened_page, send, settled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.conftest import Tone
    from tests.bot.fake_classifier import EarAtHand
    from tests.bot.web.page import Page

Songs = dict[str, bytes]


@pytest.fixture
def songs(tone: Tone) -> Songs:
    """Give a folder: two dark songs, a bright one, names of all kinds."""
    return {
        "Đĩa 1/Chuyến tàu muộn 🎵.wav": tone(200).read_bytes(),
        "Đĩa 1/#2 100% <b>.wav": tone(220).read_bytes(),
        "sáng.wav": tone(1400).read_bytes(),
    }


async def test_a_folder_is_heard_song_by_song_and_sorted_into_playlists(
    ann: aiohttp.ClientSession, songs: Songs, settings: Settings
) -> None:
    entry = await send_all(ann, songs | {"hỏng.mp3": b"never mind" * 100, "empty.flac": b""})
    assert entry["text"] == "3 songs, in order."
    assert [(shelf["name"], shelf["count"]) for shelf in entry["sorted"]["shelves"]] == [("Blues", 2), ("Metal", 1)]
    assert {failure["path"]: failure["why"].split(".")[0] for failure in entry["failures"]} == {
        "empty.flac": "This file is empty",
        "hỏng.mp3": "This is not a music file that I can read",
    }
    packed = await playlists(ann, entry)
    assert sorted(packed) == ["Blues.m3u8", "Metal.m3u8", "report.html"]
    assert paths_in(packed["Blues.m3u8"]) == [
        "./#2 100% <b>.wav".replace("./", "Đĩa 1/"),
        "Đĩa 1/Chuyến tàu muộn 🎵.wav",
    ]
    assert paths_in(packed["Metal.m3u8"]) == ["sáng.wav"]
    assert '"link":"s%C3%A1ng.wav"' in packed["report.html"]
    assert list((settings.data_dir / "spool").iterdir()) == []


async def test_a_song_of_a_folder_is_put_under_another_genre(ann: aiohttp.ClientSession, songs: Songs) -> None:
    entry = await send_all(ann, songs)
    metal = entry["sorted"]["shelves"][1]["songs"]
    assert [(song["path"], song["label"]) for song in metal] == [("sáng.wav", None)]
    address = f"/collections/{entry['id']}/songs/{metal[0]['number']}/genre"
    async with ann.post(address, json={"genre": "Nhạc cổ điển"}) as response:
        entry = (await response.json())["entry"]
    assert [(shelf["name"], shelf["count"]) for shelf in entry["sorted"]["shelves"]] == [("Blues", 2), ("Classical", 1)]
    assert entry["sorted"]["shelves"][1]["songs"][0]["label"] == "classical"
    assert paths_in((await playlists(ann, entry))["Classical.m3u8"]) == ["sáng.wav"]
    async with ann.get("/" + entry["sorted"]["playlists"].replace("=en", "=vi")) as response:
        with zipfile.ZipFile(io.BytesIO(await response.read())) as archive:
            assert sorted(archive.namelist()) == ["Blues.m3u8", "Nhạc cổ điển.m3u8", "report.html"]
    assert (await ann.post(address, json={"genre": "clasical"})).status == 422
    async with ann.post(address, json={"genre": None}) as response:
        assert (await response.json())["entry"]["sorted"]["shelves"][1]["name"] == "Metal"


async def test_a_correction_in_a_folder_teaches_like_any_other(
    page: Page, ann: aiohttp.ClientSession, songs: Songs
) -> None:
    entry = await send_all(ann, songs)
    number = entry["sorted"]["shelves"][1]["songs"][0]["number"]
    address = f"/collections/{entry['id']}/songs/{number}/genre"
    async with ann.post(address, json={"genre": "Zydeco Noir", "new": True}) as response:
        given = await response.json()
    assert given["entry"]["sorted"]["shelves"][1]["name"] == "Zydeco Noir"
    assert "“Zydeco Noir” is new to me" in given["notice"]
    assert "May I learn" in given["question"]
    assert (await ann.post("/consent", json={"allow": True})).status == 200
    feedback = page.bot.storage.feedback
    [stored] = await feedback.review(status=None)
    assert (stored.predicted, stored.agrees, stored.consent) == ("metal", False, True)
    assert await page.bot.storage.songs.features(stored.answer_id)
    async with ann.post(address, json={"genre": None}) as response:
        assert (await response.json())["notice"] == "Your correction is removed."
    assert await feedback.review(status=None) == []


async def test_a_folder_that_is_named_for_a_genre_teaches_it_after_one_question(
    page: Page, ann: aiohttp.ClientSession, songs: Songs
) -> None:
    entry = await send_all(ann, songs, "V-pop")
    assert entry["lesson"]["text"].startswith("This folder is named for a genre. Teach its 3 songs as V-pop?")
    async with ann.post(f"/collections/{entry['id']}/lesson", json={"teach": True}) as response:
        done = await response.json()
    assert (done["notice"], done["entry"]["lesson"]) == ("Noted: 3 songs are V-pop.", None)
    assert "May I learn" in done["question"]
    stored = await page.bot.storage.feedback.review(status=None)
    assert [each.label for each in stored] == ["vpop"] * 3
    again = await send_all(ann, songs, "Nhạc của tôi")
    assert again["lesson"] is None


async def test_a_folder_teaches_nothing_if_its_sender_does_not_want_that(
    page: Page, ann: aiohttp.ClientSession, songs: Songs
) -> None:
    entry = await send_all(ann, songs, "V-pop")
    async with ann.post(f"/collections/{entry['id']}/lesson", json={"teach": False}) as response:
        assert (await response.json())["entry"]["lesson"] is None
    assert await page.bot.storage.feedback.review(status=None) == []
    assert (await send_all(ann, songs, "V-pop"))["lesson"] is None


async def test_the_confidence_that_is_relied_on_can_be_chosen(ann: aiohttp.ClientSession, songs: Songs) -> None:
    entry = await send_all(ann, songs)
    async with ann.post(f"/collections/{entry['id']}/confidence", json={"percent": 90}) as response:
        entry = (await response.json())["entry"]
    assert [(shelf["name"], shelf["count"]) for shelf in entry["sorted"]["shelves"]] == [("Not sure", 3)]
    assert [one["percent"] for one in entry["sorted"]["minimums"] if one["chosen"]] == [90]
    assert sorted(await playlists(ann, entry)) == ["Not sure.m3u8", "report.html"]
    for nonsense in (12, -1, "90", True, 1e308):
        async with ann.post(f"/collections/{entry['id']}/confidence", json={"percent": nonsense}) as response:
            assert response.status == 400


async def test_the_report_may_do_what_it_says_itself_and_nothing_else(ann: aiohttp.ClientSession, songs: Songs) -> None:
    entry = await send_all(ann, songs, name="</script><b>")
    async with ann.get("/" + entry["sorted"]["report"], headers={"Accept-Language": "vi"}) as response:
        text, policy = await response.text(), response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "</script><b>" not in text
    assert '"link":null' in text


async def test_too_many_songs_and_no_songs_are_told_before_any_is_sent(ann: aiohttp.ClientSession) -> None:
    many = {f"{number}.mp3": b"x" for number in range(MOST_SONGS + 1)}
    said = (await begin(ann, many, status=422))["error"]
    assert said.startswith("There are 201 songs in this folder, and this page takes up to 200 at a time.")
    assert said.endswith("python -m classifier organize FOLDER --playlists OUT")
    assert "any music in this folder" in (await begin(ann, {}, status=422))["error"]
    assert (await history(ann))["entries"] == []


async def test_a_song_over_the_limit_is_told_by_name_whatever_its_browser_says_of_its_size(
    ann: aiohttp.ClientSession, songs: Songs, settings: Settings
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536

    begun = await begin(ann, {"honest.wav": bytes(1_000_001), "liar.wav": b"x"})
    assert [path for _, path in begun["missing"]] == ["liar.wav"]
    with suppress(ConnectionError):  # the server hangs up while more is coming
        await send_song(ann, begun["entry"]["id"], begun["missing"][0][0], endless())
    entry = await ended(ann, begun["entry"]["id"])
    assert [(failure["path"], "larger than 1 MB" in failure["why"]) for failure in entry["failures"]] == [
        ("honest.wav", True),
        ("liar.wav", True),
    ]
    assert entry["text"] == "No song could be heard."
    assert list((settings.data_dir / "spool").iterdir()) == []


async def test_a_file_that_the_browser_cannot_read_is_told(ann: aiohttp.ClientSession) -> None:
    begun = await begin(ann, {"locked.mp3": b"x"})
    async with ann.delete(f"/collections/{begun['entry']['id']}/songs/{begun['missing'][0][0]}") as response:
        assert response.status == 200
    entry = await ended(ann, begun["entry"]["id"])
    assert entry["failures"][0]["why"].startswith("Your browser could not read this file.")


async def test_the_same_folder_again_asks_only_for_what_is_new_or_has_changed(
    page: Page, ann: aiohttp.ClientSession, songs: Songs, tone: Tone
) -> None:
    first = await send_all(ann, songs)
    changed = songs | {"sáng.wav": tone(1400, 5).read_bytes(), "new.wav": tone(300).read_bytes()}
    del changed["Đĩa 1/#2 100% <b>.wav"]
    begun = await begin(ann, changed)
    assert begun["entry"]["id"] == first["id"]
    assert sorted(path for _, path in begun["missing"]) == ["new.wav", "sáng.wav"]
    again = await send_all(ann, changed)
    assert [(shelf["name"], shelf["count"]) for shelf in again["sorted"]["shelves"]] == [("Blues", 2), ("Metal", 1)]
    assert len(page.bot.ear.heard) == 5
    assert (await begin(ann, {"other.wav": b"x"}))["entry"]["id"] != first["id"]


async def test_a_copy_within_a_folder_is_heard_once(page: Page, ann: aiohttp.ClientSession, tone: Tone) -> None:
    entry = await send_all(ann, {"a.wav": tone().read_bytes(), "b.wav": tone().read_bytes()})
    assert entry["sorted"]["shelves"][0]["count"] == 2
    assert len(page.bot.ear.heard) == 1


async def test_a_folder_is_stopped_and_what_was_heard_stays(
    page: Page, ann: aiohttp.ClientSession, songs: Songs, settings: Settings
) -> None:
    begun = await begin(ann, songs)
    folder, missing = begun["entry"]["id"], begun["missing"]
    await send_song(ann, folder, missing[0][0], songs[missing[0][1]])

    async def one_is_heard() -> bool:
        return len((await room(ann, folder))["missing"]) == 2 and (await shown(ann, folder))["share"] > 0

    await eventually(one_is_heard)
    page.bot.ear.go_on.clear()
    await send_song(ann, folder, missing[1][0], songs[missing[1][1]])
    async with ann.delete(f"/collections/{folder}") as response:
        entry = (await response.json())["entry"]
    assert entry["text"] == "Stopped after 1 of 3 songs. Open the same folder again to go on."
    assert sum(shelf["count"] for shelf in entry["sorted"]["shelves"]) == 1
    assert list((settings.data_dir / "spool").iterdir()) == []
    assert (await room(ann, folder)) == {"room": False, "going": False, "missing": []}
    page.bot.ear.go_on.set()
    assert len((await begin(ann, songs))["missing"]) == 2


async def test_songs_of_a_folder_keep_nobody_elses_song_waiting(
    page: Page, ann: aiohttp.ClientSession, songs: Songs, tone: Tone
) -> None:
    page.bot.ear.go_on.clear()
    begun = await begin(ann, songs)
    first, second, third = begun["missing"]
    folder = begun["entry"]["id"]
    assert (await send_song(ann, folder, first[0], songs[first[1]]))["room"]
    assert not (await send_song(ann, folder, second[0], songs[second[1]]))["room"]

    async def one_has_the_seat() -> bool:
        return len(page.bot.ear.heard) == 1

    await eventually(one_has_the_seat)
    bob = page.browser()
    await history(bob)
    entry = await send(bob, tone(1400))
    sent = await page.chat.history.get(entry["id"])

    async def bob_is_in_line() -> bool:
        # Before it is taken up it is said to be queued, too.
        return any(running.stage.kind == "queued" for running in page.bot.queue._running.values())

    await eventually(bob_is_in_line)
    # Bytes for which there is no room are not read.
    assert not (await send_song(ann, folder, third[0], songs[third[1]]))["room"]
    page.bot.ear.go_on.set()
    while not (await room(ann, folder))["room"]:
        pass
    await send_song(ann, folder, third[0], songs[third[1]])
    await ended(ann, folder)
    assert (await settled(bob, entry["id"]))["state"] == "answered"
    assert sent is not None
    assert page.bot.ear.heard.index(sent.file) == 1
    assert len(page.bot.ear.heard) == 4


async def test_a_song_that_nobody_asked_for_is_not_heard(page: Page, ann: aiohttp.ClientSession, songs: Songs) -> None:
    entry = await send_all(ann, songs)
    assert await send_song(ann, entry["id"], 0, b"again") == {"room": True}
    assert await send_song(ann, entry["id"], 77, b"never listed") == {"room": True}
    assert len(page.bot.ear.heard) == 3


async def test_a_folder_goes_on_after_a_restart(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, songs: Songs
) -> None:
    async with opened_page(storage, keys, settings, ear) as first:
        browser = first.browser()
        await history(browser)
        begun = await begin(browser, songs)
        folder, missing = begun["entry"]["id"], begun["missing"]
        await send_song(browser, folder, missing[0][0], songs[missing[0][1]])

        async def heard() -> bool:
            return bool((await shown(browser, folder))["share"] > 0)

        await eventually(heard)
        ear.go_on.clear()
        await send_song(browser, folder, missing[1][0], songs[missing[1][1]])
        identity = "; ".join(f"{cookie.key}={cookie.value}" for cookie in browser.cookie_jar)
    ear.go_on.set()
    async with opened_page(storage, keys, settings, ear) as second:
        again = second.browser(Cookie=identity)
        entry = await shown(again, folder)
        assert entry["text"].startswith("1 of 3 songs heard. No page is sending the others")
        assert entry["again"] == "Open the folder again"
        # A page that was open all the time just asks what is needed.
        assert [path for _, path in (await room(again, folder))["missing"]] == [path for _, path in missing[1:]]
        entry = await send_all(again, songs)
        assert sum(shelf["count"] for shelf in entry["sorted"]["shelves"]) == 3


async def test_a_folder_is_nobody_elses(page: Page, ann: aiohttp.ClientSession, songs: Songs) -> None:
    entry = await send_all(ann, songs)
    bob = page.browser()
    await history(bob)
    address = f"/collections/{entry['id']}"
    for method, path in (
        ("GET", "/room"),
        ("GET", "/report"),
        ("GET", "/playlists.zip"),
        ("POST", "/confidence"),
        ("POST", "/songs/0"),
        ("DELETE", "/songs/0"),
        ("DELETE", ""),
    ):
        async with bob.request(method, address + path) as response:
            assert response.status == 404
    async with ann.get(address + "/report", headers={"Sec-Fetch-Site": "cross-site"}) as response:
        assert response.status == 403


async def test_one_folder_of_a_person_is_heard_at_a_time(page: Page, ann: aiohttp.ClientSession, songs: Songs) -> None:
    page.bot.ear.go_on.clear()
    begun = await begin(ann, songs)
    number, path = begun["missing"][0]
    await send_song(ann, begun["entry"]["id"], number, songs[path])
    said = (await begin(ann, {"other.wav": b"x"}, name="Other", status=422))["error"]
    assert said.startswith("I'm still listening to another folder of yours.")
    page.bot.ear.go_on.set()


async def test_all_that_is_kept_of_a_folder_is_told_and_deleted_when_asked(
    ann: aiohttp.ClientSession, songs: Songs, settings: Settings
) -> None:
    await send_all(ann, songs)
    async with ann.get("/mydata") as response:
        kept = (await response.json())["page"]
    assert kept == [{"title": "Nhạc", "state": "collection", "songs": sorted(songs)}]
    assert len(list((settings.data_dir / "collections").iterdir())) == 1
    async with ann.post("/forget") as response:
        assert response.status == 200
    assert list((settings.data_dir / "collections").iterdir()) == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x", "count": "many", "files": []},
        {"name": "x", "count": 1, "files": {}},
        {"name": "x", "count": 1, "files": [["../x.mp3", 1, 1]]},
        {"name": "x", "count": 1, "files": [["a/../../x.mp3", 1, 1]]},
        {"name": "x", "count": 1, "files": [["/x.mp3", 1, 1]]},
        {"name": "x", "count": 1, "files": [["x.mp3", -1, 1]]},
        {"name": "x", "count": 1, "files": [["x.mp3", 10**30, 1]]},
        {"name": "x", "count": 1, "files": [["x.mp3"]]},
    ],
)
async def test_a_list_that_no_page_would_send_is_refused(ann: aiohttp.ClientSession, body: dict[str, Any]) -> None:
    async with ann.post("/collections", json=body) as response:
        assert response.status == 400
    assert (await history(ann))["entries"] == []


async def test_a_list_that_never_ends_is_refused(ann: aiohttp.ClientSession) -> None:
    async with ann.post("/collections", data=io.BytesIO(b"x" * 2_000_001)) as response:
        assert response.status == 413


@given(st.lists(st.sampled_from(["a", "..", ".", "", "b.mp3", " ", "…"]), max_size=6).map("/".join))
def test_a_path_that_is_taken_leads_into_its_folder(path: str) -> None:
    if is_inside(path):
        assert posixpath.normpath(f"/folder/{path}") == f"/folder/{path}"
