"""Music among silence: the answer is that of the music. ``benchmarks/silence_mixtures.py`` tries two hundred."""

from __future__ import annotations

from classifier.inference.model import Model
from tests.conftest import REPOSITORY
from tests.synthesis.silence_mixtures import mixture_answers

MIXTURES = 6


def test_silence_makes_no_answer_sure_that_the_music_alone_does_not_get() -> None:
    answers = list(mixture_answers(Model.load(REPOSITORY / "models"), MIXTURES))
    assert len(answers) == MIXTURES
    assert [answer for answer in answers if answer.wrong] == []
