"""``dataset build`` and ``merge`` as a person runs them: on songs of our own, on links, on real recordings."""

from __future__ import annotations

import csv
import functools
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from classifier.__main__ import main
from classifier.datasets.table import HEADER, TEXTURE_COLUMNS
from classifier.features.gtzan57 import COLUMNS
from links import fetcher
from tests.conftest import REPOSITORY
from tests.synthesis import song, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHARE_OF_SPREAD = 0.05
"""A column may differ from the public table's by this share of its standard deviation there."""
ACOUSTIC = ("blues", "classical", "country", "jazz")
ELECTRIC = ("disco", "hiphop", "metal", "pop", "reggae", "rock")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    (folder / "Đĩa 1").mkdir()
    write(song("disco", 12), folder / "Đĩa 1" / "một.mp3")
    write(song("blues", 42), folder / "hai.ogg")
    shutil.copyfile(folder / "hai.ogg", folder / "z copy.ogg")
    (folder / "text.mp3").write_text("Never mind.", encoding="utf-8")
    return folder


def test_songs_are_added_once_and_conflicting_labels_are_reported(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.csv"
    assert main(["dataset", "build", "--label", "cai-luong", "--out", str(table), str(music)]) == 1
    captured = capsys.readouterr()
    assert captured.out == f"2 songs were added, 3 rows; {table} has 2 songs.\n"
    assert "text.mp3: This is not a music file that can be read." in captured.err
    assert "1 song was already in the table." in captured.err
    found = rows(table)
    assert list(found[0]) == list(HEADER)
    assert [(row["filename"], row["start"], round(float(row["end"]))) for row in found] == [
        ("hai.0.ogg", "0", 30),
        ("hai.1.ogg", "30", 42),
        ("một.mp3", "0", 12),
    ]
    assert {row["label"] for row in found} == {"cai-luong"}
    assert len({row["song"] for row in found}) == 2
    assert all(np.isfinite(float(row[name])) for row in found for name in COLUMNS)

    before = table.read_bytes()
    assert main(["dataset", "build", "--label", "rock", "--out", str(table), str(music / "hai.ogg")]) == 0
    assert "is already in the table, as hai.0.ogg with the label cai-luong, which was kept." in capsys.readouterr().err
    assert table.read_bytes() == before


def test_a_killed_build_can_be_continued_with_the_same_result(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    for number in range(6):
        write(song("jazz", 31, number), music / f"{number}.wav")
    table, whole = tmp_path / "table.csv", tmp_path / "whole.csv"
    arguments = ["dataset", "build", "--label", "jazz", "--workers", "1", str(music), "--out"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "classifier", *arguments, str(table)]
    with subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and (not table.exists() or len(rows(table)) < 2):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert 0 < len(rows(table)) < 6
    assert main([*arguments, str(table)]) == 0
    assert main([*arguments, str(whole)]) == 0
    assert table.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["music", "table.csv", "whole.csv"]


def test_texture_features_are_optional(music: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    assert main(["dataset", "build", "--label", "a", "--texture", "--out", str(table), str(music / "hai.ogg")]) == 0
    found = rows(table)
    assert list(found[0]) == [*HEADER, *TEXTURE_COLUMNS]
    assert np.std([float(found[0][name]) for name in TEXTURE_COLUMNS]) > 0
    assert main(["dataset", "build", "--label", "a", "--out", str(table), str(music)]) == 2


class _Site(SimpleHTTPRequestHandler):
    asked: list[str]

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - as the library calls it
        pass

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[str]]]:
    """A podcast on this machine, which only a child process without its guard can reach; what was asked of it."""
    folder = tmp_path / "site"
    folder.mkdir()
    write(song("blues", 12), folder / "one.mp3")
    write(song("metal", 12), folder / "two.mp3")
    asked: list[str] = []
    handler = type("Site", (_Site,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder))) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        items = "".join(
            f'<item><title>{name}</title><enclosure url="{address}/{name}.mp3" type="audio/mpeg"/></item>'
            for name in ("one", "two", "gone")
        )
        feed = f'<?xml version="1.0"?><rss version="2.0"><channel><title>Feed</title>{items}</channel></rss>'
        (folder / "feed.xml").write_text(feed, encoding="utf-8")
        monkeypatch.setattr(fetcher, "CHILD", ("-sPB", "-m", "tests.links.unguarded_child"))
        monkeypatch.setattr("links.address.is_outside", lambda _: True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield address, asked
        server.shutdown()


def test_a_list_of_links_is_fetched_once(
    site: tuple[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, asked = site
    left = tmp_path / "tmp"
    left.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(left))
    table = tmp_path / "table.csv"
    arguments = ["dataset", "build", "--label", "podcast", "--out", str(table), f"{address}/feed.xml"]
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert f"{address}/feed.xml: 3 songs." in captured.err
    assert f"{address}/gone.mp3: There is nothing at this link." in captured.err
    assert captured.out.startswith("2 songs were added, 2 rows")
    assert {row["source"] for row in rows(table)} == {f"{address}/one.mp3", f"{address}/two.mp3"}
    assert list(left.iterdir()) == []
    asked.clear()
    assert main(arguments) == 1
    assert "/one.mp3" not in asked
    assert len(rows(table)) == 2
    capsys.readouterr()
    assert main([*arguments[:3], "talk", *arguments[4:]]) == 1
    assert (
        f"{address}/one.mp3: This song is already in the table, as one with the label podcast"
        in capsys.readouterr().err
    )
    assert "/one.mp3" not in asked


def test_usage_errors_are_reported_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "there.csv").write_text("filename,label\n", encoding="utf-8")
    there = str(tmp_path / "there.csv")
    assert main(["dataset", "build", "--label", "x", "--out", there, "x.mp3"]) == 2
    assert "is not a table that `dataset build` wrote" in capsys.readouterr().err
    assert main(["dataset", "build", "--label", "x", "--out", str(tmp_path / "no" / "t.csv"), "x.mp3"]) == 2
    assert "cannot be written: No such file or directory" in capsys.readouterr().err
    assert main(["dataset", "merge", "--out", there, str(tmp_path / "other.csv")]) == 2
    assert "already exists" in capsys.readouterr().err
    assert main(["dataset", "merge", "--out", str(tmp_path / "new.csv"), str(tmp_path / "other.csv")]) == 2
    assert "other.csv cannot be read or written: No such file" in capsys.readouterr().err
    for label in ("", " ", "two\nlines", "x" * 101):
        with pytest.raises(SystemExit):
            main(["dataset", "build", "--label", label, "--out", there, "x.mp3"])


def test_a_table_of_real_recordings_agrees_with_the_public_one_and_trains(shared_data: Path, tmp_path: Path) -> None:
    audio, table = shared_data / "gtzan" / "audio", tmp_path / "table.csv"
    for label, genres in (("acoustic", ACOUSTIC), ("electric", ELECTRIC)):
        patterns = [str(audio / f"{genre}.*") for genre in genres]
        assert main(["dataset", "build", "--label", label, "--out", str(table), *patterns]) == 0
    public = {row["filename"].removesuffix(".wav"): row for row in rows(shared_data / "gtzan" / "features_30_sec.csv")}
    built = rows(table)
    same = [public[row["filename"].removesuffix(".flac")] for row in built]
    assert len(built) == 30
    assert [row["length"] for row in built] == [row["length"] for row in same]
    spread = np.std([[float(row[name]) for name in COLUMNS] for row in public.values()], axis=0)
    ours = np.array([[float(row[name]) for name in COLUMNS] for row in built])
    theirs = np.array([[float(row[name]) for name in COLUMNS] for row in same])
    assert (np.abs(ours - theirs) <= SHARE_OF_SPREAD * spread).all()

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    model.fit(ours, [row["label"] for row in built])
    assert (model.predict(theirs) == model.predict(ours)).all()
    others = [row for name, row in public.items() if row not in same]
    truth = ["acoustic" if row["label"] in ACOUSTIC else "electric" for row in others]
    assert model.score([[float(row[name]) for name in COLUMNS] for row in others], truth) > 0.65
