"""Buttons, menus and text boxes below the bot's messages: decodes what was used and shows the response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord

from bot.core.callbacks import Action, ForgetCallback, GenreCallback, decode
from bot.core.errors import ButtonExpired
from bot.core.localization import DEFAULT_LANGUAGE, language_of
from bot.discord.components import name_box, typed_name
from bot.discord.interaction_context import respond

if TYPE_CHECKING:
    from bot.core.callbacks import Callback
    from bot.core.chat import Requester, Response
    from bot.core.conversation import Conversation
    from bot.core.request_handler import RequestHandler


class ComponentHandlers:
    """Handles component and text box interactions, also of messages that earlier processes sent.

    Parameters
    ----------
    conversation, requests
        Where requests go.
    """

    def __init__(self, conversation: Conversation, requests: RequestHandler) -> None:
        self._conversation = conversation
        self._requests = requests

    async def handle(self, interaction: discord.Interaction[Any]) -> None:
        """Answer one interaction."""
        data: Any = interaction.data
        is_text_box = interaction.type is discord.InteractionType.modal_submit
        callback = _decoded(str(data.get("custom_id", "")))
        if isinstance(callback, GenreCallback) and callback.action is Action.NAME and not is_text_box:
            # A text box must be the very first response, within three seconds: there is no time for the database.
            words = self._conversation.words(language_of(str(interaction.locale)) or DEFAULT_LANGUAGE)
            box = name_box(callback, words)
            await interaction.response.send_modal(box)
            return

        async def request(requester: Requester) -> Response:
            if callback is None:
                raise ButtonExpired()
            if is_text_box and isinstance(callback, GenreCallback):
                return await self._requests.choose_genre(requester, callback.target, typed_name(data))
            values = data.get("values") or [""]
            return await self._requests.press(requester, callback, str(values[0]))

        is_own_data = isinstance(callback, ForgetCallback)
        await respond(self._conversation, interaction, request, with_private_chats=is_own_data)


def _decoded(custom_id: str) -> Callback | None:
    try:
        return decode(custom_id)
    except ButtonExpired:
        return None
