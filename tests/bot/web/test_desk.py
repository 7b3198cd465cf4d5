"""The moderators' page: songs with all opinions on them, rulings in bulk and by key, releases, the password."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from classifier.inference.manifest import read_manifest
from classifier.inference.releases import ReleaseStore
from storage import ReviewStatus
from tests.bot.web.browser import PHONE, visitor
from tests.bot.web.page import opened_page
from tests.classifier.training.small import put_release
from tests.storage.factories import features, report, song

if TYPE_CHECKING:
    from pathlib import Path

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand
    from tests.bot.web.browser import Visitor

SONGS = 12


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Two releases are kept, of which the second serves."""
    models = tmp_path / "models"
    put_release(models, ("blues", "rock"))
    with ReleaseStore(models).exclusive():
        ReleaseStore(models).store(models)
    put_release(models)
    return settings.model_copy(update={"model_dir": models})


async def statuses(storage: Storage) -> list[str]:
    return [each.status for each in await storage.feedback.review(status=None, limit=2 * SONGS)]


async def say(storage: Storage, person: str, label: str, name: str) -> None:
    part = {
        "start": 0.0,
        "end": 60.0,
        "genre": "jazz",
        "confidence": 0.75,
        "probabilities": {"jazz": 0.75},
        "votes": {},
    }
    heard = report("jazz", segments=[part])
    answer = await storage.songs.save_answer(song(name), heard, features(), platform="local", title=name)
    await storage.feedback.correct(
        person=person, answer_id=answer.id, label=label, platform="local", chat="chat", may_train=True
    )


async def teach(storage: Storage) -> None:
    for number in range(SONGS):
        for person in ("ann", "bob"):
            await storage.people.set_consent(person, True)
            label = "blues" if (number, person) == (3, "bob") else "zouk"
            await say(storage, person, label, f"Song {number:02}")


def login(password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f':{password}'.encode()).decode()}"}


async def desk(guest: Visitor, address: str) -> None:
    await guest.page.goto(f"{address}/moderate")
    await guest.page.locator("#run", has_text="retrain").wait_for()


async def test_songs_of_two_people_are_ruled_on_with_a_few_keys(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand
) -> None:
    await teach(storage)
    async with opened_page(storage, keys, settings, ear) as page, visitor(page.address) as boss:
        await desk(boss, page.address)
        queue = boss.page.locator("#queue > li")
        count = "document.querySelectorAll('#queue > li').length"
        assert await queue.count() == SONGS
        assert await queue.nth(3).locator(".disputed").count() == 1
        await boss.check()
        await queue.first.focus()
        await boss.page.keyboard.press("j")
        await boss.page.keyboard.press("r")
        await boss.page.locator("#notice", has_text="Rejected: 2").wait_for()
        await boss.until(f"{count} === {SONGS - 1}")
        await boss.page.keyboard.press("u")
        await boss.page.locator("#notice", has_text="Put back for review: 2").wait_for()
        await boss.until(f"{count} === {SONGS}")
        await boss.page.fill("#filter", "blues")
        await boss.until(f"{count} === 1")
        await boss.page.fill("#label", "zouk")
        await boss.page.click("#select-shown")
        await boss.page.click("[data-rule=relabelled]")
        await boss.page.locator("#notice", has_text="Changed: 2").wait_for()
        await boss.page.fill("#filter", "")
        await boss.page.click("#select-shown")
        await boss.page.click("[data-rule=accepted]")
        await boss.page.locator("#empty").wait_for()
        assert set(await statuses(storage)) == {ReviewStatus.ACCEPTED, ReviewStatus.RELABELLED}
        assert "12 of 20 recordings" in await boss.page.locator("#readiness").inner_text()


async def test_releases_are_promoted_and_the_page_is_as_good_on_a_phone_in_the_dark(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand
) -> None:
    serving = read_manifest(settings.model_dir)["name"]
    await say(storage, "ann", "zouk", "One song")
    async with (
        opened_page(storage, keys, settings, ear) as page,
        visitor(page.address, viewport=PHONE, dark=True, language="vi-VN") as boss,
    ):
        await boss.page.goto(f"{page.address}/moderate")
        releases = boss.page.locator("#releases > li")
        await releases.nth(1).wait_for()
        await boss.check()
        await releases.locator("button").click()
        await boss.page.locator("#notice", has_text="Vài giây nữa sẽ dùng").wait_for()
        assert read_manifest(settings.model_dir)["name"] != serving
        await boss.page.click("#roll-back")
        await boss.page.locator("#notice", has_text=serving).wait_for()
        assert read_manifest(settings.model_dir)["name"] == serving
        await boss.check()


async def test_with_a_password_of_its_own_it_opens_to_nobody_else(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand
) -> None:
    secrets = {"local_chat_password": SecretStr("for visitors"), "moderation_password": SecretStr("for moderators")}
    async with opened_page(storage, keys, settings.model_copy(update=secrets), ear) as page:
        for password, path, status in (
            ("for visitors", "/moderate/state", 401),
            ("for moderators", "/moderate/state", 200),
            ("for moderators", "/page/desk.js", 200),
            ("for visitors", "/page/desk.js", 200),
        ):
            async with page.browser().get(path, headers=login(password)) as response:
                assert response.status == status
    visitors_only = settings.model_copy(update={"local_chat_password": SecretStr("for visitors")})
    async with (
        opened_page(storage, keys, visitors_only, ear) as page,
        page.browser().get("/moderate", headers=login("for visitors")) as response,
    ):
        assert response.status == 404
