"""Discord's limits, as its documentation states them."""

from __future__ import annotations

from bot.core.chat import ChatLimits
from bot.core.message_port import StatusLimits

PLATFORM = "discord"
MESSAGE_CHARACTERS = 2000
BUTTON_CHARACTERS = 80
OPTION_CHARACTERS = 100
MODAL_CHARACTERS = 45
TOKEN_SECONDS = 14.5 * 60
"""Discord takes an interaction's token for 15 minutes; the last seconds are not reliable."""
VISITOR_MESSAGES = 6
"""Where the bot is no member, an interaction takes its first message and five more."""
QUEUE_NEWS_SECONDS = 5.0
"""Places in the queue are shown anew at most this often."""

LIMITS = ChatLimits(
    text_characters=MESSAGE_CHARACTERS,
    caption_characters=MESSAGE_CHARACTERS,
    picture_theme="dark",
    channel_format="<#{}>",
    help_private=("discord-help", "help-limits"),
    help_group=("discord-help", "help-limits"),
)
# A channel takes five edits in five seconds, and other songs want some of them. A message with the same nonce is posted
# only once.
STATUS = StatusLimits(message_seconds=2.0, place_seconds=1.6, posts_once=True)
