"""What the conversation returns about an answer: as a person sees it, and after they corrected it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.core.chat import OutgoingMessage
    from bot.core.messages import CorrectionView
    from classifier.song_report import SongReport
    from storage import Question, Reply


@dataclass(frozen=True, slots=True)
class AnswerView:
    """An answer as one person sees it.

    Attributes
    ----------
    reply
        The stored reply, whose id the buttons carry.
    report
        The song's report.
    correction
        This person's correction; None if they gave none.
    question
        What they were asked about it last; None if nothing.
    """

    reply: Reply
    report: SongReport
    correction: CorrectionView | None
    question: Question | None = None


@dataclass(frozen=True, slots=True)
class CorrectionResult:
    """What comes back for a correction, or for taking one back.

    Attributes
    ----------
    reply
        The reply that was corrected.
    report
        The answer that it gave.
    message
        The thanks.
    question
        The question whether it may be used for training; None once it was asked.
    correction
        The correction as it now stands; None if it was taken back.
    kept
        Whether the person confirmed an answer that they had corrected, so that they are asked what they mean.
    """

    reply: Reply
    report: SongReport
    message: OutgoingMessage
    question: OutgoingMessage | None
    correction: CorrectionView | None
    kept: bool = False
