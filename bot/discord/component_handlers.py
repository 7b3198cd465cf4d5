"""Buttons, menus and text boxes below the bot's messages: decodes what was used and shows the response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord

from bot.core.callbacks import Action, ForgetCallback, GenreCallback, decode_known
from bot.core.localization import DEFAULT_LANGUAGE, language_of
from bot.discord.components import name_box, typed_name
from bot.discord.interaction_context import respond

if TYPE_CHECKING:
    from bot.core.conversation import Conversation
    from bot.core.request import Requester, Response
    from bot.core.request_handler import RequestHandler


class ComponentHandlers:
    """Handles component and text box interactions, also of messages that earlier processes sent.

    Parameters
    ----------
    conversation
        Finds out how to speak with the requester.
    requests
        Carries out what a component asks for.
    """

    def __init__(self, conversation: Conversation, requests: RequestHandler) -> None:
        self._conversation = conversation
        self._requests = requests

    async def handle(self, interaction: discord.Interaction[Any]) -> None:
        """Answer one interaction."""
        data: Any = interaction.data
        is_text_box = interaction.type is discord.InteractionType.modal_submit
        custom_id = str(data.get("custom_id", ""))
        callback = decode_known(custom_id)
        if isinstance(callback, GenreCallback) and callback.action is Action.NAME and not is_text_box:
            # A text box must be the very first response, within three seconds: there is no time for the database.
            words = self._conversation.words(language_of(str(interaction.locale)) or DEFAULT_LANGUAGE)
            await interaction.response.send_modal(name_box(callback, words))
            return
        values = [typed_name(data)] if is_text_box else data.get("values") or [""]

        async def request(requester: Requester) -> Response:
            return await self._requests.press(requester, custom_id, str(values[0]))

        is_own_data = isinstance(callback, ForgetCallback)
        await respond(self._conversation, interaction, request, with_private_chats=is_own_data)
