"""How often a job's process ended while it held it, apart from how often a worker died of its song."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("interruptions", NUMBER, nullable=False, server_default="0"))
    # Until now every start counted, also those that ended with the process.
    op.execute(sa.text("UPDATE jobs SET attempts = 0 WHERE state != 'finished'"))
