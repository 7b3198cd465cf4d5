"""Errors that a person can cause."""

from __future__ import annotations

import pickle

from common.errors import SongError, TooLong, UserError


def test_the_sentence_is_filled_in() -> None:
    assert str(TooLong(minutes=60.0)) == "This is longer than 60 minutes. Try a shorter excerpt."
    assert str(UserError()) == UserError.sentence


def test_an_error_survives_the_way_from_a_worker_process() -> None:
    error = pickle.loads(pickle.dumps(TooLong(minutes=2.5)))
    assert isinstance(error, SongError)
    assert (error.code, error.values, str(error)) == ("too-long", {"minutes": 2.5}, str(TooLong(minutes=2.5)))
