"""Every setting of the bot: typed, read once from the environment or ``.env``, and then frozen."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.process_environment import forget_variables
from bot.setting_values import (
    Moderator,
    existing_file,
    parse_database_url,
    parse_hosts,
    parse_moderators,
    parse_shards,
    split_list,
    split_tokens,
    url_with,
)
from classifier.inference.manifest import PACKAGED_MODELS
from common.addresses import DEFAULT_LOCAL_PORT, Address, parse_address
from common.community import Community, RetrainMode, default_community
from common.genres import OWN_FILE, load_genres
from common.secret_files import read_secret_files

SECRETS = (
    *("discord_token", "telegram_token", "local_chat_password", "secret_key", "link_proxy", "database_url"),
    *("api_tokens", "moderation_password"),
)
"""Settings that nobody else may read; each may stand in a file that the setting of the same name and _FILE names."""
MINIMUM_SECRET_CHARACTERS = 16
MINIMUM_PASSWORD_CHARACTERS = 8
MINIMUM_API_TOKEN_CHARACTERS = 32
DEFAULT_API_PORT = 8082


class WrongSettings(Exception):
    """Some settings are wrong; ``problems`` names each one without repeating a secret."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def chat_module(platform: str) -> str:
    """Return the name of the module that a platform's chat would be in."""
    return f"bot.{platform}.chat"


class Settings(BaseSettings):
    """Settings by their names in the environment, in lower case; all are optional."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    discord_token_file: Path | None = None
    telegram_token_file: Path | None = None
    local_chat_password_file: Path | None = None
    secret_key_file: Path | None = None
    link_proxy_file: Path | None = None
    database_url_file: Path | None = None
    api_tokens_file: Path | None = None
    moderation_password_file: Path | None = None

    discord_token: SecretStr | None = None
    telegram_token: SecretStr | None = None
    discord_api_url: Annotated[str, url_with("http", "https")] = "https://discord.com/api/v10"
    discord_gateway_url: Annotated[str, url_with("ws", "wss")] = "wss://gateway.discord.gg"
    telegram_api_url: Annotated[str, url_with("http", "https")] = "https://api.telegram.org"

    discord_shard_count: int | None = Field(default=None, ge=1, le=10_000)
    discord_shards: Annotated[tuple[int, ...], NoDecode, BeforeValidator(parse_shards)] = ()

    webhook_url: Annotated[str, url_with("https", "http")] = ""
    webhook_listen: Annotated[Address, NoDecode, BeforeValidator(parse_address)] = Address("127.0.0.1", 8081)

    local_chat_password: SecretStr | None = None
    moderation_password: SecretStr | None = None
    local_chat: Annotated[Address | Literal["off"] | None, NoDecode, BeforeValidator(parse_address)] = Field(
        default=None, validate_default=True
    )

    api_tokens: SecretStr | None = None
    api_listen: Annotated[Address, NoDecode, BeforeValidator(parse_address)] = Address("127.0.0.1", DEFAULT_API_PORT)

    operations_listen: Annotated[Address | Literal["off"] | None, NoDecode, BeforeValidator(parse_address)] = None

    operations_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(parse_hosts)] = ()

    data_dir: Path = Path("data")
    database_url: Annotated[str, BeforeValidator(parse_database_url)] = ""
    model_dir: Path = PACKAGED_MODELS
    genres_file: Path | None = None
    workers: int = Field(default=1, ge=1, le=1024)
    executor_url: Annotated[str, url_with("tcp", "tls")] = ""
    executor_ca: Path | None = None
    executor_certificate: Path | None = None
    executor_key: Path | None = Field(default=None, validate_default=True)

    moderators: Annotated[tuple[Moderator, ...], NoDecode, BeforeValidator(parse_moderators)] = ()
    training_sources: Annotated[
        tuple[Literal["discord", "telegram", "local", "api"], ...], NoDecode, BeforeValidator(split_list)
    ] = ("telegram", "local", "api")
    community: Community | None = None
    feedback_agreement: int | None = Field(default=None, ge=1, le=100)
    retrain: RetrainMode | None = None
    link_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(parse_hosts)] = ("*",)
    link_proxy: SecretStr | None = None
    link_cookies: Path | None = None

    max_minutes: float = Field(default=60.0, gt=0, le=600)
    max_megabytes: float = Field(default=100.0, gt=0, le=4096)
    songs_per_person_queued: int = Field(default=10, ge=1, le=1000)
    songs_per_person_daily: int = Field(default=200, ge=1, le=100_000)

    secret_key: SecretStr | None = None
    log_format: Literal["text", "json"] | None = None
    open_browser: Literal["auto", "off"] = "auto"

    @model_validator(mode="before")
    @classmethod
    def _secrets_may_stand_in_files(cls, given: Any) -> Any:
        return read_secret_files(given, SECRETS)

    @field_validator("discord_token", "telegram_token")
    @classmethod
    def _token_is_whole(cls, token: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if token is None:
            return None
        platform = str(info.field_name).removesuffix("_token")
        if importlib.util.find_spec(chat_module(platform)) is None:
            raise ValueError(f"this version of the bot has no {platform.capitalize()} chat; take the token away")
        shape = r"\d+:[\w-]{20,}" if platform == "telegram" else r"[\w.-]{20,}"
        if re.fullmatch(shape, token.get_secret_value()) is None:
            raise ValueError("is not a whole token: copy it again, without spaces or quotes")
        return token

    @field_validator("genres_file")
    @classmethod
    def _genres_make_sense(cls, path: Path | None) -> Path | None:
        if path is not None:
            load_genres(path)
        return path

    @field_validator("link_proxy")
    @classmethod
    def _proxy_is_one(cls, proxy: SecretStr | None) -> SecretStr | None:
        shape = r"(https?|socks5h)://([^\s/@]+@)?(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d{1,5})?/?"
        if proxy is not None and re.fullmatch(shape, proxy.get_secret_value()) is None:
            raise ValueError("must be like http://proxy.example:3128 or socks5h://user:password@proxy.example:1080")
        return proxy

    @field_validator("link_cookies")
    @classmethod
    def _cookies_are_there(cls, path: Path | None) -> Path | None:
        return existing_file(path)

    @field_validator("discord_shards")
    @classmethod
    def _shards_are_counted(cls, shards: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        # A wrong count is missing from info.data and reported already.
        count = info.data.get("discord_shard_count", 10_000)
        if shards and count is None:
            raise ValueError("set DISCORD_SHARD_COUNT, the number of all shards, too")
        if len(set(shards)) != len(shards) or any(shard >= count for shard in shards):
            raise ValueError(f"must be different numbers below {count}")
        return shards

    @field_validator("executor_ca", "executor_certificate", "executor_key")
    @classmethod
    def _certificates_are_there(cls, path: Path | None) -> Path | None:
        return existing_file(path)

    @field_validator("executor_key")
    @classmethod
    def _certificates_fit(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        if {"executor_url", "executor_ca", "executor_certificate"} - info.data.keys():
            return key  # one of them is wrong, which is reported already
        files = (info.data["executor_ca"], info.data["executor_certificate"], key)
        encrypted = info.data["executor_url"].startswith("tls://")
        if any(files) != all(files) or encrypted != all(files):
            raise ValueError(
                "EXECUTOR_CA, EXECUTOR_CERTIFICATE and EXECUTOR_KEY belong together, and with a tls:// EXECUTOR_URL"
            )
        return key

    @field_validator("secret_key")
    @classmethod
    def _key_is_long(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < MINIMUM_SECRET_CHARACTERS:
            raise ValueError(f"needs at least {MINIMUM_SECRET_CHARACTERS} characters")
        return key

    @field_validator("webhook_listen", "api_listen", mode="after")
    @classmethod
    def _has_an_address(cls, address: Address | str) -> Address:
        if not isinstance(address, Address):
            raise ValueError("must be like 127.0.0.1:8081")
        return address

    @field_validator("api_tokens")
    @classmethod
    def _api_tokens_are_long(cls, tokens: SecretStr | None) -> SecretStr | None:
        shape = rf"[\w.~+/=-]{{{MINIMUM_API_TOKEN_CHARACTERS},}}"
        listed = [] if tokens is None else split_tokens(tokens)
        if any(re.fullmatch(shape, token, re.ASCII) is None for token in listed):
            raise ValueError(
                f"each needs at least {MINIMUM_API_TOKEN_CHARACTERS} letters and digits, and a comma between two"
            )
        if len(set(listed)) < len(listed):
            raise ValueError("names a token twice")
        return tokens if listed else None

    @field_validator("local_chat_password", "moderation_password")
    @classmethod
    def _password_is_long(cls, password: SecretStr | None) -> SecretStr | None:
        if password is not None and len(password.get_secret_value()) < MINIMUM_PASSWORD_CHARACTERS:
            raise ValueError(f"needs at least {MINIMUM_PASSWORD_CHARACTERS} characters")
        return password

    @field_validator("local_chat")
    @classmethod
    def _public_needs_password(
        cls, address: Address | Literal["off"] | None, info: ValidationInfo
    ) -> Address | Literal["off"] | None:
        # A wrong password is missing from info.data and reported already.
        public = isinstance(address, Address) and not address.loopback
        if public and info.data.get("local_chat_password", "wrong") is None:
            raise ValueError(f"{address} can be reached from other machines: set LOCAL_CHAT_PASSWORD too")
        return address

    @property
    def tokens(self) -> dict[str, SecretStr]:
        """Chat → token, for every chat that has one."""
        given = {"discord": self.discord_token, "telegram": self.telegram_token}
        return {chat: token for chat, token in given.items() if token is not None}

    @property
    def api_token_values(self) -> tuple[str, ...]:
        """The tokens of programs; none if the API is off."""
        return () if self.api_tokens is None else tuple(split_tokens(self.api_tokens))

    @property
    def local_address(self) -> Address | None:
        """Where the local page listens; None if it is off. By default it is on only without tokens."""
        if isinstance(self.local_chat, Address):
            return self.local_chat
        if self.local_chat is None and not self.tokens:
            return Address("127.0.0.1", DEFAULT_LOCAL_PORT)
        return None

    @property
    def is_own_page(self) -> bool:
        """Whether nothing but a page for this machine runs."""
        address = self.local_address
        return address is not None and address.loopback and not self.tokens and self.api_tokens is None

    @property
    def used_by(self) -> Community:
        """Who uses the bot: as COMMUNITY says, or else as its tokens and its page suggest."""
        return self.community or default_community(
            has_token=bool(self.tokens),
            addresses=[self.local_chat, self.api_listen if self.api_tokens else None],
            has_password=self.local_chat_password is not None,
        )

    @property
    def agreement(self) -> int:
        """How many people must agree on a song's genre before it counts."""
        return self.feedback_agreement or self.used_by.agreement

    @property
    def retrains(self) -> RetrainMode:
        """Whether the bot retrains by itself, and when: every night, unless anybody may use it."""
        return self.retrain or self.used_by.retrains

    @property
    def release_dir(self) -> Path:
        """The folder of the serving release: MODEL_DIR, or a copy in DATA_DIR where the bot itself changes it."""
        own = self.retrains != "off" and self.model_dir == PACKAGED_MODELS
        return self.data_dir / "models" if own else self.model_dir

    @property
    def operations_address(self) -> Address | None:
        """Where health and metrics are served; None if they are not."""
        return self.operations_listen if isinstance(self.operations_listen, Address) else None

    @property
    def database(self) -> str:
        """The database's URL; a SQLite file in ``data_dir`` unless another was set."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'songs.db'}"


def read_settings() -> Settings:
    """Read every setting once, from the environment and from ``.env`` in the working directory.

    Raises
    ------
    WrongSettings
        With all problems at once.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        problems = {_problem(problem["loc"], problem["type"], problem["msg"]): None for problem in error.errors()}
        raise WrongSettings(tuple(problems)) from None
    if settings.genres_file is not None:
        # It may stand in .env alone, and the processes that are started need it too.
        os.environ[OWN_FILE] = str(settings.genres_file.resolve())
    return settings


def forget_secrets() -> None:
    """Remove every secret from this process's environment, so that no other process can read one there."""
    forget_variables(frozenset(SECRETS))


def _problem(location: tuple[int | str, ...], kind: str, message: str) -> str:
    if not location:  # it names the setting itself
        return message.removeprefix("Value error, ")
    name = str(location[0]).upper()
    if kind == "extra_forbidden":
        return f"{name}: there is no such setting"
    return f"{name}: {message.removeprefix('Value error, ').removeprefix('Input ')}"
