"""A released model: loaded only if its artifact is the one that its manifest vouches for, then asked for songs.

``classifier.inference.manifest`` reads manifests; ``classifier.training.release_writer`` writes releases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from classifier.audio.decoding import SAMPLE_RATE, segments
from classifier.features.families import families
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
from classifier.song_report import Classification, Progress, SegmentFeatures, SegmentReport, SongReport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from classifier.inference.ensemble import Ensemble, Expert

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


@dataclass(frozen=True)
class Artifact:
    """What the artifact file holds.

    Attributes
    ----------
    experts
        All that vote, the weightless ones too.
    ensemble
        Pools the opinions.
    sure_from
        Least confidence of an answer that is told as sure.
    """

    experts: tuple[Expert, ...]
    ensemble: Ensemble
    sure_from: float


class Model:
    """A release that can be asked.

    Parameters
    ----------
    name
        Of the release.
    artifact
        Its experts and how they are pooled.
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
        """Genres that the release knows."""
        return self._artifact.ensemble.genres

    @property
    def experts(self) -> tuple[str, ...]:
        """Names of the experts that vote."""
        return tuple(expert.name for expert in self._artifact.experts)

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
            If the song is too short.
        """
        parts = segments(samples)
        heard: list[SegmentFeatures] = []
        for number, part in enumerate(parts, start=1):
            if on_progress is not None:
                on_progress(Progress("listening", number, len(parts)))
            heard.append(SegmentFeatures(part.start, part.end, families(part.samples)))
        return Classification(self.report(heard, samples.size / SAMPLE_RATE), tuple(heard))

    def report(self, heard: Sequence[SegmentFeatures], duration: float) -> SongReport:
        """Say what the features of a song's segments mean.

        Parameters
        ----------
        heard
            At least one segment, with every family that an expert looks at.
        duration
            Of the song in seconds.
        """
        opinions = {
            expert.name: expert.opinion(np.stack([segment.families[expert.family] for segment in heard]))
            for expert in self._artifact.experts
        }
        votes = {name: opinion.votes() for name, opinion in opinions.items()}
        by_segment = self._artifact.ensemble.probabilities(opinions)
        # Long segments say more of a song than a short remainder.
        overall = np.average(by_segment, axis=0, weights=[segment.end - segment.start for segment in heard])
        genre, confidence = self._first(overall)
        return SongReport(
            genre=genre,
            confidence=confidence,
            sure=confidence >= self._artifact.sure_from,
            model=self.name,
            duration=duration,
            probabilities=self._ranked(overall),
            segments=tuple(
                SegmentReport(
                    segment.start,
                    segment.end,
                    *self._first(probabilities),
                    self._ranked(probabilities),
                    {name: chosen[place] for name, chosen in votes.items()},
                )
                for place, (segment, probabilities) in enumerate(zip(heard, by_segment, strict=True))
            ),
        )

    def _first(self, probabilities: NDArray[np.float64]) -> tuple[str, float]:
        best = int(probabilities.argmax())
        return self.genres[best], float(probabilities[best])

    def _ranked(self, probabilities: NDArray[np.float64]) -> Mapping[str, float]:
        order = np.argsort(-probabilities, kind="stable")
        return {self.genres[place]: float(probabilities[place]) for place in order}
