"""Aggregates corrections into one verdict per song, and keeps the songs whose genre the operator knows.

The rules are in ``label_votes``; ``training_export`` writes the result to files.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, or_, select

from common.community import Community
from storage.corrections import ReviewStatus
from storage.database import insert_into, lock
from storage.errors import RowNotFound
from storage.label_aliases import FEEDBACK_LOCK
from storage.label_votes import AGREEMENT_PEOPLE, VerdictStatus, aggregate_votes
from storage.labels import require_label
from storage.songs import CONTENT_HASH
from storage.tables import AnswerRow, CorrectionRow, KnownSongRow, LabelRow, PersonRow
from storage.uncancellable import uncancellable
from storage.vote_weights import Vote

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.database import Database
    from storage.label_votes import LabelVerdict


@dataclass(frozen=True, slots=True)
class AggregationRules:
    """The operator's settings for aggregation.

    Attributes
    ----------
    agreement
        How many people must agree on a song.
    sources
        Platforms whose feedback may train; None for those that were allowed when it was given. Feedback given while
        its platform was not allowed never trains.
    paced, strangers
        See ``label_votes.aggregate_votes``.
    confirms_new
        Whether a proposed label counts only once a moderator has confirmed one of its songs.
    """

    agreement: int = AGREEMENT_PEOPLE
    sources: Collection[str] | None = None
    paced: bool = True
    strangers: bool = False
    confirms_new: bool = False

    @classmethod
    def of(cls, community: Community, agreement: int, sources: Collection[str] | None) -> AggregationRules:
        """Return the rules for those who use the bot."""
        public = community is Community.PUBLIC
        return cls(agreement, sources, paced=community.paced, strangers=public, confirms_new=public)


@uncancellable
class LabelAggregation:
    """Reached as ``storage.label_aggregation``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def verdicts(self, rules: AggregationRules | None = None) -> dict[str, LabelVerdict]:
        """Return the verdicts on all songs, from the corrections of consenting people, by content hash."""
        async with self._database.reading() as connection:
            return await load_verdicts(connection, rules or AggregationRules(), self._database.now())

    async def is_confirmed(self, label: str) -> bool:
        """Return whether a moderator has accepted a song of a label, or the operator knows one."""
        verdict = func.coalesce(CorrectionRow.ruling, CorrectionRow.label)
        decided = CorrectionRow.status.in_([ReviewStatus.ACCEPTED, ReviewStatus.RELABELLED])
        accepted = select(CorrectionRow.id).where(verdict == label, CorrectionRow.everywhere, decided)
        known = select(KnownSongRow.content_hash).where(KnownSongRow.label == label)
        async with self._database.reading() as connection:
            return bool((await connection.execute(select(or_(accepted.exists(), known.exists())))).scalar())

    async def known(self) -> dict[str, str]:
        """Return the songs whose genre is known: content hash → label id."""
        async with self._database.reading() as connection:
            return await load_known(connection)

    async def add_known(self, song: str, label: str) -> str:
        """Save the known genre of a song and return the label's id.

        Parameters
        ----------
        song
            Content hash; the song need not have been sent yet.
        label
            Id of a label.

        Raises
        ------
        RowNotFound
            If there is no such label.
        ValueError
            If the hash is malformed.
        """
        if not CONTENT_HASH.fullmatch(song):
            raise ValueError("the content hash is not 64 lower-case hexadecimal digits")
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            label = (await require_label(connection, label)).id
            row = insert_into(connection, KnownSongRow).values(
                content_hash=song, label=label, created=self._database.now()
            )
            await connection.execute(row.on_conflict_do_update(index_elements=["content_hash"], set_={"label": label}))
            return label

    async def remove_known(self, song: str) -> None:
        """Delete the known genre of a song; people's corrections of it stay.

        Raises
        ------
        RowNotFound
            If it was not known.
        """
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            deleted = await connection.execute(delete(KnownSongRow).where(KnownSongRow.content_hash == song))
        if not deleted.rowcount:
            raise RowNotFound(f"The genre of {song} was not known.")


async def load_known(connection: AsyncConnection) -> dict[str, str]:
    """Return the songs whose genre is known."""
    query = select(KnownSongRow.content_hash, KnownSongRow.label).order_by(
        KnownSongRow.created, KnownSongRow.content_hash
    )
    return dict((await connection.execute(query)).all())


async def load_verdicts(connection: AsyncConnection, rules: AggregationRules, now: datetime) -> dict[str, LabelVerdict]:
    """Return the verdicts at a time, from corrections whose authors consented then and still do.

    A chat's administrator can take an opinion away, by rejecting or relabelling it, but their label is nobody's vote:
    otherwise one person's word would count as that of everybody whom they relabelled.
    """
    by_administrator = (CorrectionRow.status == ReviewStatus.RELABELLED) & CorrectionRow.everywhere.is_(False)
    query = (
        select(
            CorrectionRow.person,
            CorrectionRow.content_hash,
            func.coalesce(CorrectionRow.ruling, CorrectionRow.label).label("verdict"),
            CorrectionRow.may_train,
            CorrectionRow.status,
            CorrectionRow.everywhere,
            CorrectionRow.moderated,
            CorrectionRow.platform,
            CorrectionRow.updated,
            AnswerRow.model,
            AnswerRow.genre,
        )
        .join(AnswerRow, AnswerRow.id == CorrectionRow.answer_id)
        .join(PersonRow, PersonRow.person == CorrectionRow.person)
        .where(CorrectionRow.consent, PersonRow.may_train.is_(True))
        .where(CorrectionRow.status != ReviewStatus.REJECTED, ~by_administrator)
        .order_by(CorrectionRow.id)
    )
    decided = {ReviewStatus.ACCEPTED, ReviewStatus.RELABELLED}
    votes = [
        Vote(
            person=row.person,
            song=row.content_hash,
            label=row.verdict,
            may_train=row.may_train and (rules.sources is None or row.platform in rules.sources),
            moderated=row.moderated if row.everywhere and ReviewStatus(row.status) in decided else None,
            platform=row.platform,
            updated=row.updated,
            model=row.model,
            predicted=row.genre,
        )
        for row in await connection.execute(query)
    ]
    found = aggregate_votes(
        votes,
        await load_known(connection),
        agreement=rules.agreement,
        paced=rules.paced,
        strangers=rules.strangers,
        now=now,
    )
    return await _confirmed(connection, found) if rules.confirms_new else found


async def _confirmed(connection: AsyncConnection, found: dict[str, LabelVerdict]) -> dict[str, LabelVerdict]:
    """Let proposed labels wait until a moderator has confirmed one of their songs."""
    proposed = set((await connection.execute(select(LabelRow.id).where(LabelRow.status == "proposed"))).scalars())
    waiting = proposed - {each.label for each in found.values() if each.reviewed}
    return {
        song: replace(each, status=VerdictStatus.UNCONFIRMED, weight=0.0)
        if each.label in waiting and each.status is VerdictStatus.COUNTS
        else each
        for song, each in found.items()
    }
