"""The settings that ``python -m storage`` shares with the bot, read from the same environment and ``.env``.

They are explained in ``.env.example``; all other settings belong to the bot.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from storage.errors import StorageError
from storage.label_votes import AGREEMENT_PEOPLE


def _parts(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class Settings(BaseSettings):
    """Settings, named like their environment variables in lower case; all are optional."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    data_dir: Path = Path("data")
    database_url: str = ""
    training_sources: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parts)] = ("telegram", "local")
    feedback_agreement: int = Field(default=AGREEMENT_PEOPLE, ge=1, le=100)

    @property
    def database(self) -> str:
        """The database URL; by default a file in ``data_dir``."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'songs.db'}"


def read_settings() -> Settings:
    """Read the settings.

    Raises
    ------
    StorageError
        If one of them is invalid.
    """
    try:
        return Settings()
    except ValidationError as error:
        problem = error.errors()[0]
        raise StorageError(f"{str(problem['loc'][0]).upper()}: {problem['msg'].removeprefix('Input ')}.") from None
