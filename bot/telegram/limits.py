"""Telegram's limits: those that the library states, and how often progress may be shown."""

from __future__ import annotations

from telegram.constants import FileSizeLimit, MessageLimit

from bot.core.chat import ChatLimits
from bot.core.message_port import StatusLimits
from common.errors import SongError

PLATFORM = "telegram"
DOWNLOAD_BYTES = int(FileSizeLimit.FILESIZE_DOWNLOAD)
"""What Telegram's own servers hand to bots; self-hosted ones have no such limit."""
UPLOAD_BYTES = int(FileSizeLimit.FILESIZE_UPLOAD)

LIMITS = ChatLimits(
    text_characters=int(MessageLimit.MAX_TEXT_LENGTH),
    caption_characters=int(MessageLimit.CAPTION_LENGTH),
    picture_theme="light",
    genre_prompt="chat-choose-genre",
    genre_menu_keeps_text=True,
    help_private=("chat-help-private", "chat-limits", "chat-help-commands"),
    help_group=("chat-help-group", "chat-limits", "chat-help-commands"),
    help_commands_only=("chat-help-commands-only", "chat-limits", "chat-help-commands"),
)
PRIVATE_STATUS = StatusLimits(message_seconds=5.0, place_seconds=0.0, posts_once=False)
# A group takes 20 messages and edits a minute, all its songs together.
GROUP_STATUS = StatusLimits(message_seconds=10.0, place_seconds=10.0, posts_once=False)
QUEUE_NEWS_SECONDS = 5.0
"""Places in the queue are shown anew at most this often."""
# Progress is shown only where an answer could follow at once.
ROOM_FOR_PROGRESS = 2


class TelegramTooLarge(SongError):
    code = "telegram-too-large"
    sentence = (
        "Telegram hands bots files of at most 20 MB. Please send a link, a shorter excerpt, or an mp3 or opus file."
    )
