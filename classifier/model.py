"""A released model: loaded only if its artifact is the one that its manifest vouches for, then asked for songs.

Writing a release is the matter of ``classifier.training.release``.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import joblib
import numpy as np

from classifier.audio import SAMPLE_RATE, segments
from classifier.features.families import families
from classifier.song import Classification, Progress, SegmentFeatures, SegmentReport, SongReport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from classifier.ensemble import Ensemble, Expert

MANIFEST: Final = "manifest.json"
ARTIFACT_SUFFIX: Final = ".joblib"
"""The one file of a release that ends so is its artifact."""
FORMAT: Final = 1
"""Version of the artifact's structure; a release of another one is refused."""


class BadRelease(Exception):
    """A release is missing, incomplete, altered or of another version; the text says which and what to do."""


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
    def load(cls, directory: Path) -> Model:
        """Load a release.

        Parameters
        ----------
        directory
            Holds the manifest and the files that it lists.

        Raises
        ------
        BadRelease
            If a file is missing or is not the one that the manifest was written for.
        """
        manifest = read_manifest(directory)
        while True:
            try:
                content = verified(directory, artifact_of(directory, manifest), manifest)
            except BadRelease:
                # Between the reading of the two, another release may have taken the place of this one.
                before, manifest = manifest, read_manifest(directory)
                if manifest == before:
                    raise
            else:
                break
        # Unpickling runs code: nothing is unpickled that the manifest does not vouch for.
        return cls(manifest["name"], joblib.load(io.BytesIO(content)))

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
            Mono signal at 22,050 Hz, shape (n,), as ``classifier.audio.decode`` gives it.
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


def read_manifest(directory: Path) -> Mapping[str, Any]:
    """Read the manifest of a release.

    Raises
    ------
    BadRelease
        If there is none, or none of this version.
    """
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadRelease(
            f"There is no model in {directory}: train one with `python -m classifier train`, or set MODEL_DIR."
        ) from None
    except (OSError, ValueError) as error:
        raise BadRelease(f"The manifest in {directory} cannot be read. Put the release back as it was.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BadRelease(f"The model in {directory} is of another version. Train it again, or update this program.")
    files = manifest.get("files")
    listed = isinstance(files, dict) and all(isinstance(entry, dict) for entry in files.values())
    if not listed or not isinstance(manifest.get("name"), str):
        raise BadRelease(f"The manifest in {directory} cannot be read. Put the release back as it was.")
    return manifest


def artifact_of(directory: Path, manifest: Mapping[str, Any]) -> str:
    """Name the artifact among the files of a release.

    Raises
    ------
    BadRelease
        If the manifest lists none, or several.
    """
    names = [str(name) for name in manifest["files"] if str(name).endswith(ARTIFACT_SUFFIX)]
    if len(names) != 1 or PurePath(names[0]).name != names[0]:
        raise BadRelease(f"The manifest in {directory} lists no model. Put the release back as it was.")
    return names[0]


def verified(directory: Path, name: str, manifest: Mapping[str, Any]) -> bytes:
    """Read a file of a release and hold it against the manifest's checksum.

    Raises
    ------
    BadRelease
        If it is missing, unlisted or different.
    """
    try:
        content = (directory / name).read_bytes()
    except OSError as error:
        raise BadRelease(f"The model in {directory} lacks {name}. Put the release back as it was.") from error
    if hashlib.sha256(content).hexdigest() != manifest["files"].get(name, {}).get("sha256"):
        raise BadRelease(f"{name} in {directory} is not the file that was released. Put the release back as it was.")
    return content
