"""Reports for tests of words and pictures, as long and as undecided as a test asks for."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from classifier.song_report import SegmentReport, SongReport, Tag

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL_GENRES = [
    *("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"),
    *("cailuong", "catru", "chauvan", "cheo", "hatxam"),
]
SEGMENT_SECONDS = 30.0


def make_report(genres: Sequence[str], *, sure: bool = True, last_seconds: float = SEGMENT_SECONDS) -> SongReport:
    """Return a report with one segment per genre given, each answered with that genre."""
    dice = random.Random(len(genres))
    segments = []
    for place, genre in enumerate(genres):
        weights = {name: dice.random() ** 4 for name in ALL_GENRES} | {genre: 1 + 2 * dice.random()}
        probabilities = {name: weight / sum(weights.values()) for name, weight in weights.items()}
        votes = {expert: dice.choice([genre, genre, *ALL_GENRES]) for expert in ("knn", "nn", "svm", "texture")}
        start = SEGMENT_SECONDS * place
        end = start + (last_seconds if place == len(genres) - 1 else SEGMENT_SECONDS)
        segments.append(SegmentReport(start, end, genre, probabilities[genre], probabilities, votes))
    means = {name: sum(s.probabilities[name] for s in segments) / len(segments) for name in ALL_GENRES}
    ranked = dict(sorted(means.items(), key=lambda item: -item[1]))
    answer = next(iter(ranked))
    return SongReport(answer, ranked[answer], sure, "2026-11", segments[-1].end, ranked, tuple(segments))


def as_speech(report: SongReport) -> SongReport:
    """Return a report that tells the same recording as somebody who talks."""
    segments = tuple(
        SegmentReport(part.start, part.end, None, 0.0, {}, {}, None, "speech", 0.02) for part in report.segments
    )
    return SongReport(None, 0.0, False, report.model, report.duration, {}, segments, None, "speech", 0.02)


def as_vpop(report: SongReport) -> SongReport:
    """Return a report that tells the same recording as V-pop, with tags."""
    probabilities = {"vpop": 0.7, "pop": 0.15, "rock": 0.1, "blues": 0.05}
    segments = tuple(
        replace(part, genre="vpop", confidence=0.7, probabilities=probabilities, family="pop")
        for part in report.segments
    )
    tags = (Tag("female vocalists", 0.6), Tag("dance", 0.4))
    return replace(
        report,
        genre="vpop",
        confidence=0.7,
        sure=True,
        probabilities=probabilities,
        segments=segments,
        family="pop",
        tags=tags,
    )


def certain(sure: bool = True, **probabilities: float) -> SongReport:
    """Return a report of one segment with just these probabilities."""
    genre = max(probabilities, key=lambda name: probabilities[name])
    segment = SegmentReport(0.0, 30.0, genre, probabilities[genre], probabilities, {"knn": genre})
    return SongReport(genre, probabilities[genre], sure, "2026-11", 180.0, probabilities, (segment,))
