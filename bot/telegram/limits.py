"""What Telegram's own limits mean for a person, as a sentence."""

from __future__ import annotations

from common.errors import SongError


class TelegramTooLarge(SongError):
    code = "telegram-too-large"
    sentence = (
        "Telegram hands bots files of at most 20 MB. Please send a link, a shorter excerpt, or an mp3 or opus file."
    )
