"""Runs the learning loop once: corrections of genres that the first model does not know train the next one.

``python benchmarks/loop.py [--data ../shared/data]`` trains a release of ten genres from GTZAN, without the 290 songs
of the fault-filtered test part, and without anything Vietnamese. People then send traditional Vietnamese songs to the
bot and correct its answers: two recordings as audio, and clips of the mel set, for which mel spectrograms replace the
audio. Their corrections are exported and piped into ``retrain``, whose gate decides. It prints the answers of the
releases before and after to songs that neither was trained on.

The mel set covers the loudest 40 dB only, so its clips have no wide texture, and the export leaves that family out.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from bot.core.identity import IdHasher, Person  # noqa: E402  found only now
from bot.settings import Settings  # noqa: E402
from classifier.audio.decoding import decode, segments  # noqa: E402
from classifier.features.families import GTZAN57, MEL_FAMILIES, TEXTURE, families  # noqa: E402
from classifier.inference.model import Model  # noqa: E402
from classifier.song_report import Classification, Progress, SegmentFeatures  # noqa: E402
from classifier.training import data_loading, splits  # noqa: E402
from classifier.training.augmentation import normalised  # noqa: E402
from classifier.training.candidate import Serving  # noqa: E402
from classifier.training.feedback_reader import Song  # noqa: E402
from classifier.training.retraining import ask  # noqa: E402
from storage import Storage  # noqa: E402
from tests.bot.fake_classifier import EarAtHand  # noqa: E402
from tests.bot.recording_chat import Notebook  # noqa: E402
from tests.bot.running import Bot  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from classifier.inference.model import Artifact
    from classifier.training.data_loading import Track

VIETNAMESE = ("cailuong", "catru", "chauvan", "cheo", "hatxam")
TEST_BLOCKS = 5
"""Every fifth block of neighbouring clips is for testing; it and its neighbours are never used as feedback."""
CLIPS_PER_GENRE = 40
FED_SONGS = 2
"""Two of the four Vietnamese songs from other sources; the others are for testing."""
PEOPLE = 40
OPINIONS_PER_SONG = 2
SEGMENT_SECONDS = 30.0
LONGEST_SECONDS = 900


class PictureEar(EarAtHand):
    """A classifier in this process with a real release: audio by the real path, or mel spectrograms without audio."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self._model = model
        self.release = model.name
        self.genres = model.genres  # type: ignore[assignment]  # the tests' fake classifier knows five

    async def classify(self, path: Path, *, on_progress: Callable[[Progress], None] | None = None) -> Classification:
        """Answer a song."""
        if on_progress is not None:
            on_progress(Progress("decoding"))
        if path.suffix != ".npy":
            return await asyncio.to_thread(self._listen, path)
        picture = np.load(path, allow_pickle=False)
        heard = SegmentFeatures(0, SEGMENT_SECONDS, features_of(picture))
        report = self._model.report([heard], SEGMENT_SECONDS)
        # The wide texture of a 40 dB spectrogram would only identify such spectrograms, so it is not stored.
        kept = {name: vector for name, vector in heard.families.items() if name != TEXTURE}
        return Classification(report, (SegmentFeatures(0, SEGMENT_SECONDS, kept),))

    def _listen(self, path: Path) -> Classification:
        return self._model.classify(decode(path, max_seconds=LONGEST_SECONDS))


def features_of(picture: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Compute the features that a mel spectrogram allows; the 57, which retrained experts do not use, stay zero."""
    textures = {name: compute(normalised(picture)) for name, compute in MEL_FAMILIES.items()}
    return {GTZAN57: np.zeros(57, dtype=np.float32), **textures}


def train_first(data: Path, out: Path) -> None:
    """Train the release of ten genres, without the test part of the fault-filtered split."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "gtzan")
        folder.mkdir()
        for table in ("features_30_sec.csv", "splits.csv"):
            (folder / table).symlink_to(data / "gtzan" / table)
        with (data / "gtzan" / "splits.csv").open(encoding="utf-8", newline="") as file:
            held_out = {row["track"] for row in csv.DictReader(file) if row["fault_filtered"] == "test"}
        with np.load(data / "gtzan" / "mel.npz") as content:
            kept = ~np.isin(content["track"], list(held_out))
            np.savez(folder / "mel.npz", **{key: content[key][kept] for key in ("track", "level", "floor_db")})
        train = [sys.executable, "-m", "classifier", "train", "--no-evaluate", "--data", name, "--out", str(out)]
        subprocess.run(train, cwd=REPOSITORY, check=True)


def parts(tracks: Sequence[Track]) -> tuple[list[Track], list[Track], list[Track]]:
    """Return Vietnamese clips for feedback, clips for testing, and GTZAN songs for testing."""
    trial = splits.blocks(tracks, folds=TEST_BLOCKS)[0]
    may_train = set(trial.train.tolist())
    by_genre: dict[str, list[Track]] = defaultdict(list)
    for place, track in enumerate(tracks):
        if track.block is not None and place in may_train:
            by_genre[track.genre].append(track)
    draw = np.random.default_rng(0)
    fed = [
        mine[place]
        for _, mine in sorted(by_genre.items())
        for place in sorted(draw.choice(len(mine), CLIPS_PER_GENRE, replace=False))
    ]
    tested = [tracks[place] for place in trial.test]
    return fed, tested, [track for track in tracks if track.splits.get("fault_filtered") == "test"]


async def corrections(model: Model, songs: Sequence[tuple[Path, str]], folder: Path, database: str) -> None:
    """Send songs to the bot one by one, and let consenting people correct every answer."""
    people = [Person("telegram", f"person {number}") for number in range(PEOPLE)]
    settings = Settings(data_dir=folder / "data", songs_per_person_queued=1000, songs_per_person_daily=1000)
    notebook = Notebook()
    async with await Storage.open(database) as storage:
        bot = Bot(storage, IdHasher(b"known to this benchmark alone"), settings, PictureEar(model), folder / "work")
        bot.with_chat(notebook)
        await bot.start()
        for person in people:
            await bot.conversation.privacy.set_consent(person, "en", allow=True)
        for number, (path, genre) in enumerate(songs):
            await bot.conversation.submit(notebook.sends(path, who=f"person {number % PEOPLE}"))
            await notebook.until(lambda name=path.name: notebook.answers[name])
            reply = notebook.answers[path.name][0].reply.id
            for opinion in range(OPINIONS_PER_SONG):
                person = people[(number + opinion * (PEOPLE // OPINIONS_PER_SONG)) % PEOPLE]
                await bot.conversation.correct(reply, person, "en", genre)
        await bot.queue.stop()


def retrain(models: Path, database: str) -> int:
    """Run the export-and-retrain pipeline as a scheduler would; return its exit status."""
    export = [sys.executable, "-m", "storage", "export", "--for-training", "--format", "csv", "--out", "-"]
    train = [sys.executable, "-m", "classifier", "retrain", "--feedback", "-", "--if-enough", "--models", str(models)]
    environment = {**os.environ, "DATABASE_URL": database}
    with subprocess.Popen(export, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE) as exporting:
        return subprocess.run(train, cwd=REPOSITORY, stdin=exporting.stdout, check=False).returncode


def of_tracks(tracks: Iterable[Track]) -> list[Song]:
    """Return tracks to test, with their texture features."""
    return [_song(track.name, track.genre, [_textures(track)]) for track in tracks]


def _textures(track: Track) -> dict[str, NDArray[np.float32]]:
    names = track.families & MEL_FAMILIES.keys()
    return {name: MEL_FAMILIES[name](normalised(track.decibels)) for name in names}


def of_files(files: Iterable[Path], genre: Callable[[Path], str]) -> list[Song]:
    """Return recordings to test, with features computed from the files."""
    songs = []
    for path in files:
        parts = [families(part.samples) for part in segments(decode(path, max_seconds=LONGEST_SECONDS))]
        songs.append(_song(path.name, genre(path), parts))
    return songs


def _song(name: str, genre: str, parts: Sequence[Mapping[str, NDArray[np.float32]]]) -> Song:
    rows = {
        family: np.stack([part[family] for part in parts]).astype(np.float16)
        for family in MEL_FAMILIES
        if family in parts[0]
    }
    return Song(name, genre, 1.0, False, 0, True, 0, np.full(len(parts), SEGMENT_SECONDS), rows)


def answers(artifact: Artifact, songs: Sequence[Song]) -> list[str]:
    """Return a release's answer."""
    told = ask(artifact, songs).argmax(axis=1)
    return [artifact.ensemble.genres[place] for place in told]


def show(what: str, songs: Sequence[Song], before: Sequence[str], after: Sequence[str]) -> None:
    """Print right answers per genre, before and after, and how many were called Vietnamese."""
    print(f"\n{what}")
    genres = sorted({song.label for song in songs})
    for genre in [*genres, "all"] if len(genres) > 1 else genres:
        places = [place for place, song in enumerate(songs) if genre in {song.label, "all"}]
        counts = [sum(told[place] == songs[place].label for place in places) for told in (before, after)]
        called = sum(after[place] in VIETNAMESE for place in places)
        shares = " → ".join(f"{count / len(places):.3f}" for count in counts)
        print(f"  {genre:<12} {len(places):4d} songs  right {shares}   called Vietnamese now {called}")


def named(path: Path) -> str:
    """Return the genre at the end of a file's name; None for music of another kind."""
    ending = path.stem.casefold().replace("_", "-").rpartition("-")[2]
    return ending if ending in VIETNAMESE else "instrument"


def songs_to_send(data: Path, fed: Sequence[Track], folder: Path) -> list[tuple[Path, str]]:
    """Return what people send and the genres they will choose: two recordings, and clips as spectrograms."""
    sent = [(path, named(path)) for path in vietnamese_songs(data)[:FED_SONGS]]
    folder.mkdir()
    for number, track in enumerate(fed):
        np.save(folder / f"{number:04}.npy", track.decibels)
        sent.append((folder / f"{number:04}.npy", track.genre))
    return sent


def vietnamese_songs(data: Path) -> list[Path]:
    """Return the recordings whose names contain their genre."""
    return [path for path in sorted((data / "vietnamese" / "audio").iterdir()) if named(path) in VIETNAMESE]


def compare(before: Artifact, after: Artifact, data: Path) -> None:
    """Print both releases' answers to songs that neither was trained on."""
    _, clips, gtzan = parts(splits.usable(data_loading.load(data, today=False)))
    fed = vietnamese_songs(data)[:FED_SONGS]
    rest = [path for path in sorted((data / "vietnamese" / "audio").iterdir()) if path not in fed]
    others = sorted((data / "other" / "audio").iterdir())
    for what, heard in (
        ("GTZAN, the fault-filtered test part: in neither training", of_tracks(gtzan)),
        ("Vietnamese clips of blocks that were not fed", of_tracks(clips)),
        ("Vietnamese recordings from other sources, not fed", of_files(rest, named)),
        ("V-pop and zouk: everything Vietnamese is a false alarm", of_files(others, lambda _: "other")),
    ):
        show(what, heard, answers(before, heard), answers(after, heard))


def main() -> int:
    """Print the figures; return the exit status of ``retrain``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", metavar="DIR")
    parser.add_argument("--first", type=Path, metavar="DIR", help="the first release: trained into it if it is new")
    arguments = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = arguments.first or folder / "first"
        if not (first / "manifest.json").exists():
            train_first(arguments.data, first)
        models = folder / "models"
        shutil.copytree(first, models)
        before = Serving.load(models)
        fed, _, _ = parts(splits.usable(data_loading.load(arguments.data, today=False)))
        sent = songs_to_send(arguments.data, fed, folder / "pictures")
        print(f"{before.name} knows {', '.join(before.artifact.ensemble.genres)}")
        print(f"people send and correct {len(sent)} songs", flush=True)
        database = f"sqlite:///{folder / 'songs.db'}"
        asyncio.run(corrections(Model(before.name, before.artifact), sent, folder, database))
        status = retrain(models, database)
        after = Serving.load(models)
        print(f"retrain ended with status {status}; {after.name} serves, {time.monotonic() - begun:.0f} s in all")
        compare(before.artifact, after.artifact, arguments.data)
        list_them = [sys.executable, "-m", "classifier", "releases", "--models", str(models)]
        subprocess.run(list_them, cwd=REPOSITORY, check=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
