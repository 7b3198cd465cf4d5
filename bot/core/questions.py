"""Questions to people: about songs that would teach most, for consent, and how many songs of a playlist are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.callbacks import AskingCallback, ConsentCallback, PlaylistCallback
from bot.core.chat import Button, OutgoingMessage

if TYPE_CHECKING:
    from bot.core.localization import Localizer
    from bot.core.playlist_question import PlaylistQuestion
    from storage import Question


def question_line(question: Question, words: Localizer) -> str:
    """Return a question about a song that would teach more than others."""
    if not question.label:
        return words.translate("ask-experts")
    missing = question.needed - question.recordings
    return words.translate("ask-genre", genre=words.genre(question.label), missing=missing, needed=question.needed)


def asking_buttons(words: Localizer, *, agreed: bool | None = None) -> tuple[Button, ...]:
    """Return the buttons by which a person says whether they want to be asked; only the change of what they said."""
    yes = Button(AskingCallback(agreed=True), words.translate("button-ask-me"))
    no = Button(AskingCallback(agreed=False), words.translate("button-do-not-ask"))
    return (yes, no) if agreed is None else (no,) if agreed else (yes,)


def consent_question(words: Localizer) -> OutgoingMessage:
    """Return the one question whether a person's corrections may train the next release."""
    return OutgoingMessage(
        words.translate("consent-question"),
        (
            Button(ConsentCallback(allow=True), words.translate("button-allow")),
            Button(ConsentCallback(allow=False), words.translate("button-refuse")),
        ),
    )


def playlist_question(
    question: PlaylistQuestion, words: Localizer, job_id: int, *, queued: int, daily: int
) -> OutgoingMessage:
    """Return the question how many songs of a playlist are wanted.

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
        words.translate(found if question.complete else found_more, count=question.count),
        words.translate(offer, count=offered),
        words.translate("list-limits", queued=queued, daily=daily),
    ]
    choices = [Button(PlaylistCallback(job_id, offered), words.translate(choice, count=offered))]
    if offered > 1:
        choices.append(Button(PlaylistCallback(job_id, 1), words.translate(choice, count=1)))
    choices.append(Button(PlaylistCallback(job_id, 0), words.translate("button-list-none")))
    return OutgoingMessage(" ".join(lines), tuple(choices))
