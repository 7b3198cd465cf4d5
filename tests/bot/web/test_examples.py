"""The songs that the page offers to try, and what the release in ``models/`` says of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bot.web.upload_store import EXAMPLES, read_examples
from classifier.audio.decoding import decode
from classifier.inference.manifest import PACKAGED_MODELS
from classifier.inference.model import Model
from common.genres import load_genres

if TYPE_CHECKING:
    from bot.web.upload_store import Example

VIETNAMESE = {"cailuong", "catru", "chauvan", "cheo", "hatxam", "vpop"}


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load(PACKAGED_MODELS)


@pytest.mark.parametrize("example", read_examples(), ids=lambda example: example.file)
def test_the_release_is_right_and_sure_about_every_example(model: Model, example: Example) -> None:
    report = model.classify(decode(EXAMPLES / example.file, max_seconds=120)).report
    assert load_genres().agrees(example.genre, report.genre or ""), report.genre
    assert report.sure


def test_every_example_says_in_a_word_what_to_expect_and_several_are_vietnamese() -> None:
    listed = json.loads((EXAMPLES / "index.json").read_text("utf-8"))
    assert {path.name for path in EXAMPLES.glob("*.opus")} == {song["file"] for song in listed}
    assert all(example.kinds["en"] and example.kinds["vi"] for example in read_examples())
    assert len({example.genre for example in read_examples()} & VIETNAMESE) >= 2
