"""Takes the pictures that README.md shows: ``python benchmarks/screenshots.py``.

Starts the bot with its release and the local page in a headless Chromium, and writes ``page.png`` (the page after one
of its example songs) and ``answer.png`` (the picture that comes with an answer in every chat, of another example).
Needs the development environment and Chromium.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright

REPOSITORY = Path(__file__).resolve().parents[1]

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

START_SECONDS = 60
ANSWER_SECONDS = 120
ON_THE_PAGE, PICTURED = "Late Train", "Lotus Pond"


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def wait_until_open(port: int) -> None:
    """Wait until something listens on the port."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)  # the bot is still starting
            else:
                writer.close()
                return


async def answer_picture(page: Page, *, number: int) -> Locator:
    """Wait for an answer on the page and return its picture, loaded."""
    entry = page.locator(".entry[data-state=answered]").nth(number)
    await entry.wait_for(timeout=ANSWER_SECONDS * 1000)
    picture = entry.locator("img").first
    await picture.evaluate("image => image.decode()")
    return picture


async def take_pictures(address: str, out: Path) -> None:
    """Send two examples; save the page after the first and the picture of the second."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page(
            viewport={"width": 900, "height": 1010}, locale="en-GB", color_scheme="light", device_scale_factor=1.5
        )
        await page.goto(address)
        await page.wait_for_selector("body[data-ready]")
        await page.get_by_role("button", name=ON_THE_PAGE).click()
        await answer_picture(page, number=0)
        await page.screenshot(path=out / "page.png")
        await page.get_by_role("button", name=PICTURED).click()
        picture = await answer_picture(page, number=1)
        source = await picture.evaluate("image => image.currentSrc")
        (out / "answer.png").write_bytes(await (await page.request.get(source)).body())
        await browser.close()


async def run(out: Path) -> None:
    """Start the bot with a data folder of its own, take the pictures, and stop it."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "LOCAL_CHAT": f"127.0.0.1:{port}",
            "DATA_DIR": folder,
            "DISCORD_TOKEN": "",
            "TELEGRAM_TOKEN": "",
        }
        bot = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", cwd=REPOSITORY, env=environment)
        try:
            await wait_until_open(port)
            await take_pictures(f"http://127.0.0.1:{port}/", out)
        finally:
            bot.terminate()
            await bot.wait()


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "images", help="folder to write to")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    asyncio.run(run(out))


if __name__ == "__main__":
    main()
