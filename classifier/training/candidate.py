"""Makes a candidate: the serving release trained on, judged by the gate, and written down with its card."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from classifier.inference.artifact_file import read_artifact
from classifier.inference.manifest import BadRelease, read_release, read_verified_file
from classifier.training import base_dataset as material_of_base
from classifier.training import experts, gate, release_writer, retrain_card, retraining, training_set
from classifier.training.classes import class_of, is_right
from classifier.training.feedback_reader import recordings_of
from classifier.training.gate import Answers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from classifier.inference.model import Artifact
    from classifier.training.base_dataset import Base
    from classifier.training.feedback_reader import Song
    from classifier.training.gate import Verdict
    from classifier.training.retraining import HeldOut
    from classifier.training.training_set import Criteria


class CannotRetrain(Exception):
    """The serving release cannot be trained on; the text says why and what to do."""


@dataclass(frozen=True, eq=False)
class Serving:
    """The release that serves, with what travels in it.

    Attributes
    ----------
    answers
        What it answered of the base's tracks when they were held out, shape (tracks,); empty where they never were.
    heard
        Key of each song of feedback that it learnt from → what was answered when the song was held out.
    taught
        Genres that it knows from feedback alone.
    """

    name: str
    artifact: Artifact
    base: Base
    base_file: str
    base_content: bytes
    answers: NDArray[np.str_]
    heard: Mapping[str, str]
    taught: frozenset[str] = frozenset()

    @classmethod
    def load(cls, directory: Path) -> Serving:
        """Load it from its folder.

        Raises
        ------
        BadRelease
            If it is not whole, or carries no base material.
        """
        manifest, content = read_release(directory)
        file, packed = material_of_base.find(directory)
        base = material_of_base.unpack(packed)
        answers, heard = base.answers, {}
        if evaluation := manifest.get("evaluation"):
            written = json.loads(read_verified_file(directory, str(evaluation), manifest))
            told, heard = written["answers"], written.get("heard", {})
            if len(told) != len(base.genres):
                raise BadRelease(f"The release in {directory} does not fit its base material. Put it back as it was.")
            answers = np.array(told)
        taught = frozenset(map(str, manifest.get("taught", ())))
        return cls(str(manifest["name"]), read_artifact(content), base, file, packed, answers, heard, taught)


@dataclass(frozen=True, eq=False)
class Candidate:
    """A release that might serve.

    Attributes
    ----------
    files, about
        As ``release.write`` takes them.
    """

    name: str
    artifact: Artifact
    verdict: Verdict
    files: Mapping[str, bytes]
    about: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Split:
    """Songs of feedback by what they are for.

    Attributes
    ----------
    train
        Learnt from, if their label is a class. Each is held out in one trial, so they judge as well.
    judge
        Those that may not train: they only judge.
    aside
        As well, but the same recordings, in other encodings, as some that are learnt from: they judge nothing.
    """

    train: tuple[Song, ...]
    judge: tuple[Song, ...] = ()
    aside: tuple[Song, ...] = ()

    @classmethod
    def of(cls, songs: Sequence[Song]) -> Split:
        """Part the songs."""
        recording = dict(zip((song.id for song in songs), recordings_of(songs).tolist(), strict=True))
        learnt = {recording[song.id] for song in songs if song.may_train}
        parts: dict[str, list[Song]] = {"train": [], "judge": [], "aside": []}
        for song in songs:
            parts["train" if song.may_train else "aside" if recording[song.id] in learnt else "judge"].append(song)
        return cls(*map(tuple, parts.values()))

    def without(self, songs: Collection[tuple[str, str]]) -> Split:
        """Return it without the songs that may train and have these labels and keys."""
        return replace(self, train=tuple(song for song in self.train if (song.label, song.key) not in songs))

    @property
    def counts(self) -> Mapping[str, int]:
        """Label → songs that may train."""
        return dict(sorted(Counter(song.label for song in self.train).items()))

    @property
    def keys(self) -> Mapping[str, list[str]]:
        """Label → keys of the songs that may train."""
        found: dict[str, list[str]] = {}
        for song in self.train:
            found.setdefault(song.label, []).append(song.key)
        return {label: sorted(found[label]) for label in sorted(found)}


def make(
    serving: Serving,
    split: Split,
    settings: Criteria,
    *,
    withdrawn: int = 0,
    jobs: int,
    say: Callable[[str], None],
) -> Candidate:
    """Train a candidate on every song that may train, and let the gate judge it by songs held out.

    Parameters
    ----------
    withdrawn
        As ``gate.judge`` takes it.

    Raises
    ------
    CannotRetrain
        If the release was made in a way that cannot be trained on.
    """
    spaces = experts.spaces_of(serving.artifact.experts)
    base = serving.base
    if not set(base.families) <= set(spaces) or any(
        len(spaces[name].reduce.components_) != matrix.shape[1] for name, matrix in base.families.items()
    ):
        raise CannotRetrain(f"{serving.name} does not fit its base material. Train it again.")
    spaces = {name: spaces[name] for name in base.families}
    material = training_set.assemble(base, split.train, spaces, settings)
    items = len(material.weights) - material.size
    say(f"learning from {material.size} tracks of the base and {items} segments of feedback, {len(base.trials)} times")
    held = retraining.held_out(material, jobs=jobs)
    say("learning from everything")
    strangers = [song for song in split.train if class_of(song.label) not in held.genres]
    known = training_set.known_styles(split.train, held.genres, settings)
    artifact = retraining.finish(material, held, serving.artifact, strangers, known=known, jobs=jobs)
    say(f"asking {serving.name} and the candidate about songs of feedback held out")
    heard = retraining.held_out_answers(material, held, artifact, split.train)
    verdict = _judged(serving, artifact, held, split, heard, withdrawn)
    packed = release_writer.content(artifact)
    name = release_writer.name_of(artifact, packed)
    return Candidate(name, artifact, verdict, *_written(name, packed, artifact, serving, split, held, heard, verdict))


def _judged(
    serving: Serving,
    artifact: Artifact,
    held: HeldOut,
    split: Split,
    heard: Mapping[str, str],
    withdrawn: int,
) -> Verdict:
    base = serving.base
    asked = (base.answers != "") & (serving.answers != "")
    after = held.answers[: len(base.genres)]
    ones = np.ones(len(base.genres))
    on_base, since = (
        Answers(base.genres, before, after, base.groups, ones).only(asked) for before in (serving.answers, base.answers)
    )
    # A song of a label that neither knows is right under no answer: it is told of, but decides nothing.
    judged = [
        song
        for song in (*split.train, *split.judge)
        if class_of(song.label) in artifact.ensemble.genres
        and song.weight > 0
        and (song.id in heard or not song.may_train)
    ]
    new = sorted(set(artifact.genres) - set(serving.artifact.genres))
    # Of what a release learnt from, it is asked for what it said before.
    told = (
        _told(serving.artifact, judged, {song.id: serving.heard.get(song.key, "") for song in judged}),
        _told(artifact, judged, heard),
    )
    compared = comparison(judged, *told, exact=new)
    taught = serving.taught | set(new)
    exact = comparison(judged, *told, exact=taught).only(np.isin(compared.truth, sorted(taught)))
    return gate.judge(on_base, since, compared, new, taught=exact, withdrawn=withdrawn)


def _told(artifact: Artifact, songs: Sequence[Song], heard: Mapping[str, str]) -> list[str]:
    """Return what a release told of songs when they were held out, and of the others what it tells now."""
    return [heard.get(song.id) or now for song, now in zip(songs, retraining.answers(artifact, songs), strict=True)]


def comparison(
    songs: Sequence[Song], before: Sequence[str], after: Sequence[str], *, exact: Collection[str]
) -> Answers:
    """Return what two releases told of songs; the family of a style is right, too, but for labels in ``exact``."""
    labels = [song.label for song in songs]

    def counted(told: Sequence[str]) -> NDArray[np.str_]:
        pairs = zip(told, labels, strict=True)
        return np.array([label if label not in exact and is_right(one, label) else one for one, label in pairs], str)

    weights = np.array([song.weight for song in songs])
    return Answers(np.array(labels, dtype=str), counted(before), counted(after), recordings_of(songs), weights)


def _written(
    name: str,
    packed: bytes,
    artifact: Artifact,
    serving: Serving,
    split: Split,
    held: HeldOut,
    heard: Mapping[str, str],
    verdict: Verdict,
) -> tuple[Mapping[str, bytes], Mapping[str, Any]]:
    """Return the files of a candidate, each under a name that no other release has for something else."""
    base = serving.base
    evaluation = {
        "against": serving.name,
        "differences": [
            found.as_dict() for found in (verdict.base, verdict.first, verdict.feedback, *verdict.by_genre)
        ],
        "not_sure": retrain_card.not_sure(serving.artifact, artifact, split.judge),
        "answers": held.answers[: len(base.genres)].tolist(),
        "heard": {song.key: heard[song.id] for song in split.train if song.id in heard},
    }
    trained_on = {genre: int((base.genres == genre).sum()) for genre in artifact.ensemble.genres}
    learnt = Counter(song.label for song in split.train)
    made = datetime.now(UTC).isoformat(timespec="seconds")
    about = {
        "made": made,
        "trained_on": trained_on,
        "feedback": dict(split.counts),
        "songs": dict(split.keys),
        "taught": sorted((serving.taught | set(artifact.genres) - set(serving.artifact.genres)) & set(artifact.genres)),
        "figures": {"base": _rounded(verdict.base.after), "feedback": _rounded(verdict.feedback.after)},
        "gate": {"passed": verdict.passed, "against": serving.name, "reasons": list(verdict.reasons)},
        "evaluation": f"{name}.json",
    }
    card = retrain_card.markdown(name, serving.name, artifact, made, trained_on, learnt, verdict, evaluation)
    files = {
        release_writer.file_of(name): packed,
        serving.base_file: serving.base_content,
        f"{name}.json": (json.dumps(evaluation, indent=1, ensure_ascii=False) + "\n").encode(),
        f"{name}.md": card.encode(),
    }
    return files, about


def _rounded(share: float) -> float | None:
    return None if np.isnan(share) else round(share, 4)
