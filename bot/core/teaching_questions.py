"""Asks people who agreed to it about the songs that would teach most: near a genre that is half taught, or disputed.

At most one question a day for each person, below the answer to a song that they sent alone.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.core import retraining_state, similar_songs
from storage import LabelStatus, Purpose, Question, VerdictStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from bot.settings import Settings
    from classifier.song_report import SongReport
    from storage import Answer, Reply, SegmentVectors, Storage

TABLE_SECONDS: Final = 600.0
"""How long what is half taught is remembered."""
FEWEST_SONGS: Final = 3
"""From so many songs on a genre can be recognised by ear."""
OTHER_SONGS: Final = 200
"""Songs of other genres that a song is compared with."""
NEIGHBOURS: Final = 3
"""A song is near a genre if one of so many songs that sound most like it is of that genre (benchmarks/asking.py)."""
LACKS_PEOPLE: Final = frozenset({VerdictStatus.WAITS, VerdictStatus.DISPUTED})
"""Songs of these count once more people say the same of them."""
MOST_VOTES: Final = 0.5
"""The experts disagree about a song if none of its genres got more of their votes than this share."""


@dataclass(frozen=True, slots=True)
class HalfTaught:
    """Genres that need more songs, and the songs to compare with.

    Attributes
    ----------
    genres
        Id of the label → recordings there are, and recordings it needs.
    songs
        Content hash → the label, empty for other songs.
    lacking_people
        Content hashes of songs that count only once more people say the same.
    vectors
        Content hash → the segments of the song.
    """

    genres: Mapping[str, tuple[int, int]]
    songs: Mapping[str, str]
    lacking_people: Collection[str]
    vectors: Mapping[str, Sequence[SegmentVectors]]


class TeachingQuestions:
    """Chooses the question for a song.

    Parameters
    ----------
    storage, settings
        As the conversation's.
    clock
        Monotonic seconds.
    """

    def __init__(self, storage: Storage, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._storage = storage
        self._settings = settings
        self._clock = clock
        self._known = HalfTaught({}, {}, (), {})
        self._known_until = 0.0

    async def ask(self, reply: Reply, answer: Answer, report: SongReport, genres: Collection[str]) -> Question | None:
        """Return what to ask a person about the answer to a song, and note that they are asked; None for nothing.

        Nobody is asked on a platform from which nothing may be learnt.

        Parameters
        ----------
        reply
            To the person.
        genres
            Those that the serving release tells.
        """
        person = reply.requester
        if person is None or reply.platform not in self._settings.training_sources or report.genre is None:
            return None
        if not await self._storage.asking.is_due(person):
            return None
        consent = await self._storage.people.consent(person)
        if not consent.may_train or await self._storage.feedback.find(person, answer.content_hash) is not None:
            return None
        question = await self._near(answer, genres) or (Question() if experts_disagree(report) else None)
        if question is None or not await self._storage.asking.note(person, reply.id, question):
            return None
        return question

    async def _near(self, answer: Answer, genres: Collection[str]) -> Question | None:
        known = await self._half_taught(genres)
        label = known.songs.get(answer.content_hash)
        if label:
            return Question(label, *known.genres[label]) if answer.content_hash in known.lacking_people else None
        if not known.genres:
            return None
        vectors = {**known.vectors, answer.content_hash: await self._storage.songs.features(answer.id)}
        close = await asyncio.to_thread(similar_songs.closest, answer.content_hash, vectors, NEIGHBOURS)
        label = near(close, known.songs)
        return None if label is None else Question(label, *known.genres[label])

    async def _half_taught(self, genres: Collection[str]) -> HalfTaught:
        if self._clock() >= self._known_until:
            self._known_until = self._clock() + TABLE_SECONDS
            self._known = await self._load(genres)
        return self._known

    async def _load(self, genres: Collection[str]) -> HalfTaught:
        table = await retraining_state.readiness(self._storage, self._settings)
        needy = {
            each.label: (each.recordings, each.needed_recordings)
            for each in table
            if each.label not in genres and each.missing_recordings
        }
        rules = retraining_state.rules_of(self._settings)
        verdicts = await self._storage.label_aggregation.verdicts(rules)
        mine = [each for each in verdicts.values() if each.purpose is Purpose.TRAIN and each.label in needy]
        if rules.confirms_new:
            # Nobody is asked about a name that strangers made up, before a moderator has confirmed it.
            labels = (await self._storage.labels.get_many(list(needy))).values()
            known = {label.id for label in labels if label.status is LabelStatus.KNOWN}
            known |= {each.label for each in mine if each.reviewed}
            mine = [each for each in mine if each.label in known]
        counted = Counter(each.label for each in mine)
        needy = {label: numbers for label, numbers in needy.items() if counted[label] >= FEWEST_SONGS}
        songs = {each.song: each.label for each in mine if each.label in needy}
        lacking = {each.song for each in mine if each.status in LACKS_PEOPLE}
        if not needy:
            return HalfTaught({}, {}, (), {})
        others = await self._storage.songs.latest(OTHER_SONGS)
        songs |= {song: "" for song in others if song not in songs}
        return HalfTaught(needy, songs, lacking, await self._storage.songs.features_of(list(songs)))


def near(closest: Sequence[str], songs: Mapping[str, str]) -> str | None:
    """Return the half-taught genre that a song is near, by the songs that sound most like it; None for none."""
    counted = Counter(label for song in closest if (label := songs[song]))
    return max(counted, key=lambda label: (counted[label], label), default=None)


def experts_disagree(report: SongReport) -> bool:
    """Tell whether an answer is not sure and no genre got most of the experts' votes."""
    votes = Counter(genre for segment in report.segments for genre in segment.votes.values())
    return not report.sure and votes.total() > 1 and max(votes.values()) <= MOST_VOTES * votes.total()
