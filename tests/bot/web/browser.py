"""A real headless Chromium on the local page, and what a person, a keyboard or a screen reader meets there."""

from __future__ import annotations

import json
import shutil
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright

from tests.bot.running import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser, ConsoleMessage, Error, Locator, Request

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}

# WCAG 2.2 to level AA, and what axe calls best practice.
_AXE_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
_AXE = Axe()

_PASTE = """async ([name, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name));
  document.body.dispatchEvent(
    new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true }));
}"""

_DROP = """async ([name, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    document.querySelector("main").dispatchEvent(
      new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
  }
}"""


class Visitor:
    """Somebody with a browser on the page.

    Attributes
    ----------
    page
        Playwright's page, for whatever has no word here.
    complaints
        Errors and policy violations that the browser reported, and requests that went elsewhere.
    """

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self._address = address
        page.on("console", self._mind_message)
        page.on("pageerror", self._mind_error)
        page.on("request", self._mind_request)

    def _mind_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _mind_error(self, error: Error) -> None:
        self.complaints.append(str(error))

    def _mind_request(self, request: Request) -> None:
        if not request.url.startswith((self._address, "data:", f"blob:{self._address}")):
            self.complaints.append(f"asked elsewhere: {request.url}")

    async def comes(self) -> None:
        """Open the page, or open it anew."""
        await self.page.goto(self._address)
        await self.page.wait_for_selector("body[data-ready]")

    async def chooses(self, *paths: Path) -> None:
        """Choose files by the button."""
        await self.page.set_input_files("#choose", [str(path) for path in paths])

    async def drops(self, name: str, content_base64: str) -> None:
        """Drop a file on the page."""
        await self.page.evaluate(_DROP, [name, content_base64])

    async def pastes(self, name: str, content_base64: str) -> None:
        """Paste a file."""
        await self.page.evaluate(_PASTE, [name, content_base64])

    def entry(self, state: str, number: int = 0) -> Locator:
        """Return a song on the page that is in a state."""
        return self.page.locator(f".entry[data-state={state}]").nth(number)

    async def focused(self) -> dict[str, Any]:
        """Return what has the focus: tag, key and text."""
        return dict(
            await self.page.evaluate(
                "() => ({ tag: document.activeElement.tagName, id: document.activeElement.id,"
                " key: document.activeElement.dataset.key ?? null, text: document.activeElement.textContent.trim() })"
            )
        )

    async def until(self, expression: str) -> None:
        """Wait until something is true on the page; asked from outside, for the page's own policy forbids eval."""

        async def is_true() -> bool:
            return bool(await self.page.evaluate(expression))

        await eventually(is_true)

    async def has_focus_on(self, key: str) -> None:
        """Wait until a button has the focus, by its key."""
        await self.until(f"document.activeElement.dataset.key === {json.dumps(key)}")

    async def is_told(self, text: str) -> None:
        """Wait until a screen reader is told something that begins so."""
        await self.until(f"document.getElementById('announcer').textContent.startsWith({json.dumps(text)})")

    async def check(self) -> None:
        """Hold the page against axe's rules, as it looks now; it fits its window, and the browser has no complaints."""
        found = await _AXE.run(self.page, options=_AXE_OPTIONS)
        wrong = [
            f"{violation['id']}: {node['html'][:200]} {node['failureSummary']}"
            for violation in found.response["violations"]
            for node in violation["nodes"]
        ]
        overflow = await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if overflow > 0:
            wrong.append(f"wider than the window by {overflow}")
        if wrong or self.complaints:
            raise AssertionError("; ".join([*wrong, *self.complaints]))


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Start Chromium; its microphone plays a tone of its own, and nobody has to allow it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    microphone = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", *microphone])
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visitor(
    address: str,
    *,
    browser: Browser | None = None,
    viewport: dict[str, int] = DESK,
    language: str = "en-GB",
    dark: bool = False,
) -> AsyncIterator[Visitor]:
    """Come to the page as somebody new, with a browser of one's own unless one is given."""
    async with AsyncExitStack() as stack:
        used = await stack.enter_async_context(open_browser()) if browser is None else browser
        context = await used.new_context(
            viewport=viewport,  # type: ignore[arg-type]
            locale=language,
            color_scheme="dark" if dark else "light",
        )
        stack.push_async_callback(context.close)
        page = await context.new_page()
        page.set_default_timeout(30_000)
        somebody = Visitor(page, address)
        await somebody.comes()
        yield somebody
