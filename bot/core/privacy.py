"""A person's own data: consent to training, what is stored about them, and its deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.core import questions
from bot.core.callbacks import ConsentCallback
from bot.core.chat import Button, OutgoingMessage
from storage import ChatKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.genre_names import GenreNames
    from bot.core.identity import IdHasher, Person
    from bot.core.localization import Language
    from bot.core.moderation import Moderation
    from bot.core.song_queue import SongQueue
    from storage import Consent, ErasureSummary, Storage


class Privacy:
    """Answers about a person's own data.

    Parameters
    ----------
    storage, keys, names, queue, moderation
        As the conversation's.
    """

    def __init__(
        self, storage: Storage, keys: IdHasher, names: GenreNames, queue: SongQueue, moderation: Moderation
    ) -> None:
        self._storage = storage
        self._keys = keys
        self._names = names
        self._queue = queue
        self._moderation = moderation

    async def consent(self, person: Person) -> Consent:
        """Return whether a person's corrections may be used for training."""
        return await self._storage.people.consent(self._keys.person(person))

    async def open_question(self, person: Person, language: Language) -> OutgoingMessage | None:
        """Return the question for consent if it was asked but not answered yet."""
        consent = await self.consent(person)
        is_open = consent.asked is not None and consent.may_train is None
        is_open = is_open and self._moderation.learns_from(person.platform)
        return questions.consent_question(self._names.localizer(language)) if is_open else None

    async def set_consent(self, person: Person, language: Language, *, allow: bool) -> OutgoingMessage:
        """Store a person's choice, which also holds for their earlier corrections."""
        before = await self.consent(person)
        await self._storage.people.set_consent(self._keys.person(person), allow)
        kind, words = (
            "allowed" if allow else "withdrawn" if before.may_train else "refused",
            self._names.localizer(language),
        )
        text = words.translate(f"consent-{kind}")
        if allow and not self._moderation.learns_from(person.platform):
            return OutgoingMessage(words.translate("privacy-consent-nowhere", platform=person.platform))
        if allow and (await self.asks(person)) is None:
            return OutgoingMessage(f"{text}\n\n{words.translate('asking-offer')}", questions.asking_buttons(words))
        return OutgoingMessage(text)

    async def asks(self, person: Person) -> bool | None:
        """Return whether a person wants to be asked about songs that would teach most; None if they never said."""
        return (await self._storage.asking.state(self._keys.person(person))).agreed

    async def set_asking(self, person: Person, language: Language, *, agreed: bool) -> OutgoingMessage:
        """Store whether a person wants to be asked."""
        await self._storage.asking.agree(self._keys.person(person), agreed=agreed)
        return OutgoingMessage(self._names.localizer(language).translate("asking-yes" if agreed else "asking-no"))

    async def notice(self, person: Person, language: Language) -> OutgoingMessage:
        """Return what is stored, for how long and why, and the person's choice with the button to change it."""
        consent, words = await self.consent(person), self._names.localizer(language)
        state = "unasked" if consent.may_train is None else "yes" if consent.may_train else "no"
        allowed = bool(consent.may_train)
        change = Button(
            ConsentCallback(allow=not allowed), words.translate("button-withdraw" if allowed else "button-allow")
        )
        if not self._moderation.learns_from(person.platform):
            state = "nowhere"
        told = words.translate(f"privacy-consent-{state}", platform=person.platform)
        text = f"{words.translate('privacy')}\n\n{told}"
        if state == "nowhere":
            return OutgoingMessage(text, (change,) if allowed else ())
        if not allowed:
            return OutgoingMessage(text, (change,))
        asks = bool(await self.asks(person))
        text = f"{text} {words.translate('privacy-asking-yes' if asks else 'privacy-asking-no')}"
        return OutgoingMessage(text, (change, *questions.asking_buttons(words, agreed=asks)))

    async def my_data(self, person: Person, private_chats: Sequence[str] = ()) -> dict[str, Any]:
        """Return everything that is stored about a person, as JSON data.

        Parameters
        ----------
        private_chats
            Ids of the chats that are theirs alone.
        """
        return await self._storage.people.export_data(self._keys.person(person), self._places(person, private_chats))

    async def forget(self, person: Person, private_chats: Sequence[str] = ()) -> ErasureSummary:
        """Delete everything that is stored about a person, pending songs included; return how much it was."""
        key = self._keys.person(person)
        notify_chats = await self._queue.drop_person(key)
        forgotten = await self._storage.people.erase(key, self._places(person, private_chats))
        await notify_chats()
        return forgotten

    def _places(self, person: Person, private_chats: Sequence[str]) -> list[ChatKey]:
        return [ChatKey(person.platform, self._keys.chat(person.platform, chat)) for chat in private_chats]
