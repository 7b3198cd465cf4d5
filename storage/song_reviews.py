"""Review by song: all opinions on it, rulings on several at once, and what moderators are told about each other's.

Rulings that are given together have one time, by which they are taken back together.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update

from storage.corrections import (
    ChatKey,
    Correction,
    ReviewStatus,
    get_correction,
    in_chat,
    select_corrections,
    to_correction,
)
from storage.database import insert_into, lock
from storage.errors import RowNotFound
from storage.label_aliases import FEEDBACK_LOCK
from storage.labels import require_label
from storage.privacy import overruled
from storage.review import DECIDED, next_to_review
from storage.tables import AnswerRow, CorrectionRow, KeyValueRow, PersonRow, ReplyRow
from storage.uncancellable import uncancellable
from storage.vote_weights import people_apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.database import Database

RULED_AT_ONCE = 1000
"""The most corrections that are accepted with one press; what is left over can be accepted with the next one."""
REPLIES_SEARCHED = 20

Decision = tuple[ReviewStatus, str | None]


@dataclass(frozen=True, slots=True)
class Overruled:
    """A moderator's ruling that another one contradicted.

    Attributes
    ----------
    title
        Of the song, if known.
    before, after
        Ids of both labels; ``after`` is empty if the opinion was rejected.
    """

    title: str | None
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a ruling did: the numbers of the corrections, and what it contradicted."""

    numbers: tuple[int, ...]
    overruled: tuple[Overruled, ...] = ()


@dataclass(frozen=True, slots=True)
class SongReview:
    """A song for a moderator.

    Attributes
    ----------
    opinions
        All that they moderate, rejected ones included, oldest first.
    link
        Where the song can be listened to in its chat; None if that is private, or its sender does not allow it.
    """

    opinions: tuple[Correction, ...]
    link: str | None

    @property
    def pending(self) -> tuple[Correction, ...]:
        """Those that wait for a ruling."""
        return tuple(each for each in self.opinions if each.status is ReviewStatus.PENDING)


@uncancellable
class SongReviews:
    """Reached as ``storage.reviews``; ``chat`` is None for the operator's moderators, who act everywhere."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def next(self, *, chat: ChatKey | None = None, after: int = 0) -> Correction | None:
        """Return the first pending correction of the next song to review; see ``review.next_to_review``."""
        async with self._database.reading() as connection:
            return await next_to_review(connection, chat, after)

    async def waiting(self, *, chat: ChatKey | None = None) -> int:
        """Count the songs with an opinion that waits for a ruling."""
        query = select(func.count(CorrectionRow.content_hash.distinct()))
        query = query.where(CorrectionRow.status == ReviewStatus.PENDING, *in_chat(chat))
        async with self._database.reading() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def song(self, content_hash: str, *, chat: ChatKey | None = None) -> SongReview:
        """Return a song with all opinions on it."""
        async with self._database.reading() as connection:
            opinions = await _opinions(connection, [content_hash], chat)
            return SongReview(tuple(opinions), await _link(connection, content_hash, chat))

    async def rule(
        self,
        numbers: Iterable[int],
        status: ReviewStatus,
        *,
        moderator: str,
        label: str | None = None,
        chat: ChatKey | None = None,
    ) -> Ruling:
        """Rule the same on several corrections, passing over numbers that there are not.

        Raises
        ------
        RowNotFound
            If there is no such label.
        """
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            ruling = None if label is None else (await require_label(connection, label)).id
            decisions = dict.fromkeys(numbers, (status, ruling))
            return await self._apply(connection, decisions, moderator, chat)

    async def rule_song(self, number: int, label: str | None, *, moderator: str, chat: ChatKey | None = None) -> Ruling:
        """Decide which genre the song of a correction has: who said so is accepted, who said otherwise rejected.

        A genre that nobody gave takes the place of theirs; without one, all opinions are rejected. Opinions that were
        ruled on before stay, unless none waits: then the ruling is changed.

        Raises
        ------
        RowNotFound
            If there is no such correction (there), or no such label.
        """
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            correction = await _require(connection, number, chat)
            chosen = None if label is None else (await require_label(connection, label)).id
            opinions = await _opinions(connection, [correction.content_hash], chat)
            ruled_on = [each for each in opinions if each.status is ReviewStatus.PENDING] or opinions
            given = {each.label for each in ruled_on}

            def decision(opinion: Correction) -> Decision:
                if chosen is None or (chosen in given and opinion.label != chosen):
                    return ReviewStatus.REJECTED, None
                return (ReviewStatus.ACCEPTED, None) if chosen in given else (ReviewStatus.RELABELLED, chosen)

            return await self._apply(connection, {each.id: decision(each) for each in ruled_on}, moderator, chat)

    async def agreed(self, label: str, *, chat: ChatKey | None = None) -> list[int]:
        """Return the pending corrections that say a label, nobody disagrees with, and come from people who agree."""
        async with self._database.reading() as connection:
            return await _agreed(connection, label, chat)

    async def accept_agreed(self, label: str, *, moderator: str, chat: ChatKey | None = None) -> Ruling:
        """Accept what ``agreed`` returns."""
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            numbers = (await _agreed(connection, label, chat))[:RULED_AT_ONCE]
            return await self._apply(connection, dict.fromkeys(numbers, (ReviewStatus.ACCEPTED, None)), moderator, chat)

    async def undo(self, number: int, *, moderator: str, chat: ChatKey | None = None) -> Ruling:
        """Put back for review what a moderator ruled together with a correction.

        Raises
        ------
        RowNotFound
            If they did not rule on that correction, or somebody has ruled otherwise since.
        """
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            correction = await _require(connection, number, chat)
            if correction.moderator != moderator or correction.moderated is None:
                raise RowNotFound(f"Correction {number} was not ruled on by this moderator.")
            together = [
                CorrectionRow.moderator == moderator,
                CorrectionRow.moderated == correction.moderated,
                *in_chat(chat),
            ]
            rows = (
                await connection.execute(select(CorrectionRow.id, CorrectionRow.content_hash).where(*together))
            ).all()
            undone = {"status": ReviewStatus.PENDING, "ruling": None, "moderator": None, "moderated": None}
            await connection.execute(update(CorrectionRow).where(*together).values(everywhere=False, **undone))
            for song in {row.content_hash for row in rows}:
                told = KeyValueRow.name.startswith(overruled(""), autoescape=True) & KeyValueRow.name.endswith(song)
                await connection.execute(delete(KeyValueRow).where(told))
            return Ruling(tuple(row.id for row in rows))

    async def take_overruled(self, moderator: str) -> list[Overruled]:
        """Return which of a moderator's rulings others contradicted since they were last told, and forget that."""
        notes = KeyValueRow.name.startswith(overruled(moderator), autoescape=True)
        async with self._database.transaction() as connection:
            found = (await connection.execute(select(KeyValueRow.value).where(notes))).scalars().all()
            await connection.execute(delete(KeyValueRow).where(notes))
        return [Overruled(**json.loads(value)) for value in found]

    async def _apply(
        self, connection: AsyncConnection, decisions: Mapping[int, Decision], moderator: str, chat: ChatKey | None
    ) -> Ruling:
        """Store decisions and note which earlier ones of other moderators they contradict."""
        query = select_corrections().where(CorrectionRow.id.in_(list(decisions)), *in_chat(chat))
        before = [to_correction(row) for row in await connection.execute(query)]
        contradicted = await self._contradicted(connection, before, decisions, moderator, chat)
        grouped: dict[Decision, list[int]] = defaultdict(list)
        for correction in before:
            grouped[decisions[correction.id]].append(correction.id)
        now = self._database.now()
        for (status, ruling), numbers in grouped.items():
            undone = status is ReviewStatus.PENDING
            values = {
                "status": status,
                "ruling": ruling,
                "moderator": None if undone else moderator,
                "moderated": None if undone else now,
                "everywhere": chat is None and not undone,
            }
            await connection.execute(update(CorrectionRow).where(CorrectionRow.id.in_(numbers)).values(values))
        return Ruling(tuple(each.id for each in before), contradicted)

    async def _contradicted(
        self,
        connection: AsyncConnection,
        ruled: Sequence[Correction],
        decisions: Mapping[int, Decision],
        moderator: str,
        chat: ChatKey | None,
    ) -> tuple[Overruled, ...]:
        after: dict[str, str] = {}
        for correction in ruled:
            status, ruling = decisions[correction.id]
            if status in DECIDED:
                after[correction.content_hash] = ruling or correction.label
        rejected = {each.id for each in ruled if decisions[each.id][0] is ReviewStatus.REJECTED}
        found: dict[tuple[str, str], Overruled] = {}
        for earlier in await _opinions(connection, sorted({each.content_hash for each in ruled}), chat):
            if earlier.moderator in {None, moderator} or earlier.status not in DECIDED:
                continue
            label = after.get(earlier.content_hash, "")
            if label != earlier.verdict and (label or earlier.id in rejected):
                told = Overruled(earlier.title, earlier.verdict, label)
                found[str(earlier.moderator), earlier.content_hash] = told
        for (other, song), told in found.items():
            value = json.dumps({"title": told.title, "before": told.before, "after": told.after})
            note = insert_into(connection, KeyValueRow).values(name=overruled(other) + song, value=value)
            again = {"value": note.excluded.value}
            await connection.execute(note.on_conflict_do_update(index_elements=["name"], set_=again))
        return tuple(found.values())


async def _require(connection: AsyncConnection, number: int, chat: ChatKey | None) -> Correction:
    correction = await get_correction(connection, number, chat)
    if correction is None:
        raise RowNotFound(f"There is no correction {number} here.")
    return correction


async def _opinions(connection: AsyncConnection, songs: Sequence[str], chat: ChatKey | None) -> list[Correction]:
    query = select_corrections().where(CorrectionRow.content_hash.in_(songs), *in_chat(chat))
    return [to_correction(row) for row in await connection.execute(query.order_by(CorrectionRow.id))]


async def _link(connection: AsyncConnection, content_hash: str, chat: ChatKey | None) -> str | None:
    """Return the link that a chat gave an answer to the song.

    Administrators see their own chat anyway; others only what its sender lets the bot learn from.
    """
    query = (
        select(ReplyRow.message)
        .join(AnswerRow, AnswerRow.id == ReplyRow.answer_id)
        .where(AnswerRow.content_hash == content_hash)
        .order_by(ReplyRow.created.desc())
        .limit(REPLIES_SEARCHED)
    )
    if chat is None:
        query = query.join(PersonRow, PersonRow.person == ReplyRow.requester).where(PersonRow.may_train.is_(True))
    else:
        query = query.where(ReplyRow.platform == chat.platform, ReplyRow.chat == chat.chat)
    places = (await connection.execute(query)).scalars()
    return next((str(place["link"]) for place in places if place and place.get("link")), None)


async def _agreed(connection: AsyncConnection, label: str, chat: ChatKey | None) -> list[int]:
    verdict = func.coalesce(CorrectionRow.ruling, CorrectionRow.label)
    query = select(
        CorrectionRow.id, CorrectionRow.person, CorrectionRow.content_hash, CorrectionRow.platform,
        CorrectionRow.status, CorrectionRow.label, verdict.label("verdict"),
    ).where(*in_chat(chat)).order_by(CorrectionRow.id)  # fmt: skip
    rows = (await connection.execute(query)).all()
    refused = {row.person for row in rows if row.status == ReviewStatus.REJECTED}
    standing = [row for row in rows if row.status != ReviewStatus.REJECTED]
    leader = people_apart((row.person, row.content_hash, row.label, row.platform) for row in standing)
    given: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in standing:
        # What a moderator or administrator put in place of an opinion shows no agreement.
        said = {leader[row.person]} if row.status != ReviewStatus.RELABELLED else set()
        given[row.content_hash][row.verdict] |= said
    disputed = {song for song, labels in given.items() if len(labels) > 1}
    shared = {song for song, labels in given.items() if song not in disputed and len(*labels.values()) > 1}
    disagreeing = {person for song in disputed for people in given[song].values() for person in people}
    agreeing = {person for song in shared for people in given[song].values() for person in people} - disagreeing
    return [
        row.id
        for row in standing
        if row.status == ReviewStatus.PENDING
        and row.verdict == label
        and row.content_hash not in disputed
        and row.person not in refused
        and (row.content_hash in shared or leader[row.person] in agreeing)
    ]
