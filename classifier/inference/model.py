"""A released model: loaded only if its artifact is the one that its manifest vouches for, then asked for songs.

``classifier.inference.manifest`` reads manifests; ``classifier.training.release_writer`` writes releases.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from classifier.audio.decoding import SAMPLE_RATE
from classifier.audio.segmentation import all_segments
from classifier.features.families import TAGS, families
from classifier.features.musicnn import TAGS as TAG_NAMES
from classifier.features.musicnn import MusiCNN
from classifier.features.musicnn_input import PATCHES
from classifier.inference.artifact_file import read_artifact
from classifier.inference.manifest import (
    ARTIFACT_SUFFIX,
    FORMAT,
    MANIFEST,
    BadRelease,
    artifact_name,
    read_manifest,
    read_release,
    read_verified_file,
)
from classifier.inference.music_detector import SegmentSound, SongSound, SoundKind
from classifier.song_report import Classification, Progress, SegmentFeatures, SegmentReport, SongReport, Tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from classifier.audio.segmentation import Segment
    from classifier.inference.ensemble import Ensemble, Expert, Opinion, StyleGroup
    from classifier.inference.music_detector import MusicDetector

__all__ = [
    "ARTIFACT_SUFFIX",
    "FORMAT",
    "MANIFEST",
    "Artifact",
    "BadRelease",
    "Model",
    "artifact_name",
    "read_manifest",
    "read_verified_file",
]


MOST_TAGS: Final = 4
LEAST_TAG_PROBABILITY: Final = 0.3
"""Tags below it are not told: at this value 26 of 27 were right on forty songs of today."""
CONTRADICTING_PROBABILITY: Final = 0.5
"""A tag that names another genre and is at least this probable makes an answer a guess."""
GENRES_OF_TAGS: Final[Mapping[str, frozenset[str]]] = {
    "jazz": frozenset({"jazz", "blues", "latin"}),
    "metal": frozenset({"metal", "rock"}),
    "heavy metal": frozenset({"metal", "rock"}),
    "country": frozenset({"country", "folk", "blues"}),
    "blues": frozenset({"blues", "rock", "jazz"}),
    "Hip-Hop": frozenset({"hiphop", "rnb", "pop", "reggae", "latin"}),
    "punk": frozenset({"rock", "metal"}),
    "ambient": frozenset({"electronic", "classical"}),
    "House": frozenset({"electronic", "disco", "pop", "zouk"}),
}
"""Tag → families of which it may be true. Tags as common and as vague as 'rock' or 'pop' contradict nothing."""


LONG_SONG_SEGMENTS: Final = 5
PATCHES_OF_LONG_SONG: Final = 3
"""Patches a segment in songs of at least ``LONG_SONG_SEGMENTS``: what one segment lacks the others say, and most of the
network's time is saved where songs are long."""


@dataclass(frozen=True)
class Artifact:
    """What the artifact file holds. Releases of former versions lack the later attributes and have these defaults.

    Attributes
    ----------
    experts
        All that vote.
    ensemble
        Blends the experts' probabilities.
    sure_from
        Least probability from which an answer is told as sure, for classes that are not in ``sure_by_genre``.
    sure_by_genre
        Class → least probability from which an answer of that class is told as sure.
    styles
        Families whose styles can be told apart.
    family_of
        Genre → family, for every genre that is a style; any other is a family.
    network
        Weights of MusiCNN (``classifier.features.musicnn``); None where no expert needs it.
    detector
        Tells music from other sounds; None where everything is taken for music.
    """

    experts: tuple[Expert, ...]
    ensemble: Ensemble
    sure_from: float
    styles: tuple[StyleGroup, ...] = ()
    network: Mapping[str, NDArray[Any]] | None = None
    detector: MusicDetector | None = None
    family_of: Mapping[str, str] = field(default_factory=dict)
    sure_by_genre: Mapping[str, float] = field(default_factory=dict)

    @property
    def genres(self) -> tuple[str, ...]:
        """Every genre that can be answered: the classes, then the styles."""
        return (*self.ensemble.genres, *(style for group in self.styles for style in group.styles))

    def least_sure(self, genre: str) -> float:
        """Return from what probability on an answer of a class is told as sure."""
        known: Mapping[str, float] = getattr(self, "sure_by_genre", {})
        return known.get(genre, self.sure_from)

    def family(self, genre: str) -> str:
        """Return the family of a genre."""
        known: Mapping[str, str] = getattr(self, "family_of", {})
        return known.get(genre, genre)


@dataclass(frozen=True, eq=False)
class GenreAnswer:
    """What the ensemble says of segments: classes, and the styles within them.

    Attributes
    ----------
    classes
        Probability of every class of the ensemble, shape (n, classes).
    styles
        For each style group: probability of each of its expert's genres given the family, shape (n, genres).
    """

    classes: NDArray[np.float64]
    styles: tuple[NDArray[np.float64], ...]

    def averaged(self, weights: NDArray[np.float64]) -> GenreAnswer:
        """Return one answer for all n segments, each counting by its weight."""
        return GenreAnswer(
            np.average(self.classes, axis=0, weights=weights)[None, :],
            tuple(np.average(styles, axis=0, weights=weights)[None, :] for styles in self.styles),
        )


class Model:
    """A release that can be asked.

    Parameters
    ----------
    name
        Of the release.
    artifact
        Its experts and how they are blended.
    """

    def __init__(self, name: str, artifact: Artifact) -> None:
        self.name = name
        self._artifact = artifact

    @classmethod
    def load(cls, directory: Path, manifest: Mapping[str, Any] | None = None) -> Model:
        """Load a release.

        Parameters
        ----------
        directory
            Holds the manifest and the files that it lists.
        manifest
            Of the release to load, which may have given its place to another meanwhile; None loads what is there now.

        Raises
        ------
        BadRelease
            If a file is missing or is not the one that the manifest was written for.
        """
        if manifest is None:
            manifest, content = read_release(directory)
        else:
            content = read_verified_file(directory, artifact_name(directory, manifest), manifest)
        # Unpickling runs code: nothing is unpickled that the manifest does not vouch for.
        return cls(manifest["name"], read_artifact(content))

    @property
    def genres(self) -> tuple[str, ...]:
        """Genres that the release can answer."""
        return self._artifact.genres

    @property
    def experts(self) -> tuple[str, ...]:
        """Names of the experts that vote."""
        return tuple(expert.name for expert in self._artifact.experts)

    @cached_property
    def network(self) -> MusiCNN | None:
        """The network whose numbers some experts look at."""
        return None if self._artifact.network is None else MusiCNN(self._artifact.network)

    def classify(
        self, samples: NDArray[np.float32], on_progress: Callable[[Progress], None] | None = None
    ) -> Classification:
        """Classify a song.

        Parameters
        ----------
        samples
            Mono signal at 22,050 Hz, shape (n,), as ``classifier.audio.decoding.decode`` gives it.
        on_progress
            Told before each segment is listened to.

        Raises
        ------
        SongError
            If the song is too short or silent.
        """
        parts = all_segments(samples)
        patches = PATCHES_OF_LONG_SONG if len(parts) >= LONG_SONG_SEGMENTS else PATCHES
        analysed: list[SegmentFeatures] = []
        for number, part in enumerate(parts, start=1):
            if on_progress is not None:
                on_progress(Progress("listening", number, len(parts)))
            if not part.silent:
                analysed.append(
                    SegmentFeatures(part.start, part.end, families(part.samples, self.network, patches=patches))
                )
        duration = samples.size / SAMPLE_RATE
        report = self.report(analysed, duration, [part for part in parts if part.silent], _seconds(parts))
        return Classification(report, tuple(analysed))

    def report(
        self,
        analysed: Sequence[SegmentFeatures],
        duration: float,
        silent: Sequence[Segment] = (),
        seconds: Sequence[float] | None = None,
    ) -> SongReport:
        """Say what the features of a song's segments mean.

        Parameters
        ----------
        analysed
            The segments that are not silent, at least one.
        duration
            Of the song in seconds.
        silent
            The other segments.
        seconds
            How long each segment of ``analysed`` sounds; None where each does from end to end.
        """
        if seconds is None:
            seconds = [segment.end - segment.start for segment in analysed]
        stored = _stacked(analysed)
        opinions = {expert.name: expert.opinion_of(stored, len(analysed)) for expert in self._artifact.experts}
        answer = self._answer(opinions, stored, len(analysed))
        sounds, song = self._sounds(stored, seconds)
        # Long segments say more of a song than a short remainder; what is not music says nothing.
        weights = np.where(song.answering, seconds, 0) if any(song.answering) else np.asarray(seconds)
        whole_song = answer.averaged(weights)
        chosen, probabilities = told(self._artifact, whole_song, 0)
        music = song.kind is SoundKind.MUSIC
        tags = self._tags(stored, weights) if music else ()
        parts = [*self._segments(analysed, sounds, answer, opinions), *map(_silence, silent)]
        return SongReport(
            genre=chosen if music else None,
            confidence=probabilities[chosen] if music else 0.0,
            sure=music and not song.doubtful and self._is_sure(whole_song, probabilities[chosen], tags),
            model=self.name,
            duration=duration,
            probabilities=probabilities if music else {},
            segments=tuple(sorted(parts, key=lambda part: part.start)),
            family=self._artifact.family(chosen) if music else None,
            kind=str(song.kind),
            music=song.music,
            tags=tags,
        )

    def _answer(
        self, opinions: Mapping[str, Opinion], stored: Mapping[str, NDArray[np.float32]], count: int
    ) -> GenreAnswer:
        styles = tuple(group.expert.opinion_of(stored, count).probabilities for group in self._artifact.styles)
        return GenreAnswer(self._artifact.ensemble.probabilities(opinions), styles)

    def _sounds(
        self, stored: Mapping[str, NDArray[np.float32]], seconds: Sequence[float]
    ) -> tuple[list[SegmentSound], SongSound]:
        detector = self._artifact.detector
        if detector is None or not set(detector.families) <= set(stored):
            sounds = [SegmentSound(SoundKind.MUSIC, 1.0) for _ in seconds]
            return sounds, SongSound(SoundKind.MUSIC, 1.0, doubtful=False, answering=(True,) * len(seconds))
        sounds = detector.judge(stored)
        return sounds, detector.judge_song(sounds, seconds)

    def _is_sure(self, answer: GenreAnswer, confidence: float, tags: Sequence[Tag]) -> bool:
        """Tell whether what is told, a class or a style of it, is probable enough and no tag contradicts it."""
        genre = self._artifact.ensemble.genres[int(answer.classes[0].argmax())]
        family = self._artifact.family(genre)
        contradicted = any(
            tag.probability >= CONTRADICTING_PROBABILITY and family not in GENRES_OF_TAGS.get(tag.tag, {family})
            for tag in tags
        )
        return confidence >= self._artifact.least_sure(genre) and not contradicted

    def _tags(self, stored: Mapping[str, NDArray[np.float32]], weights: NDArray[np.float64]) -> tuple[Tag, ...]:
        if TAGS not in stored or self._artifact.network is None:
            return ()
        means = np.average(stored[TAGS][:, : len(TAG_NAMES)], axis=0, weights=weights)
        best = np.argsort(-means, kind="stable")[:MOST_TAGS]
        return tuple(Tag(TAG_NAMES[tag], float(means[tag])) for tag in best if means[tag] >= LEAST_TAG_PROBABILITY)

    def _segments(
        self,
        analysed: Sequence[SegmentFeatures],
        sounds: Sequence[SegmentSound],
        answer: GenreAnswer,
        opinions: Mapping[str, Opinion],
    ) -> Iterator[SegmentReport]:
        votes = {name: opinion.votes() for name, opinion in opinions.items()}
        for place, (segment, sound) in enumerate(zip(analysed, sounds, strict=True)):
            chosen = {name: genres[place] for name, genres in votes.items()}
            yield self._segment(segment, sound, answer, place, chosen)

    def _segment(
        self,
        segment: SegmentFeatures,
        sound: SegmentSound,
        answer: GenreAnswer,
        place: int,
        votes: Mapping[str, str],
    ) -> SegmentReport:
        if sound.kind is not SoundKind.MUSIC:
            return SegmentReport(segment.start, segment.end, None, 0.0, {}, {}, None, str(sound.kind), sound.music)
        genre, probabilities = told(self._artifact, answer, place)
        family = self._artifact.family(genre)
        return SegmentReport(
            segment.start,
            segment.end,
            genre,
            probabilities[genre],
            probabilities,
            votes,
            family,
            str(sound.kind),
            sound.music,
        )


def told(artifact: Artifact, answer: GenreAnswer, place: int) -> tuple[str, dict[str, float]]:
    """Return the most specific genre that the evidence carries, and the probability of every genre.

    The family comes first. A style that is not told counts for its family.
    """
    probabilities = dict(zip(artifact.ensemble.genres, answer.classes[place].tolist(), strict=True))
    families: dict[str, float] = {}
    for genre, probability in probabilities.items():
        family = artifact.family(genre)
        families[family] = families.get(family, 0.0) + probability
    best = max(families, key=lambda family: families[family])
    chosen = max((genre for genre in probabilities if artifact.family(genre) == best), key=lambda g: probabilities[g])
    for group, styles in zip(artifact.styles, answer.styles, strict=True):
        shares = dict(zip(group.expert.genres, styles[place].tolist(), strict=True))
        likeliest = max(group.styles, key=lambda style: shares[style])
        if group.family == chosen and shares[likeliest] >= group.least:
            total = probabilities[chosen]
            probabilities[likeliest] = total * shares[likeliest]
            probabilities[group.family] = total - probabilities[likeliest]
            chosen = likeliest
    return chosen, dict(sorted(probabilities.items(), key=lambda item: -item[1]))


def _stacked(analysed: Sequence[SegmentFeatures]) -> Mapping[str, NDArray[np.float32]]:
    """Return the families that all segments have, shape (segments, width) each."""
    shared = set.intersection(*(set(segment.families) for segment in analysed))
    return {family: np.stack([segment.families[family] for segment in analysed]) for family in sorted(shared)}


def _seconds(parts: Sequence[Segment]) -> list[float]:
    return [part.sounding_seconds for part in parts if not part.silent]


def _silence(part: Segment) -> SegmentReport:
    return SegmentReport(part.start, part.end, None, 0.0, {}, {}, None, str(SoundKind.SILENCE), 0.0)
