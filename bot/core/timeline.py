"""The timeline picture of an answer: the answer, and probabilities of genres over time.

Every genre has a lane with its name beside it, so that nothing depends on colour alone. Where a song is not music its
lanes are hatched. The alternative text says the same in words.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from bot.core import canvas, messages
from bot.core.localization import clock, percent
from bot.core.palette import PALETTES, THEMES, Colour, Palette, Theme, ink_on, mix
from common.genres import load_genres

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.core.localization import Localizer
    from classifier.song_report import SegmentReport, SongReport

# All in logical units; the picture is as wide as a phone.
WIDTH = 360.0
MARGIN = 14.0
LABEL_WIDTH = 84.0
STRIP_LEFT = MARGIN + LABEL_WIDTH + 6
STRIP_RIGHT = WIDTH - MARGIN
HEADER_HEIGHT = 66.0
LANE_HEIGHT = 30.0
LANE_GAP = 9.0
AXIS_HEIGHT = 14.0
HEADING_HEIGHT = 22.0
TAGS_HEIGHT = 18.0
KINDS_HEIGHT = 20.0
KIND_SIZES = (11.5, 10.5, 9.0)
TITLE_SIZES = (24.0, 20.0, 17.0, 14.0)

MAX_LANES = 6
MIN_LANES = 3
MAX_TICKS = 6
TICK_SIZE = 10.5
TICK_GAP = 7.0
TICK_STEPS = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
MAX_ALT_PARTS = 8
# What was not the answer of a segment is drawn this much paler.
PALE = 0.38


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What every part of the drawing needs."""

    canvas: canvas.Canvas
    palette: Palette
    report: SongReport
    words: Localizer
    lanes: tuple[str, ...]

    def colour(self, genre: str) -> Colour:
        return _colour(self.palette, self.lanes, genre)

    def x(self, seconds: float) -> float:
        return STRIP_LEFT + (STRIP_RIGHT - STRIP_LEFT) * seconds / _end(self.report)

    def column(self, segment: SegmentReport) -> tuple[float, float]:
        """Left and right edge of a segment's column, with a gap where there is room for one."""
        left, right = self.x(segment.start), self.x(segment.end)
        return left, right - (1 if right - left >= 6 else 1 / canvas.PIXELS_PER_UNIT)


def render(report: SongReport, words: Localizer, theme: Theme) -> bytes:
    """Draw the timeline of an answer.

    Returns
    -------
    bytes
        A PNG file, ``WIDTH * PIXELS_PER_UNIT`` pixels wide and as high as the song needs.
    """
    palette = PALETTES[theme]
    lanes = lane_genres(report)
    tags = messages.tag_line(report, words)
    other_sounds = any(segment.genre is None for segment in report.segments)
    sheet = _Sheet(canvas.Canvas(WIDTH, _height(report), palette.background), palette, report, words, lanes)
    _draw_header(sheet)
    top = HEADER_HEIGHT
    if tags:
        sheet.canvas.text(MARGIN, top + 5, canvas.fitted(tags, WIDTH - 2 * MARGIN, 12), palette.text, 12)
        top += TAGS_HEIGHT
    top = _draw_heading(sheet, "picture-parts" if lanes else "picture-sounds", top)
    if other_sounds:
        _draw_kinds(sheet, top)
        top += KINDS_HEIGHT + LANE_GAP
    for genre in lanes:
        _draw_lane(sheet, genre, top)
        top += LANE_HEIGHT + LANE_GAP
    _draw_axis(sheet, top)
    return sheet.canvas.png()


def _height(report: SongReport) -> float:
    other_sounds = any(segment.genre is None for segment in report.segments)
    height = HEADER_HEIGHT + HEADING_HEIGHT + len(lane_genres(report)) * (LANE_HEIGHT + LANE_GAP) + AXIS_HEIGHT + MARGIN
    return height + (TAGS_HEIGHT if report.tags else 0) + (KINDS_HEIGHT + LANE_GAP if other_sounds else 0)


def geometry(report: SongReport) -> dict[str, float]:
    """Return the picture's size in pixels, and between which shares of its width the song lies."""
    return {
        "width": round(WIDTH * canvas.PIXELS_PER_UNIT),
        "height": round(_height(report) * canvas.PIXELS_PER_UNIT),
        "left": STRIP_LEFT / WIDTH,
        "right": STRIP_RIGHT / WIDTH,
    }


def colours(genre: str, report: SongReport) -> dict[Theme, str]:
    """Return the colour that a genre has in the picture, for each theme, as CSS writes it."""
    lanes = lane_genres(report)
    return {theme: "#" + bytes(_colour(PALETTES[theme], lanes, genre)).hex() for theme in THEMES}


def _colour(palette: Palette, lanes: Sequence[str], genre: str) -> Colour:
    """Return a genre's colour; a style has that of its family where the family has a lane too."""
    family = load_genres().family_of(genre)
    lane = family if family in lanes else genre
    return palette.genres[lanes.index(lane)] if lane in lanes else palette.other


def lane_genres(report: SongReport) -> tuple[str, ...]:
    """Choose the genres that get a lane: what segments were answered with, then the most probable; answer first.

    There are none where a song is not music.
    """
    if report.genre is None:
        return ()
    wins = Counter(segment.genre for segment in report.segments if segment.genre is not None)
    ranked = sorted(report.probabilities, key=lambda genre: -report.probabilities[genre])
    won = sorted(wins, key=lambda genre: (genre != report.genre, -wins[genre]))[:MAX_LANES]
    extra = [genre for genre in (report.genre, *ranked) if genre not in won]
    chosen = set(won) | set(extra[: max(0, MIN_LANES - len(won))])
    # The family of a style that was answered is beside it.
    first = [report.genre]
    if report.family is not None and report.family != report.genre and report.family in report.probabilities:
        first.append(report.family)
    return tuple(first + [genre for genre in ranked if genre in chosen and genre not in first])[:MAX_LANES]


def alt_text(report: SongReport, words: Localizer) -> str:
    """Say in words what the picture shows, in at most about 900 characters."""
    text = _alt_sections(report, words)
    return f"{text} {words.translate('answer-tags', tags=messages.tag_line(report, words))}" if report.tags else text


def _alt_sections(report: SongReport, words: Localizer) -> str:
    names = [_segment_name(segment, words) for segment in report.segments]
    sections = list(_sections(names))
    length = clock(report.duration)
    if len(sections) == 1:
        name = words.answer_name(report)
        if report.genre is None:
            return words.translate("picture-alt-other", length=length, kind=name)
        return words.translate("picture-alt-one", length=length, genre=name, confidence=percent(report.confidence))
    if len(sections) > MAX_ALT_PARTS:
        name, count = Counter(names).most_common(1)[0]
        return words.translate(
            "picture-alt-overall",
            length=length,
            genre=name,
            count=count,
            segments=len(report.segments),
            changes=len(sections) - 1,
        )
    parts = [
        words.translate(
            "picture-alt-part",
            start=clock(report.segments[first].start),
            end=clock(report.segments[last].end),
            genre=name,
        )
        for name, first, last in sections
    ]
    return words.translate("picture-alt-many", length=length, parts="; ".join(parts))


def _segment_name(segment: SegmentReport, words: Localizer) -> str:
    return words.kind(segment.kind) if segment.genre is None else words.genre(segment.genre)


def _draw_header(sheet: _Sheet) -> None:
    report, words, palette = sheet.report, sheet.words, sheet.palette
    title = _capital(words.answer_name(report))
    certainty = ""
    room = WIDTH - 2 * MARGIN
    if report.genre is not None:
        certainty = f"{percent(report.confidence)}%"
        room -= canvas.text_width(certainty, 17, canvas.SEMIBOLD) + 9
        if not report.sure:
            title += "?"
            room -= _draw_badge(sheet, words.translate("picture-unsure")) + 9
    size = _fitting_size(title, room, TITLE_SIZES, canvas.BOLD)
    title = canvas.fitted(title, room, size, canvas.BOLD)
    sheet.canvas.text(MARGIN, 34, title, palette.text, size, canvas.BOLD)
    after = MARGIN + canvas.text_width(title, size, canvas.BOLD) + 9
    sheet.canvas.text(after, 34, certainty, palette.quiet, 17, canvas.SEMIBOLD)
    others = [f"{words.genre(genre)} {percent(p)}%" for genre, p in report.runners_up(2)]
    line = " · ".join([clock(report.duration), *others])
    sheet.canvas.text(MARGIN, 53, canvas.fitted(line, WIDTH - 2 * MARGIN, 12), palette.quiet, 12)


def _draw_heading(sheet: _Sheet, message: str, top: float) -> float:
    sheet.canvas.text(MARGIN, top + 12, sheet.words.translate(message), sheet.palette.quiet, 11, canvas.SEMIBOLD)
    return top + HEADING_HEIGHT


def _draw_badge(sheet: _Sheet, text: str) -> float:
    """Write a word on a rounded ground at the right; return its width."""
    width = canvas.text_width(text, 11.5, canvas.SEMIBOLD) + 18
    left = WIDTH - MARGIN - width
    sheet.canvas.box(left, 16, WIDTH - MARGIN, 38, sheet.palette.line, radius=11)
    ink = ink_on(sheet.palette.line)
    sheet.canvas.text(left + width / 2, 27.2, text, ink, 11.5, canvas.SEMIBOLD, anchor="mm")
    return width


def _draw_kinds(sheet: _Sheet, top: float) -> None:
    """Hatch the stretches that are not music, and name them where there is room."""
    palette, segments = sheet.palette, sheet.report.segments
    middle = top + KINDS_HEIGHT / 2
    name = _capital(sheet.words.translate("not-music"))
    size = _fitting_size(name, LABEL_WIDTH, KIND_SIZES)
    sheet.canvas.text(MARGIN, middle, name, palette.quiet, size, canvas.SEMIBOLD, "lm")
    for kind, first, last in _sections(["" if segment.genre else segment.kind for segment in segments]):
        if not kind:
            continue
        left, right = sheet.x(segments[first].start), sheet.column(segments[last])[1]
        sheet.canvas.hatch(left, top, right, top + KINDS_HEIGHT, palette.line, palette.track)
        label = _capital(sheet.words.kind(kind))
        size = _fitting_size(label, right - left - 8, KIND_SIZES)
        half = canvas.text_width(label, size, canvas.SEMIBOLD) / 2 + 4
        centre = (left + right) / 2
        if 2 * half <= right - left:
            sheet.canvas.box(centre - half, top, centre + half, top + KINDS_HEIGHT, palette.track)
            sheet.canvas.text(centre, middle, label, palette.quiet, size, canvas.SEMIBOLD, "mm")


def _fitting_size(text: str, room: float, sizes: Sequence[float], weight: int = canvas.SEMIBOLD) -> float:
    """Return the first size in which a text fits, or the last."""
    return next((size for size in sizes if canvas.text_width(text, size, weight) <= room), sizes[-1])


def _draw_lane(sheet: _Sheet, genre: str, top: float) -> None:
    """One genre: for each segment a bar as high as its probability, strong where it is the segment's answer."""
    palette, bottom = sheet.palette, top + LANE_HEIGHT
    name = canvas.fitted(sheet.words.genre_title(genre), LABEL_WIDTH, 13, canvas.SEMIBOLD)
    sheet.canvas.text(MARGIN, top + 13, name, palette.text, 13, canvas.SEMIBOLD)
    share = f"{percent(sheet.report.probabilities.get(genre, 0.0))}%"
    sheet.canvas.text(MARGIN, top + 27, share, palette.quiet, 11.5)
    sheet.canvas.box(STRIP_LEFT, top, STRIP_RIGHT, bottom, palette.track, radius=3)
    strong = sheet.colour(genre)
    pale = mix(strong, palette.track, PALE)
    for segment in sheet.report.segments:
        left, right = sheet.column(segment)
        if segment.genre is None:
            sheet.canvas.hatch(left, top, right, bottom, palette.line, palette.track)
        height = LANE_HEIGHT * segment.probabilities.get(genre, 0.0)
        if height * canvas.PIXELS_PER_UNIT >= 1:
            colour = strong if segment.genre == genre else pale
            sheet.canvas.box(left, bottom - height, right, bottom, colour, radius=2)
    sheet.canvas.box(STRIP_LEFT, bottom, STRIP_RIGHT, bottom + 1 / canvas.PIXELS_PER_UNIT, palette.line)


def _draw_axis(sheet: _Sheet, top: float) -> None:
    end = _end(sheet.report)
    step = next((step for step in TICK_STEPS if end / step <= MAX_TICKS), TICK_STEPS[-1])
    last_left = sheet.x(end) - canvas.text_width(clock(end), TICK_SIZE)
    taken = 0.0
    for seconds in range(0, int(end) + 1, step):
        x, width = sheet.x(seconds), canvas.text_width(clock(seconds), TICK_SIZE)
        left = x if seconds == 0 else x - width / 2
        # A round time gives way to its neighbour before it, and to the song's own end.
        if left >= taken and left + width + TICK_GAP <= last_left:
            _draw_tick(sheet, x, top, left, clock(seconds))
            taken = left + width + TICK_GAP
    _draw_tick(sheet, sheet.x(end), top, last_left, clock(end))


def _draw_tick(sheet: _Sheet, x: float, top: float, left: float, label: str) -> None:
    sheet.canvas.box(x - 0.3, top - 5, x + 0.3, top - 1, sheet.palette.quiet)
    sheet.canvas.text(left, top + 9, label, sheet.palette.quiet, TICK_SIZE)


def _sections(genres: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Yield genre, first and last index of every run of equal genres."""
    position = 0
    for genre, run in groupby(genres):
        length = len(list(run))
        yield genre, position, position + length - 1
        position += length


def _end(report: SongReport) -> float:
    return max(report.segments[-1].end, 1.0)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
