"""What requests to the API carry: JSON bodies as models, and music in a form or as it is."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar
from urllib.parse import unquote

from aiohttp import BodyPartReader
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.api.errors import MediaTypeUnknown, RequestUnclear
from bot.core.playlist_question import PLAYLIST_SONGS
from common.errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import MultipartReader, web

    from bot.core.upload_store import UploadStore

CHUNK_BYTES: Final = 256 * 1024
TITLE_CHARACTERS: Final = 500
TITLE_BYTES: Final = 4 * TITLE_CHARACTERS
MUSIC_TYPES: Final = ("audio/", "video/")
OTHER_MUSIC_TYPES: Final = frozenset({"application/octet-stream", "application/ogg"})
KEY_SHAPE: Final = re.compile(r"[\x21-\x7e]{1,255}")

Body = TypeVar("Body", bound=BaseModel)


class LinkBody(BaseModel):
    """A song behind a link."""

    model_config = ConfigDict(extra="forbid", strict=True)

    link: Annotated[str, Field(min_length=1, max_length=2000)]
    title: Annotated[str | None, Field(max_length=TITLE_CHARACTERS)] = None


class CorrectionBody(BaseModel):
    """The genre that a song has; ``new`` insists on a name that resembles known ones, ``may_train`` is the consent."""

    model_config = ConfigDict(extra="forbid", strict=True)

    genre: Annotated[str, Field(min_length=1, max_length=200)]
    new: bool = False
    may_train: bool | None = None


def _integral(value: Any) -> Any:
    """JSON does not tell 4.0 from 4."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class PlaylistBody(BaseModel):
    """How many songs of a playlist to take, from its beginning."""

    model_config = ConfigDict(extra="forbid", strict=True)

    count: Annotated[int, BeforeValidator(_integral), Field(ge=0, le=PLAYLIST_SONGS)]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was received: its name in the upload store, and its title."""

    file: str
    title: str | None


async def read_body(request: web.Request, kind: type[Body]) -> Body:
    """Return the JSON body; raises ``RequestUnclear`` that says what is wrong with it."""
    if request.content_type != "application/json":
        raise RequestUnclear(("Content-Type", "must be application/json"))
    try:
        return kind.model_validate_json(await request.read())
    except ValidationError as error:
        raise RequestUnclear(*(_detail(problem) for problem in error.errors())) from None


def _detail(problem: Any) -> tuple[str, str]:
    return ".".join(str(part) for part in problem["loc"]) or "body", problem["msg"]


def idempotency_key(request: web.Request) -> str | None:
    """Return what the program named its request; raises ``RequestUnclear`` if that is no name."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and KEY_SHAPE.fullmatch(key) is None:
        raise RequestUnclear(("Idempotency-Key", "must be 1 to 255 visible ASCII characters"))
    return key


def given_title(request: web.Request) -> str | None:
    """Return the title in the address; raises ``RequestUnclear`` if it is too long."""
    title = request.query.get("title")
    if title is not None and len(title) > TITLE_CHARACTERS:
        raise RequestUnclear(("title", f"must have at most {TITLE_CHARACTERS} characters"))
    return title


async def receive(request: web.Request, uploads: UploadStore) -> Upload:
    """Write the music that a request carries to the upload store.

    Raises
    ------
    RequestUnclear, MediaTypeUnknown, TooLarge, EmptyFile, StorageUnavailable, TimeoutError
        Nothing is left of the file then.
    """
    title = given_title(request)
    if request.content_type == "multipart/form-data":
        try:
            upload = await _receive_form(await request.multipart(), uploads)
        except (ValueError, AssertionError, HttpProcessingError):
            raise RequestUnclear(("body", "is not a form that can be read")) from None
        return Upload(upload.file, title or upload.title)
    if not request.content_type.startswith(MUSIC_TYPES) and request.content_type not in OTHER_MUSIC_TYPES:
        raise MediaTypeUnknown()
    if (request.content_length or 0) > uploads.max_bytes:
        raise TooLarge(megabytes=uploads.max_megabytes)
    return Upload(await uploads.receive(request.content.iter_chunked(CHUNK_BYTES)), title)


async def _receive_form(form: MultipartReader, uploads: UploadStore) -> Upload:
    file, title = "", None
    try:
        async for part in form:
            if not isinstance(part, BodyPartReader) or part.name not in {"file", "title"}:
                raise RequestUnclear(("body", "has a field that is neither “file” nor “title”"))
            if part.name == "title":
                title = await _read_title(part)
            elif file:
                raise RequestUnclear(("file", "is there twice"))
            else:
                file = await uploads.receive(_chunks(part))
                # Some clients write what is not ASCII as percent signs and digits.
                title = title or unquote(part.filename or "")
        if not file:
            raise RequestUnclear(("file", "is missing"))
    except BaseException:
        uploads.delete(file)
        raise
    return Upload(file, title)


async def _read_title(part: BodyPartReader) -> str:
    content = b""
    async for chunk in _chunks(part):
        content += chunk
        if len(content) > TITLE_BYTES:
            raise RequestUnclear(("title", f"must have at most {TITLE_CHARACTERS} characters"))
    return content.decode("utf-8", "replace")


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(CHUNK_BYTES):
        yield chunk


def fingerprint_of_file(uploads: UploadStore, file: str) -> str:
    """Return a hash of a file's bytes; blocks, so call it in a thread."""
    with uploads.path(file).open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def fingerprint_of_link(link: str) -> str:
    """Return a hash of a link."""
    return hashlib.sha256(f"link:{link}".encode()).hexdigest()
