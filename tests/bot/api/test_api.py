"""Programs send songs, follow them, correct them, and are told in one sentence what is wrong."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import TYPE_CHECKING

import aiohttp
import pytest

from classifier.song_report import DECIMALS, SongReport
from tests.bot.api.conftest import WAV, events, problem, send
from tests.bot.running import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bot.api.conftest import Api

    Tone = Callable[..., Path]


async def test_a_file_is_answered_with_the_report_that_the_command_line_prints(api: Api, tone: Tone) -> None:
    song = await send(api.ann, tone())
    told = await events(api.ann, song["id"])
    assert told[-1]["status"] == "answered"
    async with api.ann.get(f"/v1/songs/{song['id']}") as response:
        shown = await response.json()
    assert shown == told[-1]
    assert SongReport.from_dict(shown["report"]).genre == "blues"
    assert all(round(p, DECIMALS) == p for p in shown["report"]["probabilities"].values())
    assert not any(api.chat.settings.data_dir.joinpath("api-spool").iterdir())


async def test_a_stream_tells_how_far_a_song_has_come_and_ends_with_it(api: Api, tone: Tone) -> None:
    api.bot.ear.go_on.clear()
    song = await send(api.ann, tone())
    following = asyncio.create_task(events(api.ann, song["id"]))

    async def listening() -> bool:
        async with api.ann.get(f"/v1/songs/{song['id']}") as response:
            shown = dict(await response.json())
        return bool(shown.get("progress", {}).get("stage") == "listening")

    await eventually(listening)
    api.bot.ear.go_on.set()
    told = await following
    assert [each["status"] for each in told][-2:] == ["working", "answered"]
    assert {"queued", "working", "answered"} >= {each["status"] for each in told}


async def test_a_form_names_the_song_by_its_file(api: Api, tone: Tone) -> None:
    form = aiohttp.FormData()
    form.add_field("file", await asyncio.to_thread(tone().read_bytes), filename="bài hát.wav")
    async with api.ann.post("/v1/songs", data=form) as response:
        assert response.status == 202
        assert (await response.json())["title"] == "bài hát.wav"


async def test_a_stopped_song_stays_stopped(api: Api, tone: Tone) -> None:
    api.bot.ear.go_on.clear()
    song = await send(api.ann, tone())
    async with api.ann.delete(f"/v1/songs/{song['id']}") as response:
        assert response.status == 200
    assert (await events(api.ann, song["id"]))[-1]["status"] == "cancelled"


async def test_a_request_that_is_repeated_with_its_key_makes_one_song(api: Api, tone: Tone) -> None:
    once = await send(api.ann, tone(), **{"Idempotency-Key": "song-1"})
    again = await send(api.ann, tone(), **{"Idempotency-Key": "song-1"})
    other = await send(api.bob, tone(), **{"Idempotency-Key": "song-1"})
    assert again["id"] == once["id"] != other["id"]
    content = await asyncio.to_thread(tone(900).read_bytes)
    async with api.ann.post("/v1/songs", data=content, headers=WAV | {"Idempotency-Key": "song-1"}) as response:
        assert await problem(response) == (422, "api-key-reused")


async def test_a_correction_is_kept_once_per_token_and_can_be_taken_back(api: Api, tone: Tone) -> None:
    song = await send(api.ann, tone())
    corrections = f"/v1/songs/{song['id']}/corrections"
    await events(api.ann, song["id"])
    async with api.ann.post(corrections, json={"genre": "Jazz", "may_train": True}) as response:
        shown = await response.json()
    assert (response.status, shown["genre"], shown["agrees"], shown["may_train"]) == (200, "jazz", False, True)
    async with api.ann.post(corrections, json={"genre": "jaz"}) as response:
        assert await problem(response) == (422, "genre-unclear")
    async with api.bob.post(corrections, json={"genre": "jazz"}) as response:
        assert await problem(response) == (404, "api-song-not-found")
    async with api.ann.get(f"/v1/songs/{song['id']}") as response:
        assert (await response.json())["correction"]["genre"] == "jazz"
    async with api.ann.delete(corrections) as response:
        assert response.status == 204
    async with api.ann.get(f"/v1/songs/{song['id']}") as response:
        assert (await response.json())["correction"] is None


async def test_limits_hold_as_for_people_in_a_chat_and_are_told_before_the_bytes_are_sent(api: Api, tone: Tone) -> None:
    api.bot.ear.go_on.clear()
    for number in range(api.chat.settings.songs_per_person_queued):
        await send(api.ann, tone(300 + number))
    async with api.ann.post("/v1/songs", data=b"more", headers=WAV) as response:
        assert await problem(response) == (429, "too-many-queued")
        assert int(response.headers["Retry-After"]) > 0
    await send(api.bob, tone(500))
    large = BytesIO(bytes(1_100_000))
    async with api.bob.post("/v1/songs", data=large, headers=WAV) as response:
        assert await problem(response) == (413, "too-large")
    async with api.bob.post("/v1/songs", json={"link": "http://127.0.0.1/song.mp3"}) as response:
        assert await problem(response) == (422, "link-inside")


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic x", "Bearer \N{LATIN SMALL LETTER A WITH ACUTE}"])
async def test_whoever_has_no_token_learns_nothing(api: Api, authorization: str) -> None:
    async with api.nobody.get("/v1/genres", headers={"Authorization": authorization}) as response:
        assert await problem(response) == (401, "api-token-needed")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    async with api.nobody.get("/v1/openapi.json") as response:
        assert response.status == 200


async def test_what_is_wrong_is_told_in_the_language_asked_for(api: Api) -> None:
    vietnamese = {"Accept-Language": "vi"}
    async with api.ann.get("/v1/songs/nothing", headers=vietnamese) as response:
        assert await problem(response) == (404, "api-song-not-found")
        assert "bài hát" in (await response.json())["detail"]
    async with api.ann.post("/v1/songs", json={"lnk": "x"}) as response:
        assert await problem(response) == (400, "api-request-unclear")
        assert {each["where"] for each in (await response.json())["errors"]} == {"link", "lnk"}
    async with api.ann.post("/v1/songs", data=b"x", headers={"Content-Type": "text/plain"}) as response:
        assert await problem(response) == (415, "api-media-type")
    async with api.ann.put("/v1/songs") as response:
        assert await problem(response) == (405, "api-method")
        assert response.headers["Allow"] == "POST"


async def test_the_genres_are_all_there_and_can_be_searched(api: Api) -> None:
    async with api.ann.get("/v1/genres") as response:
        every = (await response.json())["genres"]
    async with api.ann.get("/v1/genres", params={"q": "cải lương"}) as response:
        found = (await response.json())["genres"]
    assert len({genre["id"] for genre in every}) == len(every) > 10
    assert found[0]["id"] == "cailuong"


async def test_a_token_can_see_and_delete_all_that_is_stored_about_it(api: Api, tone: Tone) -> None:
    song = await send(api.ann, tone())
    await events(api.ann, song["id"])
    async with api.ann.get("/v1/data") as response:
        assert [each["id"] for each in (await response.json())["api"]] == [song["id"]]
    async with api.ann.delete("/v1/data") as response:
        assert response.status == 204
    async with api.ann.get(f"/v1/songs/{song['id']}") as response:
        assert response.status == 404
