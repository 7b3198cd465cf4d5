"""Entries as the page shows them: plain JSON, worded in the page's language, so that the page itself has no words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.core import messages, questions, timeline
from bot.core.callbacks import PlaylistCallback
from bot.core.chat import Stage
from bot.core.localization import clock, percent
from bot.core.palette import THEMES
from bot.web.history_store import EntryState
from bot.web.upload_store import EXAMPLE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Collection

    from bot.core.answer_view import AnswerView
    from bot.core.chat import OutgoingMessage
    from bot.core.localization import Localizer
    from bot.web.history_store import HistoryEntry
    from classifier.song_report import SegmentReport, SongReport
    from common.errors import SongError

# So many parts are named as those in which the answer is clearest.
CLEAREST = 3
# How much of the bar each stage has behind it when it begins.
SHARE_BEFORE = {
    "queued": 0.0,
    "fetching": 0.02,
    "asking": 0.03,
    "waiting": 0.04,
    "decoding": 0.05,
    "listening": 0.1,
    "answering": 0.97,
}


def waiting(entry: HistoryEntry, stage: Stage | None, words: Localizer) -> dict[str, Any]:
    """Return a song that waits for its answer."""
    at = stage or Stage("answering")
    share = SHARE_BEFORE[at.kind]
    if at.kind == "listening" and at.segments:
        heard = (at.segment - 1) / at.segments
        share += heard * (SHARE_BEFORE["answering"] - share)
    return _base(entry) | {"progress": {"text": messages.progress(at, words), "share": round(share, 3)}}


def asking(entry: HistoryEntry, question: OutgoingMessage) -> dict[str, Any]:
    """Return a link that leads to many songs, with the question how many of them are wanted."""
    choices = [
        {"count": button.callback.count, "text": button.text}
        for button in question.buttons
        if isinstance(button.callback, PlaylistCallback)
    ]
    return _base(entry) | {"state": "asking", "text": question.text, "choices": choices}


def ended(entry: HistoryEntry, words: Localizer) -> dict[str, Any]:
    """Return a song that has no answer: it failed, or was stopped."""
    if entry.error is not None:
        return _base(entry) | {"text": words.translate(f"error-{entry.error}", **entry.error_values)}
    return _base(entry) | {"text": words.translate("progress-cancelled")}


def expired(entry: HistoryEntry, error: SongError, words: Localizer) -> dict[str, Any]:
    """Return a song whose answer is no longer kept."""
    return _base(entry) | {"state": EntryState.FAILED, "text": messages.sentence(error, words.language)}


def answered(
    entry: HistoryEntry, view: AnswerView, words: Localizer, deciding: Collection[str] | None = None
) -> dict[str, Any]:
    """Return a song with its answer, and what its sender said of that.

    Parameters
    ----------
    deciding
        The experts with a weight in the answer; None if nobody knows them.
    """
    report = view.report
    voting = messages.weighty_experts(report)
    experts = voting if deciding is None else [expert for expert in voting if expert in deciding]
    return _base(entry) | {
        "headline": messages.headline(report, words),
        # The family of a style stands in the headline; a row has no room for it.
        "genre": words.genre_title(report.genre) if report.genre else _capital(words.answer_name(report)),
        "confidence": f"{percent(report.confidence)}%" if report.genre is not None else "",
        "about": words.genre_about(report.genre or ""),
        "tags": [words.tag(tag.tag) for tag in report.tags],
        "choices": _choices(view, words),
        "experts": _expert_lines(report, experts, words),
        "silent_experts": [_silent(expert, report, words) for expert in voting if expert not in experts],
        "why": _why(report, words),
        "sure": report.sure,
        "kind": report.kind,
        "wrong": words.translate(messages.wrong_button(report)),
        "details": [
            *messages.details(report, words, known=entry.known),
            *([] if view.question is None else [questions.question_line(view.question, words)]),
        ],
        "length": words.translate("answer-length", length=clock(report.duration), segments=len(report.segments)),
        "seconds": report.duration,
        "model": words.translate("page-model", model=report.model),
        "picture": {theme: f"songs/{entry.id}/timeline-{theme}.png?language={words.language}" for theme in THEMES}
        | {"alt": timeline.alt_text(report, words)}
        | timeline.geometry(report),
        "segments": [_segment(segment, words, experts, report) for segment in report.segments],
        "opinion": None if view.correction is None else _correction(view.correction, words, view.reply.id),
    }


def _base(entry: HistoryEntry) -> dict[str, Any]:
    audio = f"examples/{entry.file.removeprefix(EXAMPLE_PREFIX)}" if entry.file.startswith(EXAMPLE_PREFIX) else None
    return {"id": entry.id, "state": entry.state, "title": entry.title, "audio": audio}


def _choices(view: AnswerView, words: Localizer) -> list[dict[str, str]]:
    """Return a button for each genre that an unsure answer names, and for the one that the person is asked about."""
    genres = list(messages.named_genres(view.report))
    if view.question is not None and view.question.label:
        # Instead of "right", as other genres are offered.
        genres = [view.question.label, *(genres or [view.report.genre or ""])]
    return [{"label": genre, "text": words.genre_title(genre)} for genre in dict.fromkeys(genres) if genre]


def _expert_lines(report: SongReport, experts: list[str], words: Localizer) -> list[str]:
    return messages.votes(report, words, experts).split("\n") if report.genre is not None and experts else []


def _silent(expert: str, report: SongReport, words: Localizer) -> str:
    return words.translate(
        "page-silent-expert", expert=_capital(words.expert(expert)), genre=words.genre(report.genre or "")
    )


def _why(report: SongReport, words: Localizer) -> list[str]:
    """Return what speaks for the answer: the parts in which it is clearest, and the tags."""
    if report.genre is None:
        return []
    lines = []
    if len(report.segments) > 1:
        parts = sorted(report.segments, key=lambda part: -part.probabilities.get(report.genre or "", 0.0))[:CLEAREST]
        told = ", ".join(
            words.translate(
                "page-why-part",
                start=clock(part.start),
                end=clock(part.end),
                confidence=percent(part.probabilities.get(report.genre, 0.0)),
            )
            for part in sorted(parts, key=lambda part: part.start)
        )
        lines.append(words.translate("page-why-parts", genre=words.genre(report.genre), parts=told))
    if report.tags:
        lines.append(words.translate("page-why-tags", tags=messages.tag_line(report, words)))
    return lines


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _segment(segment: SegmentReport, words: Localizer, experts: list[str], report: SongReport) -> dict[str, Any]:
    place = {
        "time": f"{clock(segment.start)}–{clock(segment.end)}",
        "start": segment.start,
        "end": segment.end,
        "probability": round(segment.confidence, 2) if segment.genre else 1,
        "colour": None if segment.genre is None else timeline.colours(segment.genre, report),
    }
    if segment.genre is None:
        name = _capital(words.kind(segment.kind))
        return place | {"genre": name, "confidence": "", "runner_up": "", "votes": ""}
    others = {genre: p for genre, p in segment.probabilities.items() if genre not in (segment.genre, segment.family)}
    runner_up = max(others, key=lambda genre: others[genre], default=None)
    return place | {
        "genre": words.genre_title(segment.genre),
        "confidence": f"{percent(segment.confidence)}%",
        "runner_up": "" if runner_up is None else f"{words.genre(runner_up)} {percent(others[runner_up])}%",
        "votes": "; ".join(
            f"{words.expert(expert)}: {words.genre(genre)}"
            for expert, genre in segment.votes.items()
            if expert in experts
        ),
    }


def _correction(correction: messages.CorrectionView, words: Localizer, reply_id: str) -> dict[str, Any]:
    agrees = correction.agrees
    return {
        "label": correction.label,
        "name": _capital(correction.name),
        "said": words.translate("opinion-agreed")
        if agrees
        else words.translate("opinion-corrected", label=correction.name),
        "thanks": messages.thanks(correction, words, reply_id).text,
    }
