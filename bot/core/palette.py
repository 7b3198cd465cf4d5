"""Colours of the pictures, in light and in dark.

The genre colours are Okabe and Ito's, which people with any colour vision tell apart (https://jfly.uni-koeln.de/color/);
they always appear beside a name, never alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
Colour = tuple[int, int, int]

BLACK: Colour = (17, 18, 22)
WHITE: Colour = (255, 255, 255)


def _rgb(code: str) -> Colour:
    return int(code[0:2], 16), int(code[2:4], 16), int(code[4:6], 16)


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one theme; ``genres`` in the order in which a picture uses them, ``other`` for all further ones."""

    background: Colour
    track: Colour
    line: Colour
    text: Colour
    quiet: Colour
    genres: tuple[Colour, ...]
    other: Colour


PALETTES: dict[Theme, Palette] = {
    "light": Palette(
        background=_rgb("ffffff"),
        track=_rgb("f1f2f6"),
        line=_rgb("d5d8e0"),
        text=_rgb("1b1d24"),
        quiet=_rgb("5b6070"),
        genres=tuple(map(_rgb, ("0072b2", "d55e00", "009e73", "cc79a7", "e69f00", "56b4e9"))),
        other=_rgb("8a8f9d"),
    ),
    "dark": Palette(
        background=_rgb("1b1d24"),
        track=_rgb("272a34"),
        line=_rgb("3b3f4c"),
        text=_rgb("f2f3f7"),
        quiet=_rgb("a6abba"),
        genres=tuple(map(_rgb, ("56b4e9", "e69f00", "2bb58d", "cc79a7", "f0e442", "e8743b"))),
        other=_rgb("7d8292"),
    ),
}


def mix(colour: Colour, ground: Colour, share: float) -> Colour:
    """Return ``share`` of a colour over a ground, as if it were that opaque."""
    red, green, blue = (round(share * c + (1 - share) * g) for c, g in zip(colour, ground, strict=True))
    return red, green, blue


def luminance(colour: Colour) -> float:
    """Return the relative luminance of an sRGB colour (WCAG 2.2), 0 to 1."""
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (channel / 255 for channel in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2), 1 to 21."""
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def ink_on(ground: Colour) -> Colour:
    """Return black or white, whichever has more contrast on a background."""
    return max((BLACK, WHITE), key=lambda ink: contrast(ink, ground))
