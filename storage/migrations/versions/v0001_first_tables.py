"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
# SQLite counts by itself only in a column that is called INTEGER.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _people()
    _labels()
    _songs()
    _replies()
    _corrections()
    _jobs()


def _people() -> None:
    op.create_table(
        "chats",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "chat", name="pk_chats"),
    )
    op.create_table(
        "notes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_notes"),
    )
    op.create_table(
        "people",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("may_train", sa.Boolean(), nullable=True),
        sa.Column("asked", MOMENT, nullable=True),
        sa.Column("decided", MOMENT, nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("person", name="pk_people"),
    )


def _labels() -> None:
    op.create_table(
        "labels",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_vi", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("merged_into", sa.Text(), nullable=True),
        sa.Column("position", NUMBER, nullable=True),
        sa.Column("proposed_by", sa.Text(), nullable=True),
        sa.Column("created", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["merged_into"], ["labels.id"], name="fk_labels_merged_into"),
        sa.PrimaryKeyConstraint("number", name="pk_labels"),
        sa.UniqueConstraint("id", name="uq_labels_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_labels_proposed_by", "labels", ["proposed_by"])
    op.create_table(
        "label_terms",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("label_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("bare", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("is_alias", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["label_id"], ["labels.id"], name="fk_label_terms_label_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name="pk_label_terms"),
    )
    op.create_index("ix_label_terms_bare", "label_terms", ["bare"])
    op.create_index("ix_label_terms_label_id", "label_terms", ["label_id"])


def _songs() -> None:
    op.create_table(
        "songs",
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("duration", sa.Double(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("first_heard", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("content_hash", name="pk_songs"),
    )
    op.create_table(
        "answers",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("genre", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("sure", sa.Boolean(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["content_hash"], ["songs.content_hash"], name="fk_answers_content_hash"),
        sa.PrimaryKeyConstraint("id", name="pk_answers"),
        sa.UniqueConstraint("content_hash", "model", name="uq_answers_content_hash_model"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "features",
        sa.Column("answer_id", NUMBER, nullable=False),
        sa.Column("format", sa.SmallInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"], name="fk_features_answer_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("answer_id", name="pk_features"),
    )
    op.create_table(
        "heard",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("answer_id", NUMBER, nullable=False),
        sa.Column("heard", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"], name="fk_heard_answer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_heard"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_heard_platform_chat", "heard", ["platform", "chat"])


def _replies() -> None:
    op.create_table(
        "replies",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("answer_id", NUMBER, nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("requester", sa.Text(), nullable=True),
        sa.Column("message", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"], name="fk_replies_answer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_replies"),
    )
    op.create_index("ix_replies_answer_id", "replies", ["answer_id"])
    op.create_index("ix_replies_created", "replies", ["created"])
    op.create_index("ix_replies_requester", "replies", ["requester"])


def _corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("answer_id", NUMBER, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("ruling", sa.Text(), nullable=True),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("may_train", sa.Boolean(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("moderator", sa.Text(), nullable=True),
        sa.Column("moderated", MOMENT, nullable=True),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("updated", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"], name="fk_corrections_answer_id"),
        sa.ForeignKeyConstraint(["content_hash"], ["songs.content_hash"], name="fk_corrections_content_hash"),
        sa.ForeignKeyConstraint(["label"], ["labels.id"], name="fk_corrections_label"),
        sa.ForeignKeyConstraint(["ruling"], ["labels.id"], name="fk_corrections_ruling"),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
        sa.UniqueConstraint("person", "content_hash", name="uq_corrections_person_content_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_corrections_answer_id", "corrections", ["answer_id"])
    op.create_index("ix_corrections_content_hash", "corrections", ["content_hash"])
    op.create_index("ix_corrections_label", "corrections", ["label"])
    op.create_index("ix_corrections_moderator", "corrections", ["moderator"])
    op.create_index("ix_corrections_platform_chat", "corrections", ["platform", "chat"])
    op.create_index("ix_corrections_ruling", "corrections", ["ruling"])
    op.create_index("ix_corrections_status_id", "corrections", ["status", "id"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("fairness_key", sa.Text(), nullable=False),
        sa.Column("message", sa.JSON(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("rank", NUMBER, nullable=False),
        sa.Column("turn", NUMBER, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("attempts", NUMBER, nullable=False),
        sa.Column("claims", NUMBER, nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("leased_until", MOMENT, nullable=True),
        sa.Column("not_before", MOMENT, nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("reply_id", sa.Text(), nullable=True),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("started", MOMENT, nullable=True),
        sa.Column("finished", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["reply_id"], ["replies.id"], name="fk_jobs_reply_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("key", name="uq_jobs_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_fairness_key_state", "jobs", ["fairness_key", "state"])
    op.create_index("ix_jobs_finished", "jobs", ["finished"])
    op.create_index("ix_jobs_next", "jobs", ["state", "rank", "turn", "id"])
    op.create_index("ix_jobs_person_created", "jobs", ["person", "created"])
    op.create_index("ix_jobs_reply_id", "jobs", ["reply_id"])
    op.create_index("ix_jobs_state_turn", "jobs", ["state", "turn"])
