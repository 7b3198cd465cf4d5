"""The message that shows a moderator a song with all opinions on it, and what is said about rulings."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bot.core import messages
from bot.core.callbacks import Action, ReviewCallback
from bot.core.chat import Button, OutgoingMessage
from bot.core.localization import percent

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from bot.core.localization import Localizer
    from storage import Correction, Overruled, SongReview

LABELS_SHOWN = 5


def review_message(
    review: SongReview,
    words: Localizer,
    *,
    waiting: int,
    votes: Mapping[str, int],
    proposed: Collection[str],
    may_merge: bool,
    agreed: int,
) -> OutgoingMessage:
    """Return a song with the opinions that wait for a ruling, or with all of them if none does.

    Parameters
    ----------
    waiting
        Songs that wait for a ruling.
    votes
        How many people gave each label, in every chat.
    proposed
        Labels of the opinions that no moderator has confirmed yet.
    may_merge
        Whether the moderator may merge labels.
    agreed
        Corrections that a press on "all" would accept; 0 for no such button.
    """
    opinions = review.pending or review.opinions
    first, labels = opinions[0], Counter(opinion.label for opinion in opinions)
    title = messages.clean_title(first.title)
    numbers = ", ".join(str(opinion.id) for opinion in opinions)
    lines = [
        words.translate("review-heading", numbers=numbers, count=len(opinions), waiting=waiting),
        *([words.translate("review-title", title=title)] if title else []),
        _answer(first, words),
    ]
    if len(labels) == 1:
        kind = "agreed" if first.agrees else "given"
        lines.append(words.translate(f"review-{kind}", label=words.genre(first.label), people=len(opinions)))
    if proposed:
        lines.append(words.translate("review-proposed"))
    if len(votes) > 1:
        lines.append(words.translate("review-disputed", labels=_counted(votes, words)))
    lines += _earlier_rulings(review, words)
    if review.link is not None:
        lines.append(words.translate("review-link", link=review.link))
    merged = next((opinion.id for opinion in opinions if opinion.label in proposed), None) if may_merge else None
    return OutgoingMessage("\n".join(lines), _buttons(opinions, labels, words, merged, agreed))


def _answer(opinion: Correction, words: Localizer) -> str:
    if not opinion.predicted:
        return words.translate("review-said-not-music")
    kind = "sure" if opinion.sure else "unsure"
    return words.translate(
        f"review-said-{kind}", genre=words.genre(opinion.predicted), confidence=percent(opinion.confidence)
    )


def _counted(votes: Mapping[str, int], words: Localizer) -> str:
    return ", ".join(
        words.translate("review-disputed-count", label=words.genre(label), people=people)
        for label, people in list(votes.items())[:LABELS_SHOWN]
    )


def _earlier_rulings(review: SongReview, words: Localizer) -> list[str]:
    labels = {each.verdict for each in review.opinions if each.moderator is not None and each not in review.pending}
    if not labels:
        return []
    listed = ", ".join(words.genre(label) for label in sorted(labels))
    return [words.translate("review-ruled" if len(labels) == 1 else "review-moderators-disagree", labels=listed)]


def _buttons(
    opinions: Sequence[Correction], labels: Mapping[str, int], words: Localizer, merged: int | None, agreed: int
) -> tuple[Button, ...]:
    anchor, label = opinions[0].id, opinions[0].label
    if len(labels) == 1:
        accepting = [Button(ReviewCallback(Action.ACCEPT, anchor), words.translate("button-accept"))]
    else:
        first = {opinion.label: opinion.id for opinion in reversed(opinions)}
        ranked = sorted(labels, key=lambda each: (-labels[each], first[each]))[:LABELS_SHOWN]
        accepting = [
            Button(
                ReviewCallback(Action.ACCEPT, first[each]),
                words.translate("button-accept-label", label=words.genre_title(each), people=labels[each]),
            )
            for each in ranked
        ]
    further = [
        Button(ReviewCallback(Action.REJECT, anchor), words.translate("button-reject")),
        Button(ReviewCallback(Action.RELABEL, anchor), words.translate("button-relabel")),
    ]
    if merged is not None:
        further.append(Button(ReviewCallback(Action.MERGE, merged), words.translate("button-merge")))
    further.append(Button(ReviewCallback(Action.SKIP, anchor), words.translate("button-skip")))
    if agreed:
        every = words.translate("button-accept-all", label=words.genre_title(label), count=agreed)
        further.append(Button(ReviewCallback(Action.ACCEPT_ALL, anchor), every))
    return (*accepting, *further)


def overruled_by_me(found: Sequence[Overruled], words: Localizer) -> list[str]:
    """Return what a moderator is told whose ruling contradicts earlier ones of others."""
    return [
        words.translate("review-overruled", label=words.genre(label))
        for label in dict.fromkeys(each.before for each in found)
    ]


def overruled_by_others(found: Sequence[Overruled], words: Localizer) -> list[str]:
    """Return what a moderator is told whose rulings others contradicted."""
    return [
        words.translate(
            "review-you-were-overruled" if each.after else "review-you-were-rejected",
            title=messages.clean_title(each.title) or "…",
            before=words.genre(each.before),
            after=words.genre(each.after) if each.after else "",
        )
        for each in found
    ]
