"""Entries as the page shows them: plain JSON, worded in the page's language, so that the page itself has no words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.core import messages, timeline
from bot.core.callbacks import PlaylistCallback
from bot.core.chat import Stage
from bot.core.localization import clock, percent
from bot.core.palette import THEMES
from bot.web.history_store import EntryState
from bot.web.upload_store import EXAMPLE_PREFIX

if TYPE_CHECKING:
    from bot.core.chat import OutgoingMessage
    from bot.core.conversation import AnswerView
    from bot.core.localization import Localizer
    from bot.web.history_store import HistoryEntry
    from classifier.song_report import SegmentReport
    from common.errors import SongError

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
        return _base(entry) | {"text": words.say(f"error-{entry.error}", **entry.error_values)}
    return _base(entry) | {"text": words.say("progress-cancelled")}


def expired(entry: HistoryEntry, error: SongError, words: Localizer) -> dict[str, Any]:
    """Return a song whose answer is no longer kept."""
    return _base(entry) | {"state": EntryState.FAILED, "text": messages.sentence(error, words.language)}


def answered(entry: HistoryEntry, view: AnswerView, words: Localizer) -> dict[str, Any]:
    """Return a song with its answer, and what its sender said of that."""
    report = view.report
    experts = messages.weighty_experts(report)
    return _base(entry) | {
        "headline": messages.headline(report, words),
        "sure": report.sure,
        "kind": report.kind,
        "wrong": words.say("button-wrong" if report.genre is not None else "button-is-music"),
        "details": messages.details(report, words, known=entry.known),
        "length": words.say("answer-length", length=clock(report.duration), segments=len(report.segments)),
        "model": words.say("page-model", model=report.model),
        "picture": {theme: f"songs/{entry.id}/timeline-{theme}.png?language={words.language}" for theme in THEMES}
        | {"alt": timeline.alt_text(report, words)},
        "segments": [_segment(segment, words, experts) for segment in report.segments],
        "opinion": None if view.correction is None else _correction(view.correction, words, view.reply.id),
    }


def _base(entry: HistoryEntry) -> dict[str, Any]:
    audio = f"examples/{entry.file.removeprefix(EXAMPLE_PREFIX)}" if entry.file.startswith(EXAMPLE_PREFIX) else None
    return {"id": entry.id, "state": entry.state, "title": entry.title, "audio": audio}


def _segment(segment: SegmentReport, words: Localizer, experts: list[str]) -> dict[str, Any]:
    time = f"{clock(segment.start)}–{clock(segment.end)}"
    if segment.genre is None:
        name = words.kind(segment.kind)
        return {"time": time, "genre": name[:1].upper() + name[1:], "confidence": "", "runner_up": "", "votes": ""}
    others = {genre: p for genre, p in segment.probabilities.items() if genre not in (segment.genre, segment.family)}
    runner_up = max(others, key=lambda genre: others[genre], default=None)
    return {
        "time": time,
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
        "said": words.say("opinion-agreed") if agrees else words.say("opinion-corrected", label=correction.name),
        "thanks": messages.thanks(correction, words, reply_id).text,
    }
