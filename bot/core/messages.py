"""Messages about a song: pure functions from reports, stages and errors to text and buttons in a person's language.

Pictures are drawn by ``timeline``.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from bot.core import questions
from bot.core.callbacks import (
    GENRE_ID,
    Action,
    AnswerCallback,
    CancelCallback,
    NamedGenreCallback,
)
from bot.core.chat import Button, OutgoingMessage
from bot.core.localization import clock, percent, translate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.core.chat import PendingSong, Stage
    from bot.core.localization import Language, Localizer
    from classifier.song_report import SegmentReport, SongReport
    from common.errors import UserError
    from storage import Question

SHORT_SONG_SECONDS = 12.0
EXCERPT_SECONDS = 45.0
"""A song that is no longer is one excerpt. Another one of the same song got another answer in 3 of 10 songs:
``python benchmarks/excerpts.py``."""
Reviewers = Literal["moderators", "others", "oneself", "nobody", "nowhere"]
"""Who decides on a proposed label: moderators, other people by agreeing, or the one person whom the bot serves."""
TITLE_CHARACTERS = 120
# A second guess is worth naming if it is at least this likely, compared with the first.
WORTH_NAMING = 0.4
PROBABLE = 0.6
"""Confidence from which on an answer that is not sure is called probable: “not sure, 91 %” puzzles people."""
RUNNER_UP_PROBABILITY = 0.05
# They carry no weight in a release that has other experts.
CLASSIC_EXPERTS = frozenset({"knn", "nn", "svm"})

# The errors that concern all songs which a person sends at once; each has a message that says how many were left out.
COUNTED_REFUSALS = frozenset({"too-many-queued", "too-many-today"})


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """A person's correction of an answer, as they are shown it.

    Attributes
    ----------
    label, name
        The label's id, and its name in the person's language.
    agrees
        Whether it is the genre that the bot had answered, or the family of that.
    proposed
        Whether no moderator has confirmed the label yet.
    style
        Name of the style that the bot had answered, if the person gave only its family.
    reviewers
        On whom it depends whether songs of this label are learnt; see ``Moderation.reviewers``.
    """

    label: str
    name: str
    agrees: bool
    proposed: bool
    style: str | None = None
    reviewers: Reviewers = "moderators"


@dataclass(frozen=True, slots=True)
class GenreSection:
    """Neighbouring segments with the same genre; where it is None they are no music, but of a kind."""

    start: float
    end: float
    genre: str | None
    confidence: float
    kind: str


def sentence(error: UserError, language: Language) -> str:
    """Return what went wrong, and what to do next, in the person's language."""
    return sentence_of(error.code, language, error.values)


def sentence_of(code: str, language: Language, values: Mapping[str, float | str]) -> str:
    """Return the sentence of an error of which the code and the placeholders were stored."""
    return translate(language, f"error-{code}", **values)


def refusal(error: UserError, language: Language, songs: int) -> str:
    """Return one sentence on why so many songs that came together were not taken."""
    if songs == 1 or error.code not in COUNTED_REFUSALS:
        return sentence(error, language)
    return translate(language, f"error-{error.code}-several", songs=songs, **error.values)


def clean_title(title: str | None) -> str | None:
    """Return a song's name fit to be shown: one line, no control or direction marks, not longer than a line or two."""
    kept = "".join(
        " " if unicodedata.category(character) in {"Cc", "Zl", "Zp"} else character
        for character in unicodedata.normalize("NFC", title or "")
        if unicodedata.category(character) not in {"Cf", "Cs", "Co", "Cn"}
    )
    short = " ".join(kept.split())[:TITLE_CHARACTERS].strip()
    return short or None


def headline(report: SongReport, words: Localizer) -> str:
    """Return the answer in one sentence: sure, probable or unsure, and what is not music as what it is."""
    if report.genre is None:
        return words.translate(f"answer-{report.kind}")
    genre, confidence = words.answer_name(report), percent(report.confidence)
    if report.sure:
        return words.translate("answer-sure", genre=genre, confidence=confidence)
    rival = _rival(report)
    if rival is None:
        message = "answer-probable" if report.confidence > PROBABLE else "answer-unsure-one"
        return words.translate(message, genre=genre, confidence=confidence)
    return words.translate(
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


def details(report: SongReport, words: Localizer, *, known: bool = False) -> list[str]:
    """Return what else there is to say of the whole song, one sentence a line."""
    lines = []
    unnamed = [runner_up for runner_up in report.runners_up(2) if runner_up != _rival(report)]
    close = [(genre, probability) for genre, probability in unnamed if probability >= RUNNER_UP_PROBABILITY]
    if close:
        genres = ", ".join(
            words.translate("answer-runner-up", genre=words.genre(genre), confidence=percent(probability))
            for genre, probability in close
        )
        lines.append(words.translate("answer-runners-up", genres=genres))
    if report.tags:
        lines.append(words.translate("answer-tags", tags=tag_line(report, words)))
    if report.genre is not None and report.duration < EXCERPT_SECONDS:
        kind = "short" if report.duration < SHORT_SONG_SECONDS else "excerpt"
        lines.append(words.translate(f"answer-{kind}", seconds=round(report.duration)))
    if known:
        lines.append(words.translate("answer-known"))
    return lines


def tag_line(report: SongReport, words: Localizer) -> str:
    """Return the words that describe a song, separated by commas."""
    return ", ".join(words.tag(tag.tag) for tag in report.tags)


def sections(segments: tuple[SegmentReport, ...]) -> list[GenreSection]:
    """Join neighbouring segments with the same genre, or of the same kind; their confidence is the mean."""
    joined = []
    for (genre, kind), run in groupby(segments, key=lambda segment: (segment.genre, segment.kind)):
        parts = list(run)
        mean = sum(part.confidence for part in parts) / len(parts)
        joined.append(GenreSection(parts[0].start, parts[-1].end, genre, mean, kind))
    return joined


def breakdown(report: SongReport, words: Localizer, *, characters: int) -> list[str]:
    """Return one line per section of the song, in at most so many characters in all."""
    lines = [_section_line(section, words) for section in sections(report.segments)]
    if len("\n".join(lines)) <= characters:
        return lines
    for kept in range(len(lines) - 1, -1, -1):
        short = [*lines[:kept], words.translate("answer-more-parts", count=len(lines) - kept)]
        if len("\n".join(short)) <= characters:
            return short
    return []


def _section_line(section: GenreSection, words: Localizer) -> str:
    times = {"start": clock(section.start), "end": clock(section.end)}
    if section.genre is None:
        return words.translate("answer-part-other", kind=words.kind(section.kind), **times)
    confidence = percent(section.confidence)
    return words.translate("answer-part", genre=words.genre(section.genre), confidence=confidence, **times)


def answer(
    report: SongReport,
    words: Localizer,
    reply_id: str,
    *,
    known: bool = False,
    shared: bool = False,
    question: Question | None = None,
    characters: int = 2000,
) -> OutgoingMessage:
    """Return a whole answer as text: the genre, other likely genres, and one line per section of the song.

    Parameters
    ----------
    known
        Whether this very recording had been classified before.
    shared
        Whether several people use the buttons.
    question
        What the person is asked about the song; None for nothing.
    characters
        The longest text.
    """
    lines = [headline(report, words), *details(report, words, known=known)]
    if question is not None:
        lines.append(questions.question_line(question, words))
    if report.genre is not None and len(report.segments) > 1:
        room = characters - len("\n".join(lines)) - 2
        parts = breakdown(report, words, characters=room)
        lines += ["", *parts] if parts else []
    return OutgoingMessage(
        "\n".join(lines)[:characters],
        answer_buttons(words, reply_id, report, with_votes=True, shared=shared, question=question),
    )


def named_genres(report: SongReport) -> tuple[str, ...]:
    """Return the genres that an unsure answer names, each of which gets a button; none for any other answer."""
    if report.sure or report.genre is None:
        return ()
    rival = _rival(report)
    named = (report.genre,) if rival is None else (report.genre, rival[0])
    return named if all(GENRE_ID.fullmatch(genre) for genre in named) else ()


def wrong_button(report: SongReport) -> str:
    """Return the name of the text on the button that opens the list of genres."""
    if report.genre is None:
        return "button-is-music"
    return "button-other" if named_genres(report) else "button-wrong"


def answer_buttons(
    words: Localizer,
    reply_id: str,
    report: SongReport,
    correction: CorrectionView | None = None,
    *,
    with_votes: bool = False,
    shared: bool = False,
    question: Question | None = None,
) -> tuple[Button, ...]:
    """Return the buttons below an answer.

    A sure answer can be confirmed; of an unsure one the person says which of the genres it names is right. What is
    not music has no genre to confirm and no expert voted, but a genre can be given.

    Parameters
    ----------
    correction
        The requester's correction, which the buttons show, to be changed or taken back; None to give one.
    with_votes
        Whether the experts' votes can be asked for.
    shared
        Whether several people use the buttons, so that a correction can always be taken back.
    question
        What the person is asked; the genre that it names gets the first button.
    """
    music = report.genre is not None
    votes_button = (
        (Button(AnswerCallback(Action.VOTES, reply_id), words.translate("button-votes")),)
        if with_votes and music
        else ()
    )
    undo = Button(AnswerCallback(Action.UNDO, reply_id), words.translate("button-undo"))
    if correction is not None:
        chosen = words.translate("button-chosen", genre=words.genre_title(correction.label))
        return (Button(AnswerCallback(Action.WRONG, reply_id), chosen), undo, *votes_button)
    named = named_genres(report)
    asked = question.label if question is not None and GENRE_ID.fullmatch(question.label) else ""
    offered = [Button(NamedGenreCallback(reply_id, genre), words.genre_title(genre)) for genre in named]
    if asked and asked not in named:
        offered.insert(0, Button(NamedGenreCallback(reply_id, asked), words.genre_title(asked)))
    if music and not named:
        offered.append(Button(AnswerCallback(Action.RIGHT, reply_id), words.translate("button-right")))
    offered.append(Button(AnswerCallback(Action.WRONG, reply_id), words.translate(wrong_button(report))))
    return (*offered, *votes_button, *((undo,) if shared else ()))


def weighty_experts(report: SongReport) -> list[str]:
    """Return the experts whose votes are shown: those of the classic recipe only where there are no others."""
    experts = {expert for segment in report.segments for expert in segment.votes}
    return sorted(experts - CLASSIC_EXPERTS or experts)


def votes(report: SongReport, words: Localizer, experts: Sequence[str] | None = None) -> str:
    """Return what each expert would have said on its own, one expert a line; by default all whose votes are shown."""
    lines = [words.translate("answer-votes-heading")]
    for expert in weighty_experts(report) if experts is None else experts:
        counted = Counter(segment.votes[expert] for segment in report.segments if expert in segment.votes)
        genres = ", ".join(
            words.translate("answer-votes-count", genre=words.genre(genre), votes=count, segments=counted.total())
            for genre, count in counted.most_common(3)
        )
        lines.append(words.translate("answer-votes-line", expert=words.expert(expert), genres=genres))
    return "\n".join(lines)


def progress(stage: Stage, words: Localizer) -> str:
    """Return how far a song has come, in a few words."""
    if stage.kind == "queued":
        if stage.place <= 1:
            return words.translate("progress-queued-next")
        if stage.minutes is None:
            return words.translate("progress-queued", place=stage.place)
        return words.translate("progress-queued-estimate", place=stage.place, minutes=stage.minutes)
    if stage.kind == "listening":
        return words.translate("progress-listening", segment=stage.segment, segments=stage.segments)
    if stage.kind == "fetching" and stage.megabytes:
        return words.translate("progress-fetching-megabytes", megabytes=stage.megabytes)
    return words.translate(f"progress-{stage.kind}")


def progress_message(stage: Stage, words: Localizer, job_id: int) -> OutgoingMessage:
    """Return the progress with the button that stops the song."""
    return OutgoingMessage(progress(stage, words), (Button(CancelCallback(job_id), words.translate("button-cancel")),))


def thanks(correction: CorrectionView, words: Localizer, reply_id: str) -> OutgoingMessage:
    """Return the thanks for a correction, which can be changed or taken back."""
    if correction.style is not None:
        text = words.translate("correction-family", label=correction.name, style=correction.style)
    else:
        kind = "agreed" if correction.agrees else "proposed" if correction.proposed else "taken"
        kind = f"correction-proposed-{correction.reviewers}" if kind == "proposed" else f"correction-{kind}"
        text = words.translate(kind, label=correction.name)
    change = Button(AnswerCallback(Action.WRONG, reply_id), words.translate("button-change"))
    return OutgoingMessage(
        text, (change, Button(AnswerCallback(Action.UNDO, reply_id), words.translate("button-undo")))
    )


def taught(report: SongReport, correction: CorrectionView, song: PendingSong, reply_id: str) -> OutgoingMessage:
    """Return what is said of a song that was sent to teach a genre."""
    words, values = song.words, {"label": correction.name}
    if report.genre is None:
        text = words.translate("teach-noted-not-music", **values)
    elif correction.agrees:
        text = words.translate("teach-noted-agreed", **values)
    else:
        answer, confidence = words.answer_name(report), percent(report.confidence)
        text = words.translate("teach-noted", genre=answer, confidence=confidence, **values)
    change = Button(AnswerCallback(Action.WRONG, reply_id), words.translate("button-change"))
    undo = Button(AnswerCallback(Action.UNTEACH, reply_id), words.translate("button-undo"))
    return OutgoingMessage(text, (change, undo), title=song.title)


def correction_kept(correction: CorrectionView, report: SongReport, words: Localizer, reply_id: str) -> OutgoingMessage:
    """Return the question to somebody who presses "Right" although they gave another genre, which stays until then."""
    text = words.translate("correction-kept", label=correction.name)
    undo = Button(AnswerCallback(Action.UNDO, reply_id), words.translate("button-undo"))
    if report.genre is None or GENRE_ID.fullmatch(report.genre) is None:
        return OutgoingMessage(text, (undo,))
    answer = words.translate("button-after-all", genre=words.genre_title(report.genre))
    return OutgoingMessage(text, (Button(NamedGenreCallback(reply_id, report.genre), answer), undo))
