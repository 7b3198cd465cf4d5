"""Links in the conversation: read before they are queued, fetched in their turn, told of, stopped."""

from __future__ import annotations

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from bot.core.callbacks import PlaylistCallback
from bot.core.identity import Person
from bot.core.messages import progress
from links import Fetcher, FetchLimits, fetcher
from links.errors import HostNotAllowed, LinkNotFound, NoMusicAtLink, NotALink, PrivateAddress
from tests.bot.process import BotProcess
from tests.bot.running import Bot
from tests.bot.web.browser import visitor
from tests.bot.web.page import settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import aiohttp

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from links import PlaylistItem
    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand
    from tests.bot.recording_chat import Notebook

LIMITS = FetchLimits(file_bytes=1_000_000, song_seconds=60, seconds=60)

PASTE = """
(text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text", text);
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - as the library calls it
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """A site on this machine, which only a child process without its guard can reach."""
    folder = tmp_path / "site"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def _within_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher, "CHILD", ("-sPB", "-m", "tests.links.unguarded_child"))
    monkeypatch.setattr("links.address.is_outside", lambda _: True)


@pytest.fixture
def bot(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, notebook: Notebook, tmp_path: Path
) -> Bot:
    return Bot(storage, keys, settings, ear, tmp_path / "work", Fetcher(LIMITS)).with_chat(notebook)


@pytest.mark.usefixtures("_within_reach")
async def test_a_link_is_fetched_and_answered_under_the_name_that_its_site_gives(
    bot: Bot, notebook: Notebook, site: str, tone: Callable[..., Path], tmp_path: Path
) -> None:
    tone(name="Bright Song.wav").rename(tmp_path / "site" / "Bright Song.wav")
    link = f"{site}/Bright%20Song.wav"
    await bot.start()
    job = await bot.conversation.submit(notebook.sends(tmp_path, title=None, source="link", payload={"link": link}))
    await notebook.until(lambda: notebook.discarded)
    await bot.queue.stop()
    (heard,) = notebook.answers[tmp_path.name]
    assert heard.report.segments
    answer = await bot.storage.songs.answer(heard.reply.answer_id)
    assert answer is not None
    assert answer.title == "Bright Song"
    assert "fetching" in notebook.stages[tmp_path.name]
    assert not (tmp_path / "work" / str(job.id)).exists()


@pytest.mark.usefixtures("_within_reach")
async def test_a_link_without_music_gets_its_sentence(bot: Bot, notebook: Notebook, site: str, tmp_path: Path) -> None:
    (tmp_path / "site" / "page.html").write_text("<html><title>Words</title>Words alone.</html>")
    await bot.start()
    # Telegram's chat calls it by another name.
    sent = notebook.sends(tmp_path, source="link", payload={"url": f"{site}/page.html"})
    job = await bot.conversation.submit(sent)
    await notebook.until(lambda: notebook.discarded)
    await bot.queue.stop()
    assert [type(error) for error in notebook.refusals[tmp_path.name]] == [NoMusicAtLink]
    assert not (tmp_path / "work" / str(job.id)).exists()


@pytest.mark.parametrize(
    ("pasted", "error"),
    [("no link", NotALink), ("http://127.0.0.1/", PrivateAddress), ("https://elsewhere.example/", HostNotAllowed)],
)
async def test_a_link_that_cannot_be_fetched_is_refused_before_it_is_queued(
    storage: Storage,
    keys: IdHasher,
    settings: Settings,
    ear: EarAtHand,
    notebook: Notebook,
    tmp_path: Path,
    pasted: str,
    error: type[Exception],
) -> None:
    narrow = settings.model_copy(update={"link_hosts": ("song.example", "127.0.0.1")})
    bot = Bot(storage, keys, narrow, ear, tmp_path / "work").with_chat(notebook)
    with pytest.raises(error):
        await bot.conversation.submit(notebook.sends(tmp_path, source="link", payload={"link": pasted}))
    assert (await storage.jobs.load()).queued == 0


def test_progress_tells_how_much_has_arrived() -> None:
    from bot.core.chat import Stage
    from bot.core.localization import Localizer

    assert progress(Stage("fetching"), Localizer("en", {})) == "Receiving the song…"
    assert progress(Stage("fetching", megabytes=3), Localizer("en", {})) == "Receiving the song: 3 MB so far…"


async def test_a_link_pasted_on_the_page_is_refused_there_if_it_leads_inside(ann: aiohttp.ClientSession) -> None:
    async with ann.post("/links", json={"link": "http://192.168.0.1/song.mp3"}) as response:
        assert response.status == 422
        assert "private network" in (await response.json())["error"]
    async with ann.post("/links", json={"link": 17}) as response:
        assert response.status == 400


async def test_a_link_pasted_on_the_page_waits_under_the_name_of_its_site(ann: aiohttp.ClientSession) -> None:
    async with ann.post("/links", json={"link": "https://song.example/a/secret?b"}) as response:
        assert response.status == 201
        entry = await response.json()
    assert entry["title"] == "song.example"
    # This bot was given nothing to fetch links with.
    assert "can't follow links" in (await settled(ann, entry["id"]))["text"]


@pytest.mark.usefixtures("_within_reach")
async def test_a_feed_is_asked_about_and_answered_episode_by_episode(
    bot: Bot, notebook: Notebook, site: str, tone: Callable[..., Path], tmp_path: Path
) -> None:
    days = {1: tone(200, name="one.wav"), 2: None, 3: tone(900, name="three.wav")}
    for path in filter(None, days.values()):
        path.rename(tmp_path / "site" / path.name)
    items = "".join(
        f"<item><title>Day {day}</title><pubDate>0{day} Nov 2026 00:00:00 GMT</pubDate>"
        f'<enclosure url="{site}/{path.name if path else "gone.wav"}" type="audio/wav"/></item>'
        for day, path in days.items()
    )
    feed = f'<?xml version="1.0"?><rss version="2.0"><channel><title>Days</title>{items}</channel></rss>'
    (tmp_path / "site" / "feed.xml").write_text(feed)
    await bot.start()
    sent = notebook.sends(tmp_path, title=None, source="link", payload={"link": f"{site}/feed.xml"})
    job = await bot.conversation.submit(sent)
    await notebook.until(lambda: notebook.questions[tmp_path.name])
    assert "a feed of 3 episodes" in notebook.questions[tmp_path.name][0].text

    async def back(item: PlaylistItem) -> dict[str, str | None]:
        return {"name": item.title}

    ann = Person("telegram", "ann")
    assert len(await bot.conversation.playlists.answer(PlaylistCallback(job.id, 3), ann, back)) == 3
    await notebook.until(lambda: len(notebook.discarded) == 4)
    await bot.queue.stop()
    assert notebook.answers["Day 3"][0].report.genre == "jazz"
    assert notebook.answers["Day 1"][0].report.genre == "blues"
    assert [type(error) for error in notebook.refusals["Day 2"]] == [LinkNotFound]
    assert list((tmp_path / "work").iterdir()) == []


async def test_pasting_a_link_on_the_page_sends_it(tmp_path: Path) -> None:
    process = BotProcess(tmp_path)
    process.start()
    try:
        async with visitor(process.address) as browser:
            await browser.page.evaluate(PASTE, "http://192.168.0.1/song.mp3")
            await browser.page.get_by_text("This link leads into a private network").first.wait_for()
    finally:
        process.kill()
