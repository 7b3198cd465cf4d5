"""A real headless Chromium on the local page, and what a person, a keyboard or a screen reader meets there."""

from __future__ import annotations

import json
import shutil
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from playwright.async_api import Page, async_playwright

from tests.bot.running import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser, ConsoleMessage, Error, Locator, Request

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}

# What every page must keep to, after the rules that checkers such as axe apply: returns what is wrong.
_RULES = """() => {
  const wrong = [];
  const shown = (node) => node.checkVisibility({ visibilityProperty: true });
  const say = (node) => node.outerHTML.slice(0, 120);
  if (!document.documentElement.lang) wrong.push("the page says no language");
  if (document.querySelectorAll("h1").length !== 1) wrong.push("not one h1");
  if (document.querySelectorAll("main").length !== 1) wrong.push("not one main");
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  if (new Set(ids).size !== ids.length) wrong.push("an id is there twice");
  for (const name of ["aria-controls", "aria-labelledby", "aria-describedby", "aria-activedescendant"]) {
    for (const node of document.querySelectorAll(`[${name}]`)) {
      for (const id of node.getAttribute(name).split(" ")) {
        if (!document.getElementById(id)) wrong.push(`${name} leads nowhere: ${say(node)}`);
      }
    }
  }
  for (const image of document.querySelectorAll("img")) {
    if (!image.hasAttribute("alt")) wrong.push(`no alternative text: ${say(image)}`);
  }
  for (const node of document.querySelectorAll("button, a[href], summary, input, [role=option]")) {
    const named = node.textContent.trim() || node.getAttribute("aria-label") || node.labels?.length;
    if (shown(node) && !named) wrong.push(`no name: ${say(node)}`);
    const box = node.getBoundingClientRect();
    const target = node.matches("input[type=file], .skip") || !shown(node) ? null : box;
    if (target && (target.width < 24 || target.height < 24)) wrong.push(`too small to hit: ${say(node)}`);
  }
  for (const option of document.querySelectorAll("[role=option]")) {
    if (!option.closest("[role=listbox]")) wrong.push(`an option outside a list: ${say(option)}`);
  }
  for (const header of document.querySelectorAll("th")) {
    if (!header.scope) wrong.push(`a header of nothing: ${say(header)}`);
  }
  const overflow = document.documentElement.scrollWidth - window.innerWidth;
  if (overflow > 0) wrong.push(`wider than the window by ${overflow}`);
  return wrong;
}"""

# Contrast of every text with what is painted behind it, WCAG 2.2: returns texts that cannot be read well.
_CONTRAST = """() => {
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] > 250) return colour;
    }
    return [255, 255, 255, 255];
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.checkVisibility() || node.closest(".unseen, .skip, audio")) continue;
    const [a, b] = [light(rgba(getComputedStyle(node).color)), light(ground(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.push(`${walker.currentNode.data.trim()}: contrast of ${ratio.toFixed(2)}`);
  }
  return faint;
}"""

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
        """Hold the page against the rules, as it looks now."""
        wrong = [*await self.page.evaluate(_RULES), *await self.page.evaluate(_CONTRAST), *self.complaints]
        if wrong:
            raise AssertionError("; ".join(wrong))


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
