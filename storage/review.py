"""The order in which corrections are shown to moderators: disputed songs first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from storage.corrections import ReviewStatus, get_correction, in_chat, select_corrections, to_correction
from storage.tables import CorrectionRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection
    from sqlalchemy.orm import InstrumentedAttribute

    from storage.corrections import ChatKey, Correction

_DECIDED = (ReviewStatus.ACCEPTED, ReviewStatus.RELABELLED)


async def next_to_review(connection: AsyncConnection, chat: ChatKey | None, after: int) -> Correction | None:
    """Return the next pending correction: first those of disputed songs, then the others, each oldest first.

    A decision on any correction of a song settles its dispute; its other corrections then wait with the rest.
    """
    waiting = [CorrectionRow.status == ReviewStatus.PENDING, *in_chat(chat)]
    disputed = _disputed(CorrectionRow.content_hash)
    last = await get_correction(connection, after, chat)
    if last is None or await _was_disputed(connection, last):
        found = await _first(connection, *waiting, disputed, CorrectionRow.id > after)
        if found is not None:
            return found
        after = 0
    return await _first(connection, *waiting, ~disputed, CorrectionRow.id > after)


async def _first(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> Correction | None:
    row = (
        await connection.execute(select_corrections().where(*conditions).order_by(CorrectionRow.id).limit(1))
    ).one_or_none()
    return None if row is None else to_correction(row)


def _disputed(song: InstrumentedAttribute[str] | str, seen: int = 0) -> ColumnElement[bool]:
    """Match songs with different labels and no reviewed correction, ignoring the review of correction ``seen``."""
    other, decided = aliased(CorrectionRow), aliased(CorrectionRow)
    stands = or_(other.status != ReviewStatus.REJECTED, other.id == seen)
    labels = select(func.count(other.label.distinct())).where(other.content_hash == song, stands).scalar_subquery()
    ruled = select(decided.id).where(decided.content_hash == song, decided.status.in_(_DECIDED), decided.id != seen)
    return (labels > 1) & ~ruled.exists()


async def _was_disputed(connection: AsyncConnection, last: Correction) -> bool:
    """Tell whether a correction was shown as disputed, regardless of its review since."""
    return bool((await connection.execute(select(_disputed(last.content_hash, seen=last.id)))).scalar())
