"""The order in which songs are shown to moderators: those that people disagree about first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from storage.corrections import ReviewStatus, get_correction, in_chat, select_corrections, to_correction
from storage.tables import CorrectionRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection
    from sqlalchemy.orm import InstrumentedAttribute

    from storage.corrections import ChatKey, Correction

DECIDED = (ReviewStatus.ACCEPTED, ReviewStatus.RELABELLED)


async def next_to_review(connection: AsyncConnection, chat: ChatKey | None, after: int) -> Correction | None:
    """Return the first pending correction of the next song: disputed songs come first, then the others, oldest first.

    A decision on any correction of a song settles its dispute; other corrections of it then wait with the rest.

    Parameters
    ----------
    chat
        Only corrections from this chat; None for all.
    after
        Number of the correction by which the song before was shown, reviewed since or not; 0 to start.
    """
    waiting = [CorrectionRow.status == ReviewStatus.PENDING, *in_chat(chat), _is_first_of_its_song(chat)]
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


def _is_first_of_its_song(chat: ChatKey | None) -> ColumnElement[bool]:
    """Match pending corrections before which no other of the same song waits."""
    earlier = aliased(CorrectionRow)
    here = [] if chat is None else [earlier.platform == chat.platform, earlier.chat == chat.chat]
    found = select(earlier.id).where(
        earlier.content_hash == CorrectionRow.content_hash,
        earlier.status == ReviewStatus.PENDING,
        earlier.id < CorrectionRow.id,
        *here,
    )
    return ~found.exists()


def _disputed(song: InstrumentedAttribute[str] | str, seen: datetime | None = None) -> ColumnElement[bool]:
    """Match songs with different labels and no reviewed correction, ignoring reviews of the moment ``seen``."""
    other, decided = aliased(CorrectionRow), aliased(CorrectionRow)
    stands: ColumnElement[bool] = other.status != ReviewStatus.REJECTED
    ruled: ColumnElement[bool] = decided.status.in_(DECIDED)
    if seen is not None:
        stands, ruled = or_(stands, other.moderated == seen), ruled & (decided.moderated != seen)
    labels = select(func.count(other.label.distinct())).where(other.content_hash == song, stands).scalar_subquery()
    return (labels > 1) & ~select(decided.id).where(decided.content_hash == song, ruled).exists()


async def _was_disputed(connection: AsyncConnection, last: Correction) -> bool:
    """Tell whether a song was shown as disputed, regardless of what was ruled on it together with a correction."""
    return bool((await connection.execute(select(_disputed(last.content_hash, last.moderated)))).scalar())
