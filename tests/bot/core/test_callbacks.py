"""The codec of buttons: what is written is read again, and nothing else is."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.callbacks import (
    CALLBACK_BYTES,
    TEACHER_DIGITS,
    Action,
    AnswerCallback,
    Callback,
    CancelCallback,
    ChoicePurpose,
    ConsentCallback,
    ForgetCallback,
    GenreCallback,
    GenreTarget,
    LanguageCallback,
    PlaylistCallback,
    ReviewCallback,
    SecondCallback,
    SettingCallback,
    decode,
)
from bot.core.errors import ButtonExpired
from bot.core.localization import LANGUAGES

IDS = st.from_regex(r"[A-Za-z0-9_-]{1,24}", fullmatch=True)
NUMBERS = st.integers(0, 10**18 - 1)
TARGETS = st.builds(GenreTarget, st.just(ChoicePurpose.CORRECT), IDS) | st.builds(
    GenreTarget, st.sampled_from([ChoicePurpose.RELABEL, ChoicePurpose.MERGE]), NUMBERS.map(str)
)
ANSWER_ACTIONS = [Action.RIGHT, Action.WRONG, Action.UNDO, Action.VOTES]
REVIEW_ACTIONS = [Action.ACCEPT, Action.REJECT, Action.RELABEL, Action.MERGE, Action.SKIP]
CALLBACKS = (
    st.builds(AnswerCallback, st.sampled_from(ANSWER_ACTIONS), IDS)
    | st.builds(CancelCallback, NUMBERS)
    | st.builds(
        SecondCallback,
        st.integers(0, 10**9 - 1),
        st.from_regex(f"[0-9a-f]{{{TEACHER_DIGITS}}}", fullmatch=True),
        st.integers(0, 10**9 - 1),
    )
    | st.builds(PlaylistCallback, NUMBERS, st.integers(0, 99))
    | st.builds(ConsentCallback, st.booleans())
    | st.builds(ReviewCallback, st.sampled_from(REVIEW_ACTIONS), NUMBERS)
    | st.builds(GenreCallback, st.just(Action.PAGE), TARGETS, st.integers(0, 999_999))
    | st.builds(GenreCallback, st.just(Action.PICK), TARGETS, st.none() | st.integers(0, 10**9 - 1))
    | st.builds(GenreCallback, st.just(Action.NAME), TARGETS)
    | st.builds(LanguageCallback, st.sampled_from(LANGUAGES))
    | st.builds(ForgetCallback, st.booleans(), IDS)
    | st.builds(SettingCallback, st.just("language"), st.sampled_from([*LANGUAGES, "each"]))
    | st.builds(SettingCallback, st.sampled_from(["picture", "listen"]), st.sampled_from(["on", "off"]))
)


@given(CALLBACKS)
def test_a_callback_is_read_as_it_was_written_and_fits_every_platform(callback: Callback) -> None:
    assert decode(str(callback)) == callback
    assert len(str(callback).encode()) <= CALLBACK_BYTES


@given(st.text(max_size=80))
def test_made_up_data_is_a_harmless_callback_or_expired(data: str) -> None:
    with suppress(ButtonExpired):
        assert decode(str(decode(data))) == decode(data)


@pytest.mark.parametrize(
    "data",
    ["", "nonsense", "cancel:", "cancel:x", "accept:9999999999999999999", "rule:abc:1", "turn:rule.x:0", "pick:AB"],
)
def test_a_forged_number_or_id_is_expired(data: str) -> None:
    with pytest.raises(ButtonExpired):
        decode(data)


@pytest.mark.parametrize(
    ("data", "callback"),
    [
        ("sort:song.AbC_-1", GenreCallback(Action.NAME, GenreTarget(ChoicePurpose.CORRECT, "AbC_-1"))),
        ("wipe:yes", ForgetCallback(confirmed=True, person_id=None)),
        ("speak:vi", LanguageCallback("vi")),
        ("list:AAAAAAAAAAA:2", GenreCallback(Action.PAGE, GenreTarget(ChoicePurpose.CORRECT, "AAAAAAAAAAA"), 50)),
        ("pick:AAAAAAAAAAA:17", GenreCallback(Action.PICK, GenreTarget(ChoicePurpose.CORRECT, "AAAAAAAAAAA"), 17)),
        ("rules:5:1", GenreCallback(Action.PAGE, GenreTarget(ChoicePurpose.RELABEL, "5"), 25)),
        ("fuse:5:3", GenreCallback(Action.PICK, GenreTarget(ChoicePurpose.MERGE, "5"), 3)),
    ],
)
def test_buttons_that_the_version_before_sent_still_work(data: str, callback: Callback) -> None:
    assert decode(data) == callback == decode(str(callback))
