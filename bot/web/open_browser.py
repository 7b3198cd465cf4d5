"""Opens the page in the browser of whoever starts the bot on their own machine."""

from __future__ import annotations

import asyncio
import os
import sys
import webbrowser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.settings import Settings
    from common.addresses import Address


async def open_page_once(settings: Settings, address: Address, url: str) -> None:
    """Open the page if it is this person's own, and they did not ask for no browser."""
    if settings.open_browser == "auto" and settings.is_own_page and address.loopback and _has_screen():
        await asyncio.to_thread(webbrowser.open, url)


def _has_screen() -> bool:
    # Without a display Python would start a browser in the terminal, and take it over.
    has_display = sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return has_display and sys.stderr.isatty()
