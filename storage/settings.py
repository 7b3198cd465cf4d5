"""The settings that ``python -m storage`` shares with the bot, read from the same environment and ``.env``.

They are explained in ``.env.example``; all other settings belong to the bot.
"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads the annotation
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError, model_validator
from pydantic_settings import NoDecode

from common.community import CommunitySettings
from common.secret_files import read_secret_files
from storage.errors import StorageError


def _parts(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class StorageSettings(CommunitySettings):
    """Settings, named like their environment variables in lower case; all are optional."""

    database_url_file: Path | None = None
    database_url: str = ""
    training_sources: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parts)] = ("telegram", "local", "api")

    @model_validator(mode="before")
    @classmethod
    def _url_may_stand_in_a_file(cls, given: Any) -> Any:
        return read_secret_files(given, ("database_url",))

    @property
    def database(self) -> str:
        """The database URL; by default a file in ``data_dir``."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'songs.db'}"


def read_settings() -> StorageSettings:
    """Read the settings.

    Raises
    ------
    StorageError
        If one of them is invalid.
    """
    try:
        return StorageSettings()
    except ValidationError as error:
        problem = error.errors()[0]
        said = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
        where = f"{str(problem['loc'][0]).upper()}: " if problem["loc"] else ""
        raise StorageError(f"{where}{said}.") from None
