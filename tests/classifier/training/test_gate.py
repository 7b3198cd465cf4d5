from __future__ import annotations

import numpy as np
import pytest

from classifier.training.candidate import comparison
from classifier.training.feedback_reader import Song
from classifier.training.gate import Answers, difference, judge

GENRES = ("blues", "jazz", "rock")


def answers(truth: list[str], before: list[str], after: list[str], groups: list[int] | None = None) -> Answers:
    count = len(truth)
    return Answers(
        np.array(truth), np.array(before), np.array(after), np.array(groups or list(range(count))), np.ones(count)
    )


def songs(right_before: int, right_after: int, count: int, genre: str = "blues", wrong: str = "rock") -> Answers:
    def told(right: int) -> list[str]:
        return [genre] * right + [wrong] * (count - right)

    return answers([genre] * count, told(right_before), told(right_after))


def both(*parts: Answers) -> Answers:
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in ("truth", "before", "after")]
    count = len(columns[0])
    return Answers(columns[0], columns[1], columns[2], np.arange(count), np.ones(count))


EVEN = both(*(songs(70, 70, 100, genre, "pop") for genre in GENRES))
NOTHING = answers([], [], [])


class TestDifference:
    def test_the_same_answers_differ_by_nothing(self) -> None:
        found = difference("all", EVEN)
        assert (found.before, found.after) == (0.7, 0.7)
        assert -0.02 < found.low < 0 < found.high < 0.02
        assert not found.worse
        assert not found.better

    def test_a_clear_gain_is_better_and_a_clear_loss_worse(self) -> None:
        assert difference("all", songs(20, 60, 100)).better
        assert difference("all", songs(60, 20, 100)).worse

    def test_a_few_songs_prove_little(self) -> None:
        found = difference("all", songs(5, 6, 10))
        assert found.low < 0
        assert not found.better

    def test_four_songs_lost_of_hundreds_are_chance_and_ten_are_not(self) -> None:
        assert not difference("all", songs(600, 596, 700)).worse
        assert difference("all", songs(600, 590, 700)).worse

    def test_songs_of_one_artist_are_one_voice(self) -> None:
        apart = songs(40, 48, 100)
        together = Answers(apart.truth, apart.before, apart.after, np.arange(100) // 20, apart.weights)
        assert difference("all", apart).better
        assert not difference("all", together).better

    def test_what_is_hardly_believed_hardly_counts(self) -> None:
        mixed = both(songs(0, 10, 10), songs(10, 0, 10))
        weights = np.repeat([1.0, 0.01], 10)
        found = difference("all", Answers(mixed.truth, mixed.before, mixed.after, mixed.groups, weights))
        assert found.after == pytest.approx(0.99, abs=0.01)

    def test_no_songs_decide_nothing(self) -> None:
        found = difference("all", NOTHING)
        assert (found.songs, found.better, found.worse) == (0, False, False)


class TestGate:
    def test_better_on_feedback_and_no_worse_on_the_base_passes(self) -> None:
        verdict = judge(EVEN, EVEN, songs(10, 30, 40), [])
        assert verdict.passed
        assert "Better on feedback: 0.250 → 0.750 over 40 songs" in verdict.reasons[1]

    def test_a_genre_that_is_newly_known_passes(self) -> None:
        verdict = judge(EVEN, EVEN, songs(0, 3, 4, "cheo"), ["cheo"])
        assert verdict.passed
        assert any(reason.startswith("Newly able: cheo") for reason in verdict.reasons)

    @pytest.mark.parametrize(("right", "count"), [(2, 2), (1, 4), (0, 20)])
    def test_a_new_genre_that_is_not_shown_to_be_known_does_not(self, right: int, count: int) -> None:
        feedback = both(songs(0, right, count, "cheo"), songs(30, 30, 40))
        verdict = judge(EVEN, EVEN, feedback, ["cheo"])
        assert verdict.passed is (right == count == 2 and verdict.feedback.better)
        if not verdict.passed:
            assert any("cheo" in reason for reason in verdict.reasons)

    @pytest.mark.parametrize(("right", "count", "passed"), [(7, 20, True), (6, 20, False), (40, 100, False)])
    def test_a_genre_that_few_songs_teach_need_not_be_known_as_well(self, right: int, count: int, passed: bool) -> None:
        assert judge(EVEN, EVEN, songs(0, right, count, "cheo"), ["cheo"]).passed is passed

    def test_where_songs_were_withdrawn_it_need_not_be_better_but_may_not_be_worse(self) -> None:
        assert judge(EVEN, EVEN, NOTHING, [], withdrawn=1).passed
        assert not judge(songs(80, 60, 100), EVEN, NOTHING, [], withdrawn=1).passed

    def test_no_songs_are_told_without_a_number(self) -> None:
        verdict = judge(EVEN, EVEN, NOTHING, [])
        assert "nan" not in " ".join(verdict.reasons)

    def test_no_better_is_not_enough(self) -> None:
        verdict = judge(EVEN, EVEN, songs(30, 30, 40), [])
        assert not verdict.passed
        assert verdict.reasons[0].startswith("No better beyond chance on feedback")

    def test_few_songs_of_feedback_suffice_where_the_base_gains_as_well(self) -> None:
        base = songs(60, 75, 100)
        assert judge(base, base, songs(15, 16, 25), []).passed
        assert not judge(base, base, songs(15, 15, 25), []).passed
        assert not judge(EVEN, EVEN, songs(15, 16, 25), []).passed

    def test_worse_on_the_base_is_refused_however_good_on_feedback(self) -> None:
        verdict = judge(songs(80, 60, 100), EVEN, songs(0, 40, 40), [])
        assert not verdict.passed
        assert verdict.reasons[0].startswith("Worse on the base: 0.800 → 0.600")

    def test_one_genre_may_not_pay_for_the_others(self) -> None:
        base = both(songs(70, 40, 100, "jazz"), songs(50, 80, 100, "rock", "pop"))
        verdict = judge(base, base, songs(0, 40, 40), [])
        assert not verdict.passed
        assert any(reason.startswith("Worse on jazz, base") for reason in verdict.reasons)

    def test_a_chain_of_small_losses_is_noticed(self) -> None:
        verdict = judge(songs(68, 67, 100), songs(90, 67, 100), songs(0, 40, 40), [])
        assert not verdict.passed
        assert "without feedback" in verdict.reasons[0]

    def test_new_genres_do_not_pay_for_known_ones(self) -> None:
        feedback = both(songs(0, 40, 40, "cheo"), songs(30, 10, 40, "blues"))
        verdict = judge(EVEN, EVEN, feedback, ["cheo"])
        assert not verdict.passed
        assert any("feedback on known genres" in reason for reason in verdict.reasons)

    def test_without_feedback_nothing_passes(self) -> None:
        assert not judge(EVEN, EVEN, NOTHING, []).passed

    def test_a_style_that_was_taught_is_measured_without_its_family_and_may_not_get_lost(self) -> None:
        vpop = songs(30, 30, 30, "vpop")
        kept = judge(EVEN, EVEN, vpop, [], taught=songs(28, 27, 30, "vpop", "pop"))
        lost = judge(EVEN, EVEN, vpop, [], taught=songs(28, 4, 30, "vpop", "pop"))
        assert [found.after for found in kept.by_genre if found.what == "vpop, feedback"] == [0.9]
        assert not any("vpop" in reason for reason in kept.reasons)
        assert lost.reasons[0].startswith("Worse on vpop, feedback")
        assert judge(EVEN, EVEN, vpop, [], taught=songs(28, 4, 30, "vpop", "pop"), withdrawn=1).passed


def test_the_family_of_a_style_is_right_unless_the_style_was_taught() -> None:
    heard = [Song(str(place), "vpop", 1, True, 2, False, 0, np.array([30.0]), {}) for place in range(3)]
    told = ["vpop", "pop", "rock"]
    assert comparison(heard, told, told, exact=()).after.tolist() == ["vpop", "vpop", "rock"]
    assert comparison(heard, told, told, exact=["vpop"]).after.tolist() == told
