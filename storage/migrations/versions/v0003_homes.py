"""Where a job's chat can be answered from: a page's songs lie on its own machine, a bot's belong to that bot.

Jobs from before may be taken by any process that serves their platform, as they were until now.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("home", sa.Text(), nullable=True))
