"""The connection to SQLite or PostgreSQL: every statement runs inside a transaction that is opened here."""

from __future__ import annotations


class Database:
    """An engine and its transactions."""
