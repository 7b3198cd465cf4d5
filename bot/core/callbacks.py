"""The codec for what buttons carry: typed callbacks in the program, short strings on the platforms.

Every string fits into 64 bytes (Telegram's limit; Discord takes 100). Strings that earlier versions sent are still
understood; anything else raises ``ButtonExpired``.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, cast

from bot.core.errors import ButtonExpired
from bot.core.localization import language_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.core.localization import Language

GENRES_PER_PAGE = 25
"""Genres on one page of a list: as many options as a Discord select menu takes."""
CALLBACK_BYTES = 64
TEACHER_DIGITS = 16
GENRE_ID = re.compile(r"[a-z0-9_]{1,48}")
"""Ids of genres that fit into a button; those of every release that this project makes do."""


class Action(StrEnum):
    """What a button does; the value is the beginning of its string."""

    RIGHT = "right"
    WRONG = "wrong"
    UNDO = "undo"
    UNTEACH = "unteach"
    SECOND = "same"
    VOTES = "votes"
    NAMED = "is"
    CANCEL = "cancel"
    ALLOW = "allow"
    REFUSE = "refuse"
    ACCEPT = "accept"
    REJECT = "reject"
    RELABEL = "other"
    MERGE = "merge"
    SKIP = "skip"
    ACCEPT_ALL = "acceptall"
    UNRULE = "unrule"
    TAKE = "take"
    PAGE = "turn"
    PICK = "pick"
    NAME = "name"
    NEW = "new"
    LANGUAGE = "language"
    FORGET = "forget"
    SETTING = "set"
    ASK = "ask"


class ChoicePurpose(StrEnum):
    """Why a genre is chosen: for a person's correction, or for a moderator's ruling or merge."""

    CORRECT = "song"
    RELABEL = "rule"
    MERGE = "join"


Setting = Literal["language", "picture", "listen"]


@dataclass(frozen=True, slots=True)
class AnswerCallback:
    """A button below an answer: ``RIGHT``, ``WRONG``, ``UNDO`` or ``VOTES``; ``UNTEACH`` if the song was taught."""

    action: Action
    reply_id: str

    def __str__(self) -> str:
        return f"{self.action}:{self.reply_id}"


@dataclass(frozen=True, slots=True)
class NamedGenreCallback:
    """A button that says that a song is of the genre with this id, as an unsure answer has one per genre it names."""

    reply_id: str
    genre: str
    action = Action.NAMED

    def __str__(self) -> str:
        return f"{self.action}:{self.reply_id}:{self.genre}"


@dataclass(frozen=True, slots=True)
class SecondCallback:
    """Agrees with all songs of a lesson, whatever becomes of each of them until the button is pressed.

    Attributes
    ----------
    label
        Number of the label that was taught.
    teacher
        The beginning of the keyed hash of whoever taught it, ``TEACHER_DIGITS`` long.
    minute
        When others were invited, in minutes since 1970 (UTC).
    """

    label: int
    teacher: str
    minute: int
    action = Action.SECOND

    def __str__(self) -> str:
        return f"{self.action}:{self.label}:{self.teacher}:{self.minute}"


@dataclass(frozen=True, slots=True)
class CancelCallback:
    """The button that stops a song."""

    job_id: int
    action = Action.CANCEL

    def __str__(self) -> str:
        return f"{self.action}:{self.job_id}"


@dataclass(frozen=True, slots=True)
class PlaylistCallback:
    """The answer to the question how many songs of a playlist are wanted; 0 for none."""

    job_id: int
    count: int
    action = Action.TAKE

    def __str__(self) -> str:
        return f"{self.action}:{self.job_id}-{self.count}"


@dataclass(frozen=True, slots=True)
class ConsentCallback:
    """Whether a person's corrections may be used for training."""

    allow: bool

    @property
    def action(self) -> Action:
        """``ALLOW`` or ``REFUSE``."""
        return Action.ALLOW if self.allow else Action.REFUSE

    def __str__(self) -> str:
        return f"{self.action}:"


@dataclass(frozen=True, slots=True)
class ReviewCallback:
    """A moderator's button below a song, by one of its corrections.

    ``ACCEPT`` takes this one's label for the song, ``REJECT``, ``RELABEL`` and ``SKIP`` concern all opinions on it,
    ``MERGE`` this one's label. ``ACCEPT_ALL`` takes all songs of this label on which people agree, ``UNRULE`` takes
    back what was ruled together with this one.
    """

    action: Action
    correction_id: int

    def __str__(self) -> str:
        return f"{self.action}:{self.correction_id}"


@dataclass(frozen=True, slots=True)
class GenreTarget:
    """What a genre is chosen for: a reply's id for a correction, a correction's number for a moderator."""

    purpose: ChoicePurpose
    subject: str

    @property
    def correction_id(self) -> int:
        """The correction that a moderator chooses a genre for."""
        return int(self.subject)

    def __str__(self) -> str:
        return f"{self.purpose}.{self.subject}"


@dataclass(frozen=True, slots=True)
class GenreCallback:
    """Part of a list of genres.

    Attributes
    ----------
    action
        ``PAGE`` shows another page, ``PICK`` takes a genre, ``NAME`` asks for a name that is not in the list, ``NEW``
        adds the name that the person typed before.
    number
        The page's first genre (``PAGE``), or the number of the label (``PICK``; None for a menu that sends its value
        beside the callback).
    """

    action: Action
    target: GenreTarget
    number: int | None = None

    def __str__(self) -> str:
        number = "" if self.number is None else f":{self.number}"
        return f"{self.action}:{self.target}{number}"


@dataclass(frozen=True, slots=True)
class LanguageCallback:
    """The language that the bot is to speak with a person."""

    language: Language
    action = Action.LANGUAGE

    def __str__(self) -> str:
        return f"{self.action}:{self.language}"


@dataclass(frozen=True, slots=True)
class ForgetCallback:
    """The answer to the question whether to delete everything about a person; ``person_id`` is who was asked."""

    confirmed: bool
    person_id: str | None
    action = Action.FORGET

    def __str__(self) -> str:
        answer = "yes" if self.confirmed else "no"
        # The version before did not say who was asked.
        return f"wipe:{answer}" if self.person_id is None else f"{self.action}:{answer}:{self.person_id}"


@dataclass(frozen=True, slots=True)
class SettingCallback:
    """A chat's setting: ``language`` (``en``, ``vi``, ``each``), ``picture`` or ``listen`` (``on``, ``off``)."""

    setting: Setting
    value: str
    action = Action.SETTING

    def __str__(self) -> str:
        return f"{self.action}:{self.setting}:{self.value}"


@dataclass(frozen=True, slots=True)
class AskingCallback:
    """Whether a person wants to be asked about songs that would teach most."""

    agreed: bool
    action = Action.ASK

    def __str__(self) -> str:
        return f"{self.action}:{'yes' if self.agreed else 'no'}"


Callback = (
    AnswerCallback
    | AskingCallback
    | NamedGenreCallback
    | CancelCallback
    | PlaylistCallback
    | ConsentCallback
    | ReviewCallback
    | SecondCallback
    | GenreCallback
    | LanguageCallback
    | ForgetCallback
    | SettingCallback
)

NEEDS_ADMINISTRATOR = frozenset(
    {Action.CANCEL, Action.ACCEPT, Action.REJECT, Action.RELABEL, Action.MERGE, Action.SKIP, Action.SETTING}
    | {Action.ACCEPT_ALL, Action.UNRULE}
)


def _language(match: re.Match[str]) -> Callback:
    language = language_of(match[1])
    if language is None:
        raise ButtonExpired()
    return LanguageCallback(language)


def _genre(action: Action, target: str, number: str | None) -> Callback:
    purpose, _, subject = target.partition(".")
    return GenreCallback(action, GenreTarget(ChoicePurpose(purpose), subject), None if number is None else int(number))


_ID, _NUMBER = "[A-Za-z0-9_-]{1,24}", "[0-9]{1,18}"
_TARGET = rf"(song\.{_ID}|rule\.{_NUMBER}|join\.{_NUMBER})"
# What earlier versions called the purposes of a list of genres on Telegram.
_OLD_PURPOSES = {
    "pick": ChoicePurpose.CORRECT,
    "list": ChoicePurpose.CORRECT,
    "rule": ChoicePurpose.RELABEL,
    "rules": ChoicePurpose.RELABEL,
}
_OLD_PURPOSES |= {"fuse": ChoicePurpose.MERGE, "fuses": ChoicePurpose.MERGE}

_DECODERS: dict[str, Callable[[re.Match[str]], Callback]] = {
    rf"(right|wrong|undo|unteach|votes):({_ID})": lambda m: AnswerCallback(Action(m[1]), m[2]),
    rf"is:({_ID}):({GENRE_ID.pattern})": lambda m: NamedGenreCallback(m[1], m[2]),
    rf"same:([0-9]{{1,9}}):([0-9a-f]{{{TEACHER_DIGITS}}}):([0-9]{{1,9}})": lambda m: SecondCallback(
        int(m[1]), m[2], int(m[3])
    ),
    rf"cancel:({_NUMBER})": lambda m: CancelCallback(int(m[1])),
    rf"take:({_NUMBER})-([0-9]{{1,2}})": lambda m: PlaylistCallback(int(m[1]), int(m[2])),
    r"ask:(yes|no)": lambda m: AskingCallback(m[1] == "yes"),
    r"(allow|refuse):": lambda m: ConsentCallback(m[1] == Action.ALLOW),
    rf"(accept|reject|other|merge|skip|acceptall|unrule):({_NUMBER})": lambda m: ReviewCallback(
        Action(m[1]), int(m[2])
    ),
    rf"turn:{_TARGET}:([0-9]{{1,6}})": lambda m: _genre(Action.PAGE, m[1], m[2]),
    rf"pick:{_TARGET}(?::([0-9]{{1,9}}))?": lambda m: _genre(Action.PICK, m[1], m[2]),
    rf"new:{_TARGET}": lambda m: _genre(Action.NEW, m[1], None),
    rf"(?:name|sort):{_TARGET}": lambda m: _genre(Action.NAME, m[1], None),
    r"(?:language|speak):([a-z]{2})": _language,
    rf"forget:(yes|no):({_ID})": lambda m: ForgetCallback(m[1] == "yes", m[2]),
    r"wipe:(yes|no)": lambda m: ForgetCallback(m[1] == "yes", None),
    r"set:(language|picture|listen):([a-z]{2,4})": lambda m: SettingCallback(cast("Setting", m[1]), m[2]),
    rf"(pick|rule|fuse):({_ID}):([0-9]{{1,9}})": lambda m: _genre(Action.PICK, f"{_OLD_PURPOSES[m[1]]}.{m[2]}", m[3]),
    rf"(list|rules|fuses):({_ID}):([0-9]{{1,4}})": lambda m: _genre(
        Action.PAGE, f"{_OLD_PURPOSES[m[1]]}.{m[2]}", str(GENRES_PER_PAGE * int(m[3]))
    ),
}


def decode(data: str) -> Callback:
    """Return the callback that a string carries; raises ``ButtonExpired`` for anything else."""
    for pattern, read in _DECODERS.items():
        match = re.fullmatch(pattern, data)
        if match is not None:
            callback = read(match)
            if isinstance(callback, GenreCallback) and callback.target.purpose is not ChoicePurpose.CORRECT:
                _check_number(callback.target.subject)
            return callback
    raise ButtonExpired()


def decode_known(data: str) -> Callback | None:
    """Return the callback that a string carries; None for any other string."""
    with suppress(ButtonExpired):
        return decode(data)
    return None


def needs_administrator(data: str) -> bool:
    """Return whether what a button may do depends on the person being an administrator of the chat."""
    callback = decode_known(data)
    if isinstance(callback, GenreCallback):
        return callback.target.purpose is not ChoicePurpose.CORRECT
    return callback is not None and callback.action in NEEDS_ADMINISTRATOR


def _check_number(subject: str) -> None:
    if re.fullmatch(_NUMBER, subject) is None:
        raise ButtonExpired()
