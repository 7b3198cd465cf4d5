"""Links of the documentation lead somewhere, and the files and folders that it names are there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.conftest import REPOSITORY
from tests.docs.pages import broken_links, page_name, page_paths, read_page, slug

if TYPE_CHECKING:
    from pathlib import Path

README_LINES = 150
ROOMS = (
    "bot",
    "classifier",
    "links",
    "storage",
    "common",
    "tests",
    "benchmarks",
    "deploy",
    "docs",
    "models",
    "requirements",
)
_PATH = re.compile(rf"(?:{'|'.join(ROOMS)})/[\w./-]*")
GUIDES = ("chats", "command-line", "operating", "learning", "accuracy", "studies", "architecture", "development")


@pytest.mark.parametrize("path", page_paths(), ids=page_name)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    assert list(broken_links(read_page(path))) == []


@pytest.mark.parametrize("path", [path for path in page_paths() if path.name != "CHANGELOG.md"], ids=page_name)
def test_every_file_and_folder_that_a_page_names_is_there(path: Path) -> None:
    named = [span for span in read_page(path).spans if _PATH.fullmatch(span)]
    assert [name for name in named if not (REPOSITORY / name).exists()] == []


@pytest.mark.parametrize("path", page_paths(), ids=page_name)
def test_every_module_in_a_drawing_is_there(path: Path) -> None:
    drawings = [text for language, text in read_page(path).blocks if language == "mermaid"]
    named = {name.rstrip("/.") for text in drawings for name in _PATH.findall(text)}
    assert sorted(name for name in named if not (REPOSITORY / name).exists()) == []


def test_the_readme_is_short_and_leads_to_every_guide() -> None:
    readme = REPOSITORY / "README.md"
    assert len(readme.read_text("utf-8").splitlines()) <= README_LINES
    linked = {link.partition("#")[0] for link in read_page(readme).links}
    assert {f"docs/{name}.md" for name in GUIDES} <= linked


@pytest.mark.parametrize("name", GUIDES)
def test_every_guide_has_an_example_to_run(name: str) -> None:
    languages = [language for language, _ in read_page(REPOSITORY / "docs" / f"{name}.md").blocks]
    assert "sh" in languages


def test_a_link_that_leads_nowhere_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Only *this* heading\n", "utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        '[a](other.md#only-this-heading) [b](other.md#that) [c](gone.md) <img src="gone.png"> [d](https://example.org)\n',
        "utf-8",
    )
    assert list(broken_links(read_page(page))) == [
        "other.md#that: there is no such heading",
        "gone.md: there is no such file",
        "gone.png: there is no such file",
    ]


def test_anchors_are_those_of_github(tmp_path: Path) -> None:
    assert slug("1,000 songs a day") == "1000-songs-a-day"
    assert slug("On Fly: from `fly launch` to the first song") == "on-fly-from-fly-launch-to-the-first-song"
    assert slug("In Vietnamese: thể loại") == "in-vietnamese-thể-loại"
    page = tmp_path / "twice.md"
    page.write_text("# Twice\n\n## Twice\n", "utf-8")
    assert read_page(page).anchors == {"twice", "twice-1"}
