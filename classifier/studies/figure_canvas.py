"""Renders figures for light and dark pages as small PNG and WebP images. What they show is in ``plots``."""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import matplotlib as mpl
from matplotlib.figure import Figure
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DOTS_PER_INCH: Final = 120
COLOURS: Final = 128
"""Size of an image's palette, which reduces the file to a third without a visible difference."""


@dataclass(frozen=True)
class Theme:
    """Colours of a page; ``series`` is the Okabe-Ito palette, which is safe for colour-blind readers."""

    name: str
    card: str
    text: str
    quiet: str
    line: str
    series: tuple[str, ...]
    heat: str
    diverging: str


LIGHT: Final = Theme(
    name="light",
    card="#ffffff",
    text="#1b1d24",
    quiet="#565b6a",
    line="#d5d8e0",
    series=("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#b87f00", "#3f97cf", "#6a4fa3", "#8a8f9d"),
    heat="Blues",
    diverging="RdBu",
)
DARK: Final = Theme(
    name="dark",
    card="#1b1d24",
    text="#f2f3f7",
    quiet="#a6abba",
    line="#3b3f4c",
    series=("#ff9a4d", "#56b4e9", "#2bb58d", "#e39ac4", "#f0e442", "#8fd0f5", "#b8a1ec", "#a6abba"),
    heat="cividis",
    diverging="coolwarm",
)
THEMES: Final = (LIGHT, DARK)


@dataclass(frozen=True)
class Picture:
    """A figure in both themes.

    Attributes
    ----------
    name
        Base name of its files.
    title, alt
        Its heading and alternative text.
    light, dark
        PNG images for files.
    light_on_page, dark_on_page
        The same images as lossless WebP, a quarter smaller.
    width, height
        In pixels.
    """

    name: str
    title: str
    alt: str
    light: bytes
    dark: bytes
    light_on_page: bytes
    dark_on_page: bytes
    width: int
    height: int


def draw(
    name: str, title: str, alt: str, size: tuple[float, float], painter: Callable[[Figure, Theme], None]
) -> Picture:
    """Render a figure, its size given in inches, once for each theme."""
    images = []
    for theme in THEMES:
        with _styled(theme):
            figure = Figure(figsize=size, dpi=DOTS_PER_INCH, layout="constrained", facecolor=theme.card)
            painter(figure, theme)
            content = io.BytesIO()
            figure.savefig(content, format="png", facecolor=theme.card)
        images.append(Image.open(content).convert("RGB"))
    width, height = images[0].size
    # MAXCOVERAGE keeps the rare colours at both ends of a colour scale.
    few = [image.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE) for image in images]
    light, dark = (_encoded(image, "PNG", optimize=True) for image in few)
    on_page = [_encoded(image.convert("RGB"), "WEBP", lossless=True, method=4, quality=60) for image in few]
    return Picture(name, title, alt, light, dark, on_page[0], on_page[1], width, height)


def _encoded(image: Image.Image, kind: str, **settings: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, format=kind, **settings)
    return content.getvalue()


@contextmanager
def _styled(theme: Theme) -> Iterator[None]:
    style: dict[str, Any] = {
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "text.color": theme.text,
        "axes.labelcolor": theme.text,
        "axes.edgecolor": theme.line,
        "axes.facecolor": theme.card,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 10,
        # Names of genres and columns must not be parsed as formulas.
        "text.parse_math": False,
        "axes.axisbelow": True,
        "xtick.color": theme.quiet,
        "ytick.color": theme.quiet,
        "xtick.labelcolor": theme.text,
        "ytick.labelcolor": theme.text,
        "grid.color": theme.line,
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "legend.labelcolor": theme.text,
    }
    with mpl.rc_context(cast("Any", style)):
        yield
