"""Reads the Markdown pages of the repository: links, anchors, code spans and code blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from markdown_it.token import Token

FOLDERS = ("docs", "models", ".github")
_HTML_LINK = re.compile(r'\b(?:src|href)="([^"]+)"')
_NOT_IN_SLUG = re.compile(r"[^\w\- ]")


@dataclass
class Page:
    """A parsed page.

    Attributes
    ----------
    path
        The file.
    links
        Targets of links and images, as they are written.
    anchors
        Names of the headings, as GitHub makes them.
    spans
        Texts of code spans.
    blocks
        Code blocks: language and text.
    """

    path: Path
    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    spans: list[str] = field(default_factory=list)
    blocks: list[tuple[str, str]] = field(default_factory=list)


def page_paths() -> list[Path]:
    """Return every Markdown file that people read, in a fixed order."""
    found = [*REPOSITORY.glob("*.md"), *(path for name in FOLDERS for path in (REPOSITORY / name).rglob("*.md"))]
    return sorted(found)


def page_name(path: Path) -> str:
    """Return a page's path from the repository's root, for test names and messages."""
    return path.relative_to(REPOSITORY).as_posix()


@cache
def read_page(path: Path) -> Page:
    """Parse a page."""
    page = Page(path)
    tokens = MarkdownIt("commonmark").enable("table").parse(path.read_text("utf-8"))
    for number, token in enumerate(tokens):
        if token.type == "fence":
            page.blocks.append((token.info.strip(), token.content))
        elif token.type == "html_block":
            page.links += _HTML_LINK.findall(token.content)
        elif token.type == "heading_open":
            page.anchors.add(_unused_slug(_text_of(tokens[number + 1]), page.anchors))
        for child in token.children or ():
            _read_inline(child, page)
    return page


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    return _NOT_IN_SLUG.sub("", heading.strip().lower()).replace(" ", "-")


def broken_links(page: Page) -> Iterator[str]:
    """Yield a sentence for each relative link that leads nowhere; links to other sites are not followed."""
    for link in page.links:
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.path.parent / name).resolve() if name else page.path
        if not target.exists():
            yield f"{link}: there is no such file"
        elif anchor and target.suffix == ".md" and anchor not in read_page(target).anchors:
            yield f"{link}: there is no such heading"


def _unused_slug(heading: str, taken: set[str]) -> str:
    first = name = slug(heading)
    number = 0
    while name in taken:
        number += 1
        name = f"{first}-{number}"
    return name


def _text_of(inline: Token) -> str:
    return "".join(child.content for child in inline.children or () if child.type in {"text", "code_inline"})


def _read_inline(token: Token, page: Page) -> None:
    if token.type == "link_open":
        page.links.append(str(token.attrs["href"]))
    elif token.type == "image":
        page.links.append(str(token.attrs["src"]))
    elif token.type == "code_inline":
        page.spans.append(token.content)
    elif token.type == "html_inline":
        page.links += _HTML_LINK.findall(token.content)
