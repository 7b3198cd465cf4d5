"""All songs of a person as files: a table, playlists by genre, and a picture of how many songs each genre has."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core import canvas
from bot.core.localization import clock, percent
from bot.core.palette import PALETTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.localization import Localizer
    from bot.core.messages import CorrectionView
    from bot.core.palette import Theme
    from classifier.song_report import SongReport

WIDTH, MARGIN, TOP, BAR_HEIGHT, BAR_GAP = 360.0, 18.0, 84.0, 18.0, 12.0
NAME_WIDTH, COUNT_WIDTH = 112.0, 34.0
MOST_BARS = 10
HEADINGS = (
    *("page-csv-title", "page-csv-genre", "page-csv-confidence"),
    *("page-csv-sure", "page-csv-yours", "page-csv-length"),
)
# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = re.compile(r"^[=+\-@\t\r]")


@dataclass(frozen=True, slots=True)
class AnsweredSong:
    """One song of a person's history.

    Attributes
    ----------
    title
        As it was sent; None for one without a name.
    report, correction
        Its answer, and what its sender said of that.
    """

    title: str | None
    report: SongReport
    correction: CorrectionView | None

    def genre(self, words: Localizer) -> str:
        """Return the genre that its sender gave, or else that of the answer."""
        if self.correction is not None:
            return _capital(self.correction.name)
        return _capital(words.genre(self.report.genre) if self.report.genre else words.translate("not-music"))


def table(songs: Sequence[AnsweredSong], words: Localizer) -> str:
    """Return the songs as CSV with a line of headings."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        words.translate(f"page-csv-{name}") for name in ("title", "genre", "confidence", "sure", "yours", "length")
    )
    for song in songs:
        report = song.report
        writer.writerow(
            [
                _FORMULA.sub(r"'\g<0>", song.title or ""),
                _capital(words.answer_name(report)),
                f"{percent(report.confidence)}%" if report.genre else "",
                words.translate("page-yes" if report.sure else "page-no"),
                "" if song.correction is None else _FORMULA.sub(r"'\g<0>", song.correction.name),
                clock(report.duration),
            ]
        )
    return text.getvalue()


def playlists(songs: Sequence[AnsweredSong], words: Localizer) -> bytes:
    """Return a zip file with a playlist for each genre; unpacked beside the songs, it finds them by name."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for genre in dict.fromkeys(song.genre(words) for song in songs):
            lines = ["#EXTM3U"]
            for song in songs:
                if song.title and song.genre(words) == genre:
                    lines += [f"#EXTINF:{round(song.report.duration)},{song.title}", song.title]
            name = re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", genre).strip(". ") or "_"
            archive.writestr(f"{name}.m3u8", "\n".join(lines) + "\n")
    return packed.getvalue()


def statistics(songs: Sequence[AnsweredSong], words: Localizer, theme: Theme) -> bytes:
    """Draw how many songs each genre has (PNG)."""
    palette = PALETTES[theme]
    counts = Counter(song.genre(words) for song in songs).most_common()
    shown = counts[:MOST_BARS]
    if len(counts) > MOST_BARS:
        shown[-1] = (words.translate("page-statistics-others"), sum(count for _, count in counts[MOST_BARS - 1 :]))
    height = TOP + len(shown) * (BAR_HEIGHT + BAR_GAP) + MARGIN
    picture = canvas.Canvas(WIDTH, height, palette.background)
    title = words.translate("page-statistics-title", songs=len(songs))
    picture.text(MARGIN, 36, canvas.fitted(title, WIDTH - 2 * MARGIN, 20, canvas.BOLD), palette.text, 20, canvas.BOLD)
    minutes = round(sum(song.report.duration for song in songs) / 60)
    line = words.translate("page-statistics-line", genres=len(counts), minutes=max(1, minutes))
    picture.text(MARGIN, 58, canvas.fitted(line, WIDTH - 2 * MARGIN, 12.5), palette.quiet, 12.5)
    left, right = MARGIN + NAME_WIDTH, WIDTH - MARGIN - COUNT_WIDTH
    most = max(count for _, count in shown)
    for place, (name, count) in enumerate(shown):
        top = TOP + place * (BAR_HEIGHT + BAR_GAP)
        label = canvas.fitted(name, NAME_WIDTH - 10, 13, canvas.SEMIBOLD)
        picture.text(MARGIN, top + 13.5, label, palette.text, 13, canvas.SEMIBOLD)
        picture.box(left, top, right, top + BAR_HEIGHT, palette.track, radius=4)
        colour = palette.genres[place] if place < len(palette.genres) else palette.other
        picture.box(left, top, left + (right - left) * count / most, top + BAR_HEIGHT, colour, radius=4)
        picture.text(right + 10, top + 13.5, str(count), palette.text, 13, canvas.SEMIBOLD)
    return picture.png()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
