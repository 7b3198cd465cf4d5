"""What the next model is taught: known songs, imported songs, what was taken back, and who ruled on a correction.

Rulings made before count as those of a place's administrators: who had made them was not written down.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("corrections", sa.Column("everywhere", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "known_songs",
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["label"], ["labels.id"], name="fk_known_songs_label"),
        sa.PrimaryKeyConstraint("content_hash", name="pk_known_songs"),
    )
    op.create_index("ix_known_songs_label", "known_songs", ["label"])
    op.create_table(
        "imported_songs",
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("may_train", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("people", NUMBER, nullable=False),
        sa.Column("reviewed", sa.Boolean(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("heard_as", sa.Text(), nullable=False),
        sa.Column("label_people", NUMBER, nullable=False),
        sa.Column("updated", MOMENT, nullable=False),
        sa.Column("format", sa.SmallInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["label"], ["labels.id"], name="fk_imported_songs_label"),
        sa.PrimaryKeyConstraint("content_hash", name="pk_imported_songs"),
    )
    op.create_index("ix_imported_songs_label", "imported_songs", ["label"])
    op.create_table(
        "taken_back",
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("moment", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("content_hash", name="pk_taken_back"),
    )
