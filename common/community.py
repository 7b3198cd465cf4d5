"""Who uses the bot, and what follows from it: how many people must agree, and whether it retrains by itself."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from common.addresses import Address, parse_address

if TYPE_CHECKING:
    from collections.abc import Iterable


RetrainMode = Literal["off", "nightly", "when-ready"]
"""Whether the bot retrains by itself, and when."""


class Community(StrEnum):
    """Who uses the bot: one person, people who know each other, or anybody."""

    PRIVATE = "private"
    GROUP = "group"
    PUBLIC = "public"

    @property
    def agreement(self) -> int:
        """How many people must agree on a song's genre, and stand behind a new genre."""
        return 1 if self is Community.PRIVATE else 2

    @property
    def paced(self) -> bool:
        """Whether one person's labels are spread over time; against oneself nobody needs protection."""
        return self is not Community.PRIVATE

    @property
    def confirms_new_genres(self) -> bool:
        """Whether a new genre waits until a moderator has accepted one of its songs."""
        return self is Community.PUBLIC

    @property
    def retrains(self) -> RetrainMode:
        """Whether its bot retrains by itself unless its operator says otherwise: not where anybody may use it."""
        return "off" if self is Community.PUBLIC else "nightly"


def default_community(
    *, has_token: bool, addresses: Iterable[Address | Literal["off"] | None], has_password: bool
) -> Community:
    """Return who uses a bot whose operator did not say.

    Anybody can find a bot on Discord or Telegram. A page and an API that only this machine can reach, without a
    password, are one person's own; with a password they are shared.

    Parameters
    ----------
    addresses
        Where the page and the API listen, as far as they were set.
    """
    if has_token:
        return Community.PUBLIC
    open_to_others = any(isinstance(each, Address) and not each.loopback for each in addresses)
    return Community.GROUP if open_to_others or has_password else Community.PRIVATE


SETTINGS_CONFIG: Final = SettingsConfigDict(
    env_file=".env",
    env_file_encoding="utf-8",
    env_ignore_empty=True,
    extra="ignore",
    frozen=True,
    hide_input_in_errors=True,
)


class CommunitySettings(BaseSettings):
    """The settings from which the command lines tell who uses the bot; the bot's own has them, too."""

    model_config = SETTINGS_CONFIG

    community: Community | None = None
    feedback_agreement: int | None = Field(default=None, ge=1, le=100)
    retrain: RetrainMode | None = None
    data_dir: Path = Path("data")
    model_dir: Path | None = None
    discord_token: SecretStr | None = None
    telegram_token: SecretStr | None = None
    local_chat: Annotated[Address | Literal["off"] | None, NoDecode, BeforeValidator(parse_address)] = None
    local_chat_password: SecretStr | None = None
    api_tokens: SecretStr | None = None
    api_listen: Annotated[Address | Literal["off"] | None, NoDecode, BeforeValidator(parse_address)] = None

    @property
    def used_by(self) -> Community:
        """Who uses the bot."""
        return self.community or default_community(
            has_token=self.discord_token is not None or self.telegram_token is not None,
            addresses=[self.local_chat, self.api_listen if self.api_tokens else None],
            has_password=self.local_chat_password is not None,
        )

    @property
    def agreement(self) -> int:
        """How many people must agree on a song."""
        return self.feedback_agreement or self.used_by.agreement

    def serving_releases(self, packaged: Path) -> Path:
        """Return the folder that the bot serves from: MODEL_DIR, its own where it retrains, or the packaged one."""
        own = self.data_dir / "models"
        has_own = (self.retrain or self.used_by.retrains) != "off" and own.is_dir()
        return self.model_dir or (own if has_own else packaged)
