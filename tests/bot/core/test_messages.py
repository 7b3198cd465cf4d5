from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import messages
from bot.core.callbacks import Action, AnswerCallback
from bot.core.chat import Stage
from bot.core.localization import LANGUAGES, Language, Localizer, has
from bot.core.messages import CorrectionView
from classifier.errors import TooShort
from classifier.features.musicnn import TAGS
from classifier.song_report import KINDS, MUSIC
from storage import TooManyQueued
from tests.bot.reports import ALL_GENRES, as_speech, as_vpop, certain, make_report

if TYPE_CHECKING:
    from classifier.song_report import SongReport

EN, VI = Localizer("en"), Localizer("vi")


def test_a_sure_answer_is_said_plainly() -> None:
    assert messages.headline(certain(jazz=0.73, blues=0.2), EN) == "This sounds like jazz (73%)."
    assert messages.headline(certain(cailuong=0.73, blues=0.2), VI) == "Mình nghe ra đây là cải lương (73%)."


def test_an_unsure_answer_is_said_as_unsure_with_both_guesses() -> None:
    report = certain(sure=False, jazz=0.41, blues=0.33, rock=0.1)
    assert messages.headline(report, EN) == "I'm not sure: maybe jazz (41%) or blues (33%)."
    assert messages.headline(report, VI) == "Mình không chắc lắm: có thể là jazz (41%) hoặc blues (33%)."


def test_a_second_guess_that_is_far_behind_is_not_named() -> None:
    assert messages.headline(certain(sure=False, jazz=0.45, blues=0.1), EN) == "I'm not sure: maybe jazz (45%)."


def test_an_answer_with_much_behind_it_that_is_not_sure_is_called_probable() -> None:
    report = certain(sure=False, jazz=0.91, blues=0.05)
    assert messages.headline(report, EN) == "Probably jazz (91%)."
    assert messages.headline(report, VI) == "Có lẽ là jazz (91%)."


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (certain(jazz=0.73, blues=0.2, rock=0.07), "Next closest: blues (20%), rock (7%)."),
        (certain(sure=False, jazz=0.41, blues=0.33, rock=0.1), "Next closest: rock (10%)."),
        (certain(sure=False, jazz=0.6, blues=0.16, rock=0.1), "Next closest: blues (16%), rock (10%)."),
        (certain(jazz=0.98, blues=0.02), None),
    ],
)
def test_runners_up_are_named_once_and_only_if_they_came_close(report: SongReport, line: str | None) -> None:
    assert messages.details(report, EN) == ([] if line is None else [line])


def test_the_answer_to_an_excerpt_says_that_another_part_may_sound_different() -> None:
    excerpt = replace(certain(jazz=0.98, blues=0.02), duration=30.0)
    assert messages.details(excerpt, EN)[0].startswith("I heard only 30 seconds. In three songs out of ten, another")
    assert messages.details(excerpt, VI)[0].startswith("Mình mới nghe 30 giây. Cứ mười bài thì ba bài")


def test_certainty_is_never_claimed() -> None:
    assert "99%" in messages.headline(certain(jazz=1.0, blues=0.0), EN)


def test_a_known_recording_and_a_short_one_are_named_as_such() -> None:
    report = make_report(["jazz"], last_seconds=4)
    said = "\n".join(messages.details(report, EN, known=True))
    assert "heard this one before" in said
    assert "only 4 seconds" in said


def test_a_genre_that_people_proposed_is_called_what_they_called_it() -> None:
    words = Localizer("vi", {"nhacvang": "nhạc vàng"})
    assert "nhạc vàng" in messages.headline(certain(nhacvang=0.8, pop=0.1), words)
    assert "dreampop" in messages.headline(certain(dreampop=0.8, pop=0.1), words)


def test_a_style_is_named_with_its_family_and_its_tags_are_below() -> None:
    report = as_vpop(make_report(["pop"]))
    assert messages.answer(report, EN, "id").text.splitlines()[:3] == [
        "This sounds like pop · V-pop (70%).",
        "Next closest: rock (10%), blues (5%).",
        "Tags: female vocalists, dance.",
    ]
    assert "Từ khoá: giọng nữ, nhạc nhảy." in messages.details(report, VI)


def test_what_is_not_music_is_said_to_be_what_it_is_and_can_be_corrected() -> None:
    message = messages.answer(as_speech(make_report(["pop", "rock"])), EN, "id")
    assert message.text == "That sounds like somebody talking. Send me some music and I'll tell you its genre."
    assert [(button.text, button.callback) for button in message.buttons] == [
        ("It is music", AnswerCallback(Action.WRONG, "id"))
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != MUSIC])
def test_every_kind_of_sound_has_its_words(language: Language, kind: str) -> None:
    words = Localizer(language)
    report = as_speech(make_report(["pop"]))
    report = replace(report, kind=kind, segments=(replace(report.segments[0], kind=kind),))
    assert words.kind(kind) in messages.breakdown(report, words, characters=100)[0]
    assert "{" not in messages.headline(report, words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_tag_has_its_word(language: Language) -> None:
    for tag in TAGS:
        assert has(language, f"tag-{tag.lower().replace(' ', '-')}"), tag


def test_speech_before_a_song_is_a_line_of_its_own() -> None:
    song, talk = as_vpop(make_report(["pop", "pop"])), as_speech(make_report(["pop", "pop"]))
    mixed = replace(song, segments=(talk.segments[0], song.segments[1]))
    assert messages.breakdown(mixed, EN, characters=100) == ["0:00–0:30 speech", "0:30–1:00 V-pop (70%)"]


def test_experts_of_the_classic_recipe_are_folded_away_where_there_are_others() -> None:
    assert messages.weighty_experts(make_report(["jazz"])) == ["texture"]
    assert messages.weighty_experts(certain(jazz=0.8, pop=0.2)) == ["knn"]


def test_neighbouring_segments_with_one_genre_are_said_together() -> None:
    report = make_report(["jazz", "jazz", "blues", "jazz"], last_seconds=12)
    lines = messages.breakdown(report, EN, characters=1000)
    assert [line.rpartition(" (")[0] for line in lines] == ["0:00–1:00 jazz", "1:00–1:30 blues", "1:30–1:42 jazz"]


@settings(deadline=None)  # a busy machine is no fault of the text
@given(st.integers(1, 120), st.integers(0, 3000), st.sampled_from(LANGUAGES))
def test_an_answer_keeps_within_its_length_however_long_the_song(
    segments: int, characters: int, language: Language
) -> None:
    report = make_report([ALL_GENRES[place % 15] for place in range(segments)])
    lines = messages.breakdown(report, Localizer(language), characters=characters)
    assert len("\n".join(lines)) <= characters
    assert len(messages.answer(report, Localizer(language), "r", characters=characters).text) <= characters


def test_what_does_not_fit_is_counted() -> None:
    report = make_report([ALL_GENRES[place % 15] for place in range(120)])
    lines = messages.breakdown(report, EN, characters=200)
    assert lines[-1] == f"… and {120 - len(lines) + 1} more stretches"


def test_the_experts_votes_are_counted() -> None:
    said = messages.votes(certain(jazz=0.7, blues=0.3), EN)
    assert said.splitlines()[1] == "neighbours: jazz 1 of 1"


def test_an_answer_offers_right_and_wrong_and_later_change_and_undo() -> None:
    report = certain(jazz=0.7)
    fresh = messages.answer(report, EN, "abc")
    assert [button.action for button in fresh.buttons] == [Action.RIGHT, Action.WRONG, Action.VOTES]
    correction = CorrectionView("blues", "blues", agrees=False, proposed=False)
    corrected = messages.answer_buttons(EN, "abc", report, correction, with_votes=True)
    assert [button.text for button in corrected] == ["✓ Blues (change)", "Undo", "Experts' votes"]
    assert [button.text for button in messages.thanks(correction, EN, "abc").buttons] == ["Change", "Undo"]


def test_an_opinion_is_thanked_for_what_it_was() -> None:
    def said(*, agrees: bool, proposed: bool) -> str:
        return messages.thanks(CorrectionView("x", "bolero", agrees=agrees, proposed=proposed), EN, "abc").text

    assert "was right" in said(agrees=True, proposed=False)
    assert "noted that this is bolero" in said(agrees=False, proposed=False)
    assert "a proposal" in said(agrees=False, proposed=True)


@given(st.one_of(st.none(), st.text(max_size=4000)))
def test_a_title_is_one_short_line_without_marks_that_nobody_sees(title: str | None) -> None:
    cleaned = messages.clean_title(title)
    if cleaned is not None:
        assert 0 < len(cleaned) <= messages.TITLE_CHARACTERS
        assert all(unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in cleaned)
        assert cleaned == " ".join(cleaned.split())


def test_a_title_keeps_every_script_and_loses_direction_marks() -> None:
    assert messages.clean_title("Sớm mai\u202e bên\u0000 kênh\n 朝.mp3") == "Sớm mai bên kênh 朝.mp3"
    assert messages.clean_title("\u200b\n") is None


@pytest.mark.parametrize(
    ("stage", "text"),
    [
        (Stage("queued", place=1), "Next in the queue…"),
        (Stage("queued", place=4), "Number 4 in the queue…"),
        (Stage("queued", place=4, minutes=1), "Number 4 in the queue, about one minute to go…"),
        (Stage("fetching"), "Receiving the song…"),
        (Stage("decoding"), "Opening the song…"),
        (Stage("listening", segment=2, segments=7), "Listening: part 2 of 7…"),
        (Stage("answering"), "Putting the answer together…"),
    ],
)
def test_every_stage_has_its_words(stage: Stage, text: str) -> None:
    message = messages.progress_message(stage, EN, 12)
    assert message.text == text
    assert [button.data for button in message.buttons] == ["cancel:12"]


def test_what_went_wrong_is_said_in_the_persons_language() -> None:
    assert messages.sentence(TooShort(minimum=3.0), "en").endswith("Please send at least 3 seconds of music.")
    assert messages.sentence(TooShort(minimum=3.0), "vi").startswith("Ngắn quá")
    assert "3 bài" in messages.sentence(TooManyQueued(limit=3), "vi")
