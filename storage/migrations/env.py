"""What Alembic runs around the scripts in ``versions``: on the connection, and in the transaction, of the caller."""

from __future__ import annotations

from alembic import context

from storage.tables import TableBase

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TableBase.metadata,
    transactional_ddl=True,
    # SQLite alters a table by making it anew; scripts say `op.batch_alter_table` for both databases.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
