from __future__ import annotations

import io
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageFont

import bot
from bot.core import canvas
from bot.core.localization import LANGUAGES, Language, Localizer
from bot.core.palette import PALETTES, THEMES, Theme, contrast, ink_on
from bot.core.timeline import MAX_LANES, WIDTH, alt_text, lane_genres, render
from tests.bot.reports import ALL_GENRES, as_speech, as_vpop, certain, make_report

READABLE = 4.5
"""Contrast of text, WCAG 2.2 level AA."""
SEEN = 3.0
"""Contrast of what is not text, likewise."""


def _picture(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    image.load()
    return image.convert("RGB")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("segments", [1, 7, 120])
def test_a_picture_is_as_wide_as_a_phone_whatever_the_song(theme: Theme, segments: int) -> None:
    report = make_report([ALL_GENRES[place // 10] for place in range(segments)], last_seconds=11)
    image = _picture(render(report, Localizer("vi"), theme))
    assert image.width == WIDTH * canvas.PIXELS_PER_UNIT
    assert image.height <= 1.1 * image.width
    assert image.getpixel((0, 0)) == PALETTES[theme].background


def test_the_same_answer_gives_the_same_picture() -> None:
    report = make_report(["jazz", "blues"])
    assert render(report, Localizer("en"), "dark") == render(report, Localizer("en"), "dark")


def test_a_likelier_genre_stands_taller() -> None:
    def painted(probability: float) -> int:
        report = certain(jazz=probability, blues=0.05)
        blue = PALETTES["light"].genres[0]
        pixels = _picture(render(report, Localizer("en"), "light")).crop((0, 250, 1080, 420)).tobytes()
        return sum(pixels[place : place + 3] == bytes(blue) for place in range(0, len(pixels), 3))

    assert painted(0.9) > 1.5 * painted(0.5) > 0


def test_the_answer_has_the_first_lane_and_every_winner_one_of_the_next() -> None:
    report = make_report(["rock"] * 5 + ["pop"] * 3 + ["disco"] * 2)
    lanes = lane_genres(report)
    assert lanes[0] == report.genre
    assert {"rock", "pop", "disco"} <= set(lanes)
    assert len(lane_genres(make_report(ALL_GENRES))) == MAX_LANES
    assert len(lane_genres(make_report(["jazz"]))) == 3


def test_a_release_with_a_single_genre_and_no_votes_can_be_drawn() -> None:
    assert _picture(render(certain(jazz=1.0), Localizer("en"), "light")).width > 0


@pytest.mark.parametrize("theme", THEMES)
def test_text_can_be_read_and_bars_can_be_seen(theme: Theme) -> None:
    palette = PALETTES[theme]
    assert contrast(palette.text, palette.background) >= READABLE
    assert contrast(palette.quiet, palette.background) >= READABLE
    for colour in (*palette.genres, palette.other, palette.line):
        assert contrast(ink_on(colour), colour) >= READABLE
    # The answer and its first rivals; the names beside the lanes carry what the rest of the colours cannot.
    assert all(contrast(colour, palette.background) >= SEEN for colour in palette.genres[:3])


def test_the_font_has_every_letter_that_is_drawn() -> None:
    font = ImageFont.truetype(str(canvas.FONT), 40)

    def shape(letter: str) -> tuple[object, bytes]:
        mask = font.getmask(letter)
        return mask.size, bytes(mask)

    # What the font lacks is drawn as the same empty box.
    missing = shape("\uffff")
    for language in LANGUAGES:
        text = (Path(bot.__file__).parent / "locales" / f"{language}.ftl").read_text(encoding="utf-8")
        # Signs that stand on chats' buttons are never drawn.
        letters = {letter for letter in unicodedata.normalize("NFC", text) if letter.isalnum() or letter in "…–%·?"}
        assert {letter for letter in letters if shape(letter) == missing} == set()
        assert len(letters) > 60


def test_vietnamese_letters_are_drawn_each_in_its_own_shape() -> None:
    drawn = set()
    letters = "aăâáàảãạấầẩẫậắằẳẵặeêếềểễệoôơốồổỗộớờởỡợuưứừửữựđ"
    for letter in letters:
        sheet = canvas.Canvas(40, 40, (255, 255, 255))
        sheet.text(10, 30, letter, (0, 0, 0), 24)
        drawn.add(sheet.png())
    assert len(drawn) == len(letters)


def test_text_is_cut_where_there_is_no_room() -> None:
    assert canvas.fitted("hát xẩm", 200, 12) == "hát xẩm"
    cut = canvas.fitted("hát xẩm", 30, 12)
    assert cut.endswith("…")
    assert canvas.text_width(cut, 12) <= 30
    assert canvas.fitted("hát xẩm", 1, 12) == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_alternative_text_says_what_the_picture_shows(language: Language) -> None:
    words = Localizer(language)
    one = alt_text(make_report(["jazz"], last_seconds=20), words)
    assert "jazz" in one
    assert "0:20" in one
    few = alt_text(make_report(["jazz", "jazz", "cheo"]), words)
    assert all(part in few for part in ("jazz", "chèo", "0:00", "1:00", "1:30"))
    many = alt_text(make_report([ALL_GENRES[place % 15] for place in range(120)]), words)
    assert "1:00:00" in many
    assert len(many) < 300


def test_a_style_has_its_family_beside_it_and_stretches_without_music_are_told() -> None:
    song, talk = as_vpop(make_report(["pop", "pop"])), as_speech(make_report(["pop", "pop"]))
    mixed = replace(song, segments=(talk.segments[0], song.segments[1]))
    assert lane_genres(mixed)[:2] == ("vpop", "pop")
    assert render(mixed, Localizer("en"), "light") != render(song, Localizer("en"), "light")
    assert "0:00 to 0:30: speech; 0:30 to 1:00: V-pop" in alt_text(mixed, Localizer("en"))
    assert alt_text(mixed, Localizer("en")).endswith("Tags: female vocalists, dance.")


@pytest.mark.parametrize("theme", THEMES)
def test_what_is_not_music_is_drawn_without_genres(theme: Theme) -> None:
    report = as_speech(make_report(["pop", "rock"]))
    assert lane_genres(report) == ()
    assert render(report, Localizer("en"), theme).startswith(b"\x89PNG")
    assert alt_text(report, Localizer("en")) == "Timeline of a recording of 1:00: speech, no music."
