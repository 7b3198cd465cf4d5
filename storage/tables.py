"""The current tables; ``migrations`` creates and changes them.

They are declared as classes so that selected columns are typed; they are not used as ORM objects.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

CONSTRAINT_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
# Buttons contain these numbers, so one must never be used twice, even after its row was deleted.
NEVER_REUSED = {"sqlite_autoincrement": True}


class UtcDateTime(TypeDecorator[datetime]):
    """A timestamp: aware and in UTC in Python, with time zone on PostgreSQL, without on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class TableBase(DeclarativeBase):
    """The base of all tables."""

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)
    type_annotation_map = {  # noqa: RUF012
        str: Text,
        # SQLite's integers are always 64 bits wide, but only a column declared INTEGER can be auto-incremented.
        int: BigInteger().with_variant(Integer(), "sqlite"),
        float: Double,
        bytes: LargeBinary,
        datetime: UtcDateTime,
        # Not JSONB, which loses the order of keys and rejects a NUL in a file name.
        dict[str, Any]: JSON,
    }


class SongRow(TableBase):
    __tablename__ = "songs"

    content_hash: Mapped[str] = mapped_column(primary_key=True)
    duration: Mapped[float]
    title: Mapped[str | None]
    platform: Mapped[str]
    first_heard: Mapped[datetime]


class AnswerRow(TableBase):
    __tablename__ = "answers"
    __table_args__ = (UniqueConstraint("content_hash", "model"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(primary_key=True)
    content_hash: Mapped[str] = mapped_column(ForeignKey("songs.content_hash"))
    model: Mapped[str]
    genre: Mapped[str]
    confidence: Mapped[float]
    sure: Mapped[bool]
    report: Mapped[dict[str, Any]]
    created: Mapped[datetime]


class FeatureRow(TableBase):
    """Separate from the answers, so that reading those does not load megabytes of features."""

    __tablename__ = "features"

    answer_id: Mapped[int] = mapped_column(ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True)
    format: Mapped[int] = mapped_column(SmallInteger)
    data: Mapped[bytes]


class AnswerLogRow(TableBase):
    __tablename__ = "heard"
    __table_args__ = (Index(None, "platform", "chat"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[str]
    chat: Mapped[str]
    answer_id: Mapped[int] = mapped_column(ForeignKey("answers.id"))
    heard: Mapped[datetime]


class ReplyRow(TableBase):
    __tablename__ = "replies"

    id: Mapped[str] = mapped_column(primary_key=True)
    answer_id: Mapped[int] = mapped_column(ForeignKey("answers.id"), index=True)
    platform: Mapped[str]
    chat: Mapped[str]
    requester: Mapped[str | None] = mapped_column(index=True)
    message: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created: Mapped[datetime] = mapped_column(index=True)


class LabelRow(TableBase):
    __tablename__ = "labels"
    __table_args__ = (NEVER_REUSED,)

    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    name_en: Mapped[str]
    name_vi: Mapped[str]
    status: Mapped[str]
    merged_into: Mapped[str | None] = mapped_column(ForeignKey("labels.id"))
    position: Mapped[int | None]
    proposed_by: Mapped[str | None] = mapped_column(index=True)
    created: Mapped[datetime]


class TermRow(TableBase):
    """A text that finds a label: its id, a name or an alias, folded by ``label_text``. Keys are unique."""

    __tablename__ = "label_terms"

    key: Mapped[str] = mapped_column(primary_key=True)
    label_id: Mapped[str] = mapped_column(ForeignKey("labels.id", ondelete="CASCADE"), index=True)
    text: Mapped[str]
    bare: Mapped[str] = mapped_column(index=True)
    words: Mapped[str]
    is_alias: Mapped[bool]


class CorrectionRow(TableBase):
    __tablename__ = "corrections"
    __table_args__ = (
        UniqueConstraint("person", "content_hash"),
        Index(None, "status", "id"),
        Index(None, "platform", "chat"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[str]
    content_hash: Mapped[str] = mapped_column(ForeignKey("songs.content_hash"), index=True)
    answer_id: Mapped[int] = mapped_column(ForeignKey("answers.id"), index=True)
    label: Mapped[str] = mapped_column(ForeignKey("labels.id"), index=True)
    status: Mapped[str]
    ruling: Mapped[str | None] = mapped_column(ForeignKey("labels.id"), index=True)
    consent: Mapped[bool]
    may_train: Mapped[bool]
    platform: Mapped[str]
    chat: Mapped[str]
    moderator: Mapped[str | None] = mapped_column(index=True)
    moderated: Mapped[datetime | None]
    everywhere: Mapped[bool] = mapped_column(server_default=false())
    created: Mapped[datetime]
    updated: Mapped[datetime]


class KnownSongRow(TableBase):
    """A song whose genre the operator knows for certain; it need not have been sent yet."""

    __tablename__ = "known_songs"

    content_hash: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(ForeignKey("labels.id"), index=True)
    created: Mapped[datetime]


class ImportedSongRow(TableBase):
    """A song from another database's training file, with its features; no person of this database vouches for it."""

    __tablename__ = "imported_songs"

    content_hash: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(ForeignKey("labels.id"), index=True)
    weight: Mapped[float]
    may_train: Mapped[bool]
    source: Mapped[str]
    people: Mapped[int]
    reviewed: Mapped[bool]
    model: Mapped[str]
    heard_as: Mapped[str]
    label_people: Mapped[int]
    updated: Mapped[datetime]
    format: Mapped[int] = mapped_column(SmallInteger)
    data: Mapped[bytes]


class WithdrawnSongRow(TableBase):
    """When somebody last withdrew a correction of a song: an older file must not import it again."""

    __tablename__ = "taken_back"

    content_hash: Mapped[str] = mapped_column(primary_key=True)
    moment: Mapped[datetime]


class JobRow(TableBase):
    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_next", "state", "rank", "turn", "id"),
        Index(None, "state", "turn"),
        Index(None, "fairness_key", "state"),
        Index(None, "person", "created"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str | None] = mapped_column(unique=True)
    platform: Mapped[str]
    chat: Mapped[str]
    home: Mapped[str | None]
    person: Mapped[str]
    fairness_key: Mapped[str]
    message: Mapped[dict[str, Any]]
    payload: Mapped[dict[str, Any]]
    source: Mapped[str]
    rank: Mapped[int]
    turn: Mapped[int]
    state: Mapped[str]
    outcome: Mapped[str | None]
    progress: Mapped[dict[str, Any]]
    attempts: Mapped[int]
    claims: Mapped[int]
    interruptions: Mapped[int] = mapped_column(server_default="0")
    owner: Mapped[str | None]
    leased_until: Mapped[datetime | None]
    not_before: Mapped[datetime]
    cancel_requested: Mapped[bool]
    reply_id: Mapped[str | None] = mapped_column(ForeignKey("replies.id", ondelete="SET NULL"), index=True)
    created: Mapped[datetime]
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None] = mapped_column(index=True)


class PersonRow(TableBase):
    __tablename__ = "people"

    person: Mapped[str] = mapped_column(primary_key=True)
    may_train: Mapped[bool | None]
    asked: Mapped[datetime | None]
    decided: Mapped[datetime | None]
    language: Mapped[str | None]


class ChatRow(TableBase):
    __tablename__ = "chats"

    platform: Mapped[str] = mapped_column(primary_key=True)
    chat: Mapped[str] = mapped_column(primary_key=True)
    settings: Mapped[dict[str, Any]]


class KeyValueRow(TableBase):
    """Named values of storage itself, such as the edition of the seeded labels."""

    __tablename__ = "notes"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
