"""Drawing in logical units: boxes, and text in the bundled font that is cut to fit."""

from __future__ import annotations

import io
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from bot.core.palette import Colour

FONT = Path(__file__).parents[1] / "fonts" / "inter.ttf"
REGULAR, SEMIBOLD, BOLD = 400, 600, 700

# A phone is about 360 units wide and has three pixels to the unit.
PIXELS_PER_UNIT = 3
HATCH_GAP = 6


@cache
def _font(size: float, weight: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(str(FONT), size * PIXELS_PER_UNIT, layout_engine=ImageFont.Layout.BASIC)
    font.set_variation_by_axes([weight])
    return font


def text_width(text: str, size: float, weight: int = REGULAR) -> float:
    """Return the width of a text in units."""
    return float(_font(size, weight).getlength(unicodedata.normalize("NFC", text))) / PIXELS_PER_UNIT


def fitted(text: str, width: float, size: float, weight: int = REGULAR) -> str:
    """Return a text cut to a width, with an ellipsis where something was cut."""
    if text_width(text, size, weight) <= width:
        return text
    for end in range(len(text) - 1, 0, -1):
        cut = text[:end].rstrip() + "…"
        if text_width(cut, size, weight) <= width:
            return cut
    return ""


class Canvas:
    """A picture that is being drawn.

    Parameters
    ----------
    width, height
        Units.
    ground
        The background's colour.
    """

    def __init__(self, width: float, height: float, ground: Colour) -> None:
        self._image = Image.new("RGB", (round(width * PIXELS_PER_UNIT), round(height * PIXELS_PER_UNIT)), ground)
        self._draw = ImageDraw.Draw(self._image)

    def text(
        self, x: float, y: float, text: str, colour: Colour, size: float, weight: int = REGULAR, anchor: str = "ls"
    ) -> None:
        """Write one line; ``anchor`` as in Pillow, by default the left end of the baseline."""
        place = (x * PIXELS_PER_UNIT, y * PIXELS_PER_UNIT)
        written = unicodedata.normalize("NFC", text)
        self._draw.text(place, written, fill=colour, font=_font(size, weight), anchor=anchor)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour, radius: float = 0) -> None:
        """Fill a box, which is at least one pixel wide and high."""
        x0, y0 = round(left * PIXELS_PER_UNIT), round(top * PIXELS_PER_UNIT)
        x1 = max(x0, round(right * PIXELS_PER_UNIT) - 1)
        y1 = max(y0, round(bottom * PIXELS_PER_UNIT) - 1)
        rounding = min(round(radius * PIXELS_PER_UNIT), (x1 - x0) // 2, (y1 - y0) // 2)
        if rounding > 0:
            self._draw.rounded_rectangle((x0, y0, x1, y1), radius=rounding, fill=colour)
        else:
            self._draw.rectangle((x0, y0, x1, y1), fill=colour)

    def hatch(self, left: float, top: float, right: float, bottom: float, colour: Colour, ground: Colour) -> None:
        """Fill a box with slanting lines."""
        x0, y0 = round(left * PIXELS_PER_UNIT), round(top * PIXELS_PER_UNIT)
        width = max(1, round(right * PIXELS_PER_UNIT) - x0)
        height = max(1, round(bottom * PIXELS_PER_UNIT) - y0)
        box = Image.new("RGB", (width, height), ground)
        draw, gap = ImageDraw.Draw(box), HATCH_GAP * PIXELS_PER_UNIT
        # The lines of neighbouring boxes meet.
        for x in range(-((x0 + height) % gap) - height, width + height, gap):
            draw.line((x, height, x + height, 0), fill=colour, width=PIXELS_PER_UNIT)
        self._image.paste(box, (x0, y0))

    def png(self) -> bytes:
        """Return the picture as a PNG file."""
        buffer = io.BytesIO()
        self._image.save(buffer, format="PNG", optimize=True)
        return buffer.getvalue()
