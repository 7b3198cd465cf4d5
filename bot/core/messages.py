"""What is said about a song, as text and buttons in the person's language; pictures are ``timeline``'s.

Nothing here asks a database or a platform: data in, words out.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING

from bot.core.localization import clock, percent, say

if TYPE_CHECKING:
    from bot.core.chat import Song, Stage
    from bot.core.localization import Language
    from bot.core.playlist_prompt import Question
    from bot.core.vocabulary import Words
    from classifier.song_report import SegmentReport, SongReport
    from common.errors import UserError

FROM_LIST = "from-list"
"""In the payload of a song that was taken from a list."""
SHORT_SONG_SECONDS = 12.0
TITLE_CHARACTERS = 120
# A second guess is worth naming if it is at least this likely, compared with the first.
WORTH_NAMING = 0.4
RUNNER_UP_PROBABILITY = 0.05


class Action(StrEnum):
    """What a button does."""

    RIGHT = "right"
    WRONG = "wrong"
    UNDO = "undo"
    VOTES = "votes"
    CANCEL = "cancel"
    ALLOW = "allow"
    REFUSE = "refuse"
    ACCEPT = "accept"
    REJECT = "reject"
    RELABEL = "other"
    MERGE = "merge"
    SKIP = "skip"
    TAKE = "take"


@dataclass(frozen=True, slots=True)
class Button:
    """A button: what it does, to what (a reply's id, a job's number, or nothing), and what it says."""

    action: Action
    subject: str
    text: str

    @property
    def data(self) -> str:
        """What a platform gives back when the button is pressed; at most 32 characters."""
        return f"{self.action}:{self.subject}"


@dataclass(frozen=True, slots=True)
class Message:
    """Something to say, and the buttons below it."""

    text: str
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a person said of an answer.

    Attributes
    ----------
    label, name
        The label's id, and its name in the person's language.
    agrees
        Whether that is what the bot had said.
    proposed
        Whether nobody has confirmed the label yet.
    """

    label: str
    name: str
    agrees: bool
    proposed: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring segments with the same genre."""

    start: float
    end: float
    genre: str
    confidence: float


def read_button(data: str) -> tuple[Action, str] | None:
    """Read a button's data; None for what no button of ours says."""
    match = re.fullmatch(r"([a-z]{4,6}):([A-Za-z0-9_-]{0,24})", data)
    if match is None or match[1] not in set(Action):
        return None
    return Action(match[1]), match[2]


def sentence(error: UserError, language: Language) -> str:
    """Return what went wrong, and what to do next, in the person's language."""
    return say(language, f"error-{error.code}", **error.values)


def clean_title(title: str | None) -> str | None:
    """Return a song's name fit to be shown: one line, no control or direction marks, not longer than a line or two."""
    kept = "".join(
        " " if unicodedata.category(character) in {"Cc", "Zl", "Zp"} else character
        for character in unicodedata.normalize("NFC", title or "")
        if unicodedata.category(character) not in {"Cf", "Cs", "Co", "Cn"}
    )
    short = " ".join(kept.split())[:TITLE_CHARACTERS].strip()
    return short or None


def is_from_list(song: Song) -> bool:
    """Whether a song is one of several behind a link: what is said of it must say which."""
    return bool(song.payload.get(FROM_LIST))


def headline(report: SongReport, words: Words) -> str:
    """Return the answer in one sentence; an unsure one is said as unsure."""
    genre, confidence = words.genre(report.genre), percent(report.confidence)
    if report.sure:
        return words.say("answer-sure", genre=genre, confidence=confidence)
    rival = _rival(report)
    if rival is None:
        return words.say("answer-unsure-one", genre=genre, confidence=confidence)
    return words.say(
        "answer-unsure-two",
        genre=genre,
        confidence=confidence,
        other=words.genre(rival[0]),
        other_confidence=percent(rival[1]),
    )


def _rival(report: SongReport) -> tuple[str, float] | None:
    """Return the second guess of an unsure answer, if it is close enough to be named with the first."""
    close = [(other, p) for other, p in report.runners_up(1) if p >= WORTH_NAMING * report.confidence]
    return close[0] if close and not report.sure else None


def details(report: SongReport, words: Words, *, known: bool = False) -> list[str]:
    """Return what else there is to say of the whole song, one sentence a line."""
    lines = []
    unnamed = [runner_up for runner_up in report.runners_up(2) if runner_up != _rival(report)]
    close = [(genre, probability) for genre, probability in unnamed if probability >= RUNNER_UP_PROBABILITY]
    if close:
        genres = ", ".join(
            words.say("answer-runner-up", genre=words.genre(genre), confidence=percent(probability))
            for genre, probability in close
        )
        lines.append(words.say("answer-runners-up", genres=genres))
    if report.duration < SHORT_SONG_SECONDS:
        lines.append(words.say("answer-short", seconds=round(report.duration)))
    if known:
        lines.append(words.say("answer-known"))
    return lines


def stretches(segments: tuple[SegmentReport, ...]) -> list[Stretch]:
    """Join neighbouring segments with the same genre; their confidence is the mean."""
    joined = []
    for genre, run in groupby(segments, key=lambda segment: segment.genre):
        parts = list(run)
        mean = sum(part.confidence for part in parts) / len(parts)
        joined.append(Stretch(parts[0].start, parts[-1].end, genre, mean))
    return joined


def breakdown(report: SongReport, words: Words, *, characters: int) -> list[str]:
    """Return the song part by part, one stretch a line, in at most so many characters in all."""
    lines = [
        words.say(
            "answer-part",
            start=clock(stretch.start),
            end=clock(stretch.end),
            genre=words.genre(stretch.genre),
            confidence=percent(stretch.confidence),
        )
        for stretch in stretches(report.segments)
    ]
    if len("\n".join(lines)) <= characters:
        return lines
    for kept in range(len(lines) - 1, -1, -1):
        short = [*lines[:kept], words.say("answer-more-parts", count=len(lines) - kept)]
        if len("\n".join(short)) <= characters:
            return short
    return []


def answer(
    report: SongReport,
    words: Words,
    reply_id: str,
    *,
    known: bool = False,
    opinion: Opinion | None = None,
    characters: int = 2000,
) -> Message:
    """Return a whole answer for a chat that shows text: what it is, what else it may be, the song part by part."""
    lines = [headline(report, words), *details(report, words, known=known)]
    if len(report.segments) > 1:
        room = characters - len("\n".join(lines)) - 2
        parts = breakdown(report, words, characters=room)
        lines += ["", *parts] if parts else []
    votes_button = Button(Action.VOTES, reply_id, words.say("button-votes"))
    return Message("\n".join(lines)[:characters], (*opinion_buttons(words, reply_id, opinion), votes_button))


def opinion_buttons(words: Words, reply_id: str, opinion: Opinion | None) -> tuple[Button, ...]:
    """Return the buttons below an answer: an opinion to give, or one to change or take back."""
    if opinion is None:
        return (
            Button(Action.RIGHT, reply_id, words.say("button-right")),
            Button(Action.WRONG, reply_id, words.say("button-wrong")),
        )
    return (
        Button(Action.WRONG, reply_id, words.say("button-change")),
        Button(Action.UNDO, reply_id, words.say("button-undo")),
    )


def votes(report: SongReport, words: Words) -> str:
    """Return what each expert would have said on its own, one expert a line."""
    lines = [words.say("answer-votes-heading")]
    for expert in sorted({expert for segment in report.segments for expert in segment.votes}):
        counted = Counter(segment.votes[expert] for segment in report.segments if expert in segment.votes)
        genres = ", ".join(
            words.say("answer-votes-count", genre=words.genre(genre), votes=count, segments=counted.total())
            for genre, count in counted.most_common(3)
        )
        lines.append(words.say("answer-votes-line", expert=words.expert(expert), genres=genres))
    return "\n".join(lines)


def progress(stage: Stage, words: Words) -> str:
    """Return how far a song has come, in a few words."""
    if stage.kind == "queued":
        if stage.place <= 1:
            return words.say("progress-queued-next")
        if stage.minutes is None:
            return words.say("progress-queued", place=stage.place)
        return words.say("progress-queued-estimate", place=stage.place, minutes=stage.minutes)
    if stage.kind == "listening":
        return words.say("progress-listening", segment=stage.segment, segments=stage.segments)
    if stage.kind == "fetching" and stage.megabytes:
        return words.say("progress-fetching-megabytes", megabytes=stage.megabytes)
    return words.say(f"progress-{stage.kind}")


def progress_message(stage: Stage, words: Words, job_id: int) -> Message:
    """Return the progress with the button that stops the song."""
    return Message(progress(stage, words), (Button(Action.CANCEL, str(job_id), words.say("button-cancel")),))


def list_question(question: Question, words: Words, job_id: int, *, queued: int, daily: int) -> Message:
    """Return the question how many songs of a list are wanted; every button says which job it is about, and how many.

    Parameters
    ----------
    queued, daily
        How many songs a person may have waiting, and send in 24 hours.
    """
    offered = len(question.items)
    found, found_more, offer, choice = ("list-found", "list-found-more", "list-offer", "button-list")
    if question.newest_first:
        found, found_more = "list-found-newest", "list-found-newest-more"
        offer, choice = "list-offer-newest", "button-list-newest"
    lines = [
        words.say(found if question.complete else found_more, count=question.count),
        words.say(offer, count=offered),
        words.say("list-limits", queued=queued, daily=daily),
    ]
    choices = [Button(Action.TAKE, f"{job_id}-{offered}", words.say(choice, count=offered))]
    if offered > 1:
        choices.append(Button(Action.TAKE, f"{job_id}-1", words.say(choice, count=1)))
    return Message(" ".join(lines), (*choices, Button(Action.TAKE, f"{job_id}-0", words.say("button-list-none"))))


def thanks(opinion: Opinion, words: Words, reply_id: str) -> Message:
    """Return the answer to an opinion that somebody gave."""
    kind = "agreed" if opinion.agrees else "proposed" if opinion.proposed else "taken"
    kind = f"correction-{kind}"
    return Message(words.say(kind, label=opinion.name), opinion_buttons(words, reply_id, opinion))


def consent_question(words: Words) -> Message:
    """Return the one question whether a person's corrections may train the next release."""
    return Message(
        words.say("consent-question"),
        (
            Button(Action.ALLOW, "", words.say("button-allow")),
            Button(Action.REFUSE, "", words.say("button-refuse")),
        ),
    )
