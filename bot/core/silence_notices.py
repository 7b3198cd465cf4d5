"""Lets people know that the bot may not write where they asked: by a reaction, or else privately and once."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from bot.core.chat import OutgoingMessage
from bot.core.errors import TryLater, Undeliverable

if TYPE_CHECKING:
    from collections.abc import Hashable

    from bot.core.localization import Localizer
    from bot.core.message_port import MessagePort

EMOJI = "🙊"
"""One of the few that Telegram lets bots react with."""
PLACES_REMEMBERED = 1000

log = logging.getLogger(__name__)


class SilenceNotices:
    """Gives the notices, and remembers for which places somebody was already told privately."""

    def __init__(self) -> None:
        self._told: deque[Hashable] = deque(maxlen=PLACES_REMEMBERED)

    async def explain(self, port: MessagePort, words: Localizer) -> None:
        """React to what was asked through ``port``, or tell whoever asked where that is not allowed either."""
        try:
            await port.react(EMOJI)
        except (TryLater, Undeliverable) as reason:
            log.info("a reaction could not be added: %s", reason)
        else:
            return
        if port.place in self._told:
            return
        self._told.append(port.place)
        try:
            await port.tell_sender(OutgoingMessage(words.translate("cannot-speak")))
        except (TryLater, Undeliverable) as reason:
            log.info("somebody could not be told privately: %s", reason)
