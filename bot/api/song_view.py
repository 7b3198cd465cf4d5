"""What programs are shown of a song, as JSON data; ``openapi.json`` describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot.core.messages import sentence_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.api.song_store import ApiSong
    from bot.core.answer_view import AnswerView
    from bot.core.chat import Stage
    from bot.core.localization import Language
    from bot.core.messages import CorrectionView

WORKING: Final = "working"
ENDED: Final = frozenset({"answered", "failed", "cancelled", "expanded"})
"""Statuses that do not change any more."""


def answered(song: ApiSong, view: AnswerView) -> dict[str, Any]:
    """Return a song with its report."""
    return _song(song, "answered") | {
        "known": song.known,
        "report": view.report.as_rounded_dict(),
        "correction": None if view.correction is None else correction(view.correction),
    }


def pending(song: ApiSong, stage: Stage | None, question: str | None) -> dict[str, Any]:
    """Return a song that has no answer yet, with how far it has come if that is known."""
    kind = "queued" if stage is None else stage.kind
    shown = _song(song, kind if kind in {"queued", "asking"} else WORKING)
    if stage is not None:
        steps = {
            "place": stage.place,
            "minutes": stage.minutes,
            "segment": stage.segment,
            "segments": stage.segments,
            "megabytes": stage.megabytes,
        }
        shown["progress"] = {"stage": stage.kind} | {name: value for name, value in steps.items() if value}
    return shown if question is None else shown | {"question": question}


def failed(song: ApiSong, code: str, values: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """Return a song with the reason why it has no answer."""
    return _song(song, "failed") | {"error": {"code": code, "detail": sentence_of(code, language, values)}}


def ended(song: ApiSong) -> dict[str, Any]:
    """Return a song that was stopped, or a playlist whose songs were taken."""
    return _song(song, song.state.value)


def correction(view: CorrectionView) -> dict[str, Any]:
    """Return a person's correction."""
    return {"genre": view.label, "name": view.name, "agrees": view.agrees, "proposed": view.proposed}


def _song(song: ApiSong, status: str) -> dict[str, Any]:
    return {"id": song.id, "status": status, "title": song.title, "created": song.created}
