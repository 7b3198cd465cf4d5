"""The command from end to end: one's own table, the shipped studies in small, a kill, and the page in a browser."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import sync_playwright

from classifier.__main__ import main
from classifier.studies import config
from tests.classifier.studies.conftest import GENRES, SONGS, rows, write
from tests.conftest import REPOSITORY
from tests.needs import lacking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

PLAIN = ["--label", "genre", "--ignore", "piece", "--quick", "--jobs", "1"]
HOSTILE = "<script>alert(1)</script> $x^$ {y}"


def study(*arguments: str | Path) -> int:
    return main(["study", *map(str, arguments)])


def figures(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "figures.json").read_text("utf-8"))
    return content


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Study a table of one's own, one of whose genres has a hostile name."""
    folder = tmp_path_factory.mktemp("own")
    content = [{**row, "genre": HOSTILE if row["genre"] == "pop" else row["genre"]} for row in rows()]
    table = write(folder / "mine.csv", content)
    assert study("--table", table, *PLAIN, "--times", "--out", folder / "out") == 0
    return folder / "out"


class TestOwnTable:
    def test_the_leak_shows(self, own: Path) -> None:
        (section,) = figures(own)["sections"]
        accuracy = {(one["model"], one["protocol"]): one["accuracy"] for one in section["figures"]}
        assert {protocol for _, protocol in accuracy} == {"rows", "songs"}
        # Any piece is known by its neighbours, and what genre a new song has can only be guessed.
        assert accuracy["KNN", "rows"] == 1
        assert accuracy["KNN", "songs"] < 0.7

    def test_songs_vote_and_are_counted(self, own: Path) -> None:
        (section,) = figures(own)["sections"]
        for one in section["figures"]:
            assert one["songs"] == (None if one["protocol"] == "rows" else len(GENRES) * SONGS)

    def test_files_are_written_beside_the_page(self, own: Path) -> None:
        with (own / "figures.csv").open(encoding="utf-8", newline="") as file:
            assert [row["model"] for row in csv.DictReader(file)].count("SVM") == 2
        assert {"figures.json", "confusion.csv", "statistics.csv", "times.csv"} <= {path.name for path in own.iterdir()}
        for picture in ("gap", "gap-dark", "pca", "variance", "correlation", "confusion-2-knn", "times-dark"):
            assert (own / "plots" / f"{picture}.png").read_bytes().startswith(b"\x89PNG")

    def test_the_page_explains_the_leak_and_missing_scores(self, own: Path) -> None:
        page = (own / "report.html").read_text("utf-8")
        assert "Imagine a listening test." in page
        assert "so there is no score to compare with" in page
        assert "A quick run:" in page

    def test_a_table_without_song_groups_has_a_warning(self, tmp_path: Path) -> None:
        content = [{key: value for key, value in row.items() if key != "song"} for row in rows()]
        table = write(tmp_path / "mine.csv", content)
        assert study("--table", table, *PLAIN, "--out", tmp_path / "out") == 0
        assert "Name the column that identifies songs with --group" in (tmp_path / "out" / "report.html").read_text()
        assert {one["protocol"] for one in figures(tmp_path / "out")["sections"][0]["figures"]} == {"rows"}

    def test_another_table_replaces_a_missing_one(self, table: Path, tmp_path: Path) -> None:
        assert study("project4", "--table", table, *PLAIN, "--out", tmp_path / "out") == 0
        found = figures(tmp_path / "out")
        assert found["table"]["genres"] == list(GENRES)
        assert found["ours"] == []
        remarks = [section["remark"] for section in found["sections"][1:]]
        assert remarks == [
            f"The table does not have {pair}, so it is omitted."
            for pair in ("Pop / Folk", "Hip-Hop / Rock", "Instrumental / International", "Electronic / Experimental")
        ]


class TestSameSeedsSamePage:
    def test_repeated_and_continued_runs_give_the_same_bytes(self, small: Path, tmp_path: Path) -> None:
        first, second = tmp_path / "first", tmp_path / "second"
        for out in (first, second):
            assert study(small, "--jobs", "1", "--out", out) == 0
        for name in ("report.html", "figures.json", "figures.csv", "plots/gap.png", "plots/pca-dark.png"):
            assert (first / name).read_bytes() == (second / name).read_bytes()
        before = (first / "report.html").read_bytes()
        for step in sorted((first / "steps").iterdir())[::2]:
            step.unlink()
        assert study(small, "--jobs", "1", "--out", first) == 0
        assert (first / "report.html").read_bytes() == before

    def test_a_killed_study_is_continued(self, small: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        command = [sys.executable, "-m", "classifier", "study", str(small), "--jobs", "1", "--out", str(out)]
        with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL) as run:
            while run.poll() is None and len(list((out / "steps").glob("*.step"))) < 3:
                time.sleep(0.01)
            run.send_signal(signal.SIGKILL)
        kept = {path: path.stat().st_mtime_ns for path in (out / "steps").glob("*.step")}
        assert len(kept) >= 3
        assert study(small, "--jobs", "1", "--out", out) == 0
        assert {path: path.stat().st_mtime_ns for path in kept} == kept
        assert (out / "report.html").is_file()


class TestShippedStudies:
    """In small: a few songs and settings. That figures come out as printed is seen in the whole, and told there."""

    def test_project4_classifies_pairs(self, shared_data: Path, tmp_path: Path) -> None:
        assert study("project4", "--data", shared_data, "--quick", "--jobs", "1", "--out", tmp_path) == 0
        found = figures(tmp_path)
        assert len(found["table"]["features"]) == 29
        titles = [
            "All genres",
            "Pop / Folk",
            "Hip-Hop / Rock",
            "Instrumental / International",
            "Electronic / Experimental",
        ]
        assert [section["title"] for section in found["sections"]] == titles
        assert found["sections"][2]["remark"] == ""
        assert found["sections"][1]["remark"].startswith("pop / country is used instead of Pop / Folk")
        main_figures = {(one["model"], one["protocol"]): one for one in found["sections"][0]["figures"]}
        assert main_figures["KNN", "rows"]["accuracy"] > main_figures["KNN", "artists"]["accuracy"] + 0.2
        ours = {one["protocol"]: one for one in found["ours"]}
        assert ours["artists"]["of"] == 693, "the songs whose taggrams are published"
        assert "without the artists of that fold" in ours["artists"]["about"]

    def test_echonest_balances_and_cross_validates(self, shared_data: Path, tmp_path: Path) -> None:
        assert study("echonest", "--data", shared_data, "--quick", "--jobs", "1", "--out", tmp_path) == 0
        found = figures(tmp_path)
        balanced = found["sections"][1]
        of = {one["genre"]: one["rows"] for one in balanced["figures"][0]["genres"]}
        assert len(set(of.values())) == 1
        assert len(found["cross_validation"]) == 2
        assert found["ours"] == []
        assert "bias.png" in {path.name for path in (tmp_path / "plots").iterdir()}

    def test_hust_stacks_its_network(self, shared_data: Path, tmp_path: Path) -> None:
        # One protocol and a few songs: a network costs seconds to come into the world.
        content = config.BUNDLED_STUDIES.joinpath("hust.toml").read_text("utf-8")
        content = (
            re.sub(r"(?m)^(splits|group) = .*$", "", content).replace("plots", "#").replace("hust", "hust-small", 1)
        )
        (tmp_path / "small.toml").write_text(content, "utf-8")
        data: list[str | Path] = ["--data", shared_data, "--quick", "--jobs", "1"]
        assert study(tmp_path / "small.toml", *data, "--out", tmp_path / "out") == 0
        models = {one["model"]: one for one in figures(tmp_path / "out")["sections"][0]["figures"]}
        assert list(models) == [
            f"{model}, {stage}" for stage in ("before", "after") for model in ("KNN", "SVM", "Network", "Stacking")
        ]
        assert models["Network, before"]["confusion"] == models["Network, after"]["confusion"]
        assert models["Stacking, after"]["accuracy"] > 0.2


class TestWrongUsage:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ([], "Name a study, or your own table with --table; --help lists the studies."),
            (["hast"], "There is no study hast: name one of audionome, echonest, hust, project4, or a TOML file."),
            (["hust", "--label", "genre"], "--label describes your own table; name it with --table."),
            (["--table", "none.csv"], "none.csv cannot be read: No such file or directory."),
        ],
    )
    def test_is_reported_in_one_sentence(
        self, arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert study(*arguments, "--out", tmp_path) == 2
        assert capsys.readouterr().err == f"{said}\n"

    def test_an_unwritable_folder_is_reported_before_the_work(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "file").touch()
        assert study("hust", "--out", tmp_path / "file" / "out") == 2
        assert capsys.readouterr().err == f"Nothing can be written to {tmp_path / 'file' / 'out'}: Not a directory.\n"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        lacking("Chromium (Debian: chromium)")
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=sandbox)
        yield browser
        browser.close()


class TestPage:
    @pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
    def test_is_readable_in_both_themes_wide_and_narrow(
        self, scheme: Any, width: int, own: Path, browser: Browser
    ) -> None:
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
        wrong: list[str] = []
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: wrong.append(request.url) if request.url.startswith("http") else None)
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.goto((own / "report.html").as_uri())
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        page.evaluate("document.querySelectorAll('img').forEach((one) => { one.loading = 'eager'; })")
        page.wait_for_function("[...document.images].every((one) => one.complete && one.naturalWidth > 500)")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        drawn = page.evaluate("[...document.images].map((one) => one.currentSrc)")
        meant = "one.parentElement.querySelector('source').srcset" if scheme == "dark" else "one.src"
        assert drawn == page.evaluate(f"[...document.images].map((one) => {meant})")
        assert len(set(drawn)) == len(drawn)
        assert wrong == []
        page.close()

    def test_tables_can_be_sorted_and_files_downloaded(self, own: Path, browser: Browser) -> None:
        page = browser.new_page()
        page.goto((own / "report.html").as_uri())
        table = page.locator("table").first
        button = table.get_by_role("button", name="songs apart, rows")

        def column() -> list[float]:
            cells = table.locator("tbody tr td:nth-of-type(2)").all_inner_texts()
            return [float(cell.split()[0].removesuffix("%")) for cell in cells]

        button.click()
        assert column() == sorted(column())
        button.click()
        assert column() == sorted(column(), reverse=True)
        with page.expect_download() as download:
            page.get_by_role("link", name="figures.csv").click()
        assert download.value.path().read_bytes() == (own / "figures.csv").read_bytes()
        page.close()
