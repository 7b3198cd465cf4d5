"""Carries out commands and button presses, the same way in every chat with messages and buttons.

A chat decodes what its platform sends, calls this, and shows the response that comes back.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core.callbacks import (
    Action,
    AnswerCallback,
    AskingCallback,
    CancelCallback,
    ChoicePurpose,
    ConsentCallback,
    ForgetCallback,
    GenreCallback,
    GenreTarget,
    LanguageCallback,
    NamedGenreCallback,
    PlaylistCallback,
    ReviewCallback,
    SecondCallback,
    SettingCallback,
    decode,
)
from bot.core.chat import Button, OutgoingFile, OutgoingMessage
from bot.core.correction_requests import CorrectionRequests
from bot.core.errors import NotYours
from bot.core.localization import LANGUAGES, OWN_NAMES, Language, Localizer, language_of
from bot.core.request import Placement, Requester, Response
from storage import CancelResult, ReviewStatus

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    from bot.core.callbacks import Setting
    from bot.core.chat import ChatLimits
    from bot.core.conversation import Conversation
    from bot.core.export_request import ExportRequest
    from bot.core.moderation import RulingMade
    from links import PlaylistItem


class RequestHandler:
    """What people ask for by commands and buttons; everything raises errors with a sentence for the person.

    Parameters
    ----------
    conversation
        Where requests go.
    limits
        The chat's platform.
    largest_file
        How many bytes a song may have there.

    Attributes
    ----------
    corrections
        Corrections, however people make them.
    """

    def __init__(self, conversation: Conversation, limits: ChatLimits, largest_file: int) -> None:
        self._conversation = conversation
        self._limits = limits
        self._largest_file = largest_file
        self.corrections = CorrectionRequests(conversation, limits)
        self._commands: Mapping[str, Callable[[Requester], Awaitable[Response]]] = {
            "help": self._help,
            "greeting": self._greeting,
            "about": self._about,
            "stats": self._stats,
            "privacy": self._privacy,
            "mydata": self._my_data,
            "forgetme": self._forget_question,
            "language": self._language_question,
            "settings": self._settings,
            "review": self._review,
            "counts": self._counts,
        }

    async def command(self, name: str, requester: Requester) -> Response:
        """Carry out a command without options."""
        return await self._commands[name](requester)

    async def press(self, requester: Requester, data: str, value: str = "") -> Response:
        """Carry out what a button, a menu or a text box asks for.

        Parameters
        ----------
        data
            What the button carries; see ``bot.core.callbacks``.
        value
            What was chosen in the menu, or typed into the text box.
        """
        conversation, person = self._conversation, requester.person
        callback = decode(data)
        match callback:
            case AnswerCallback():
                return await self.corrections.press(requester, callback)
            case NamedGenreCallback():
                return await self.corrections.press_named(requester, callback)
            case SecondCallback():
                return await self.corrections.second(requester, callback)
            case GenreCallback(action=Action.PAGE, target=target, number=offset):
                return await self.corrections.offer(requester, target, offset or 0, Placement.IN_PLACE)
            case GenreCallback(action=Action.NEW, target=target):
                return await self._add_genre(requester, target)
            case GenreCallback(target=target, number=number):
                label = value if number is None else await conversation.genres.numbered(number)
                return await self.choose_genre(requester, target, label)
            case ReviewCallback():
                return await self._press_review(requester, callback)
            case CancelCallback(job_id=job_id):
                return await self._cancel(requester, job_id)
            case PlaylistCallback():

                async def reply_target(_: PlaylistItem) -> Mapping[str, Any]:
                    return requester.reply_target

                await conversation.playlists.answer(callback, person, reply_target)
                return Response()
            case ConsentCallback(allow=allow):
                message = await conversation.privacy.set_consent(person, requester.language, allow=allow)
                notice, _, _ = message.text.partition("\n\n")
                return Response(message, Placement.IN_PLACE, notice=notice, personal=True)
            case AskingCallback(agreed=agreed):
                message = await conversation.privacy.set_asking(person, requester.language, agreed=agreed)
                return Response(message, Placement.IN_PLACE, notice=message.text, personal=True)
            case LanguageCallback(language=language):
                return await self.set_language(requester, language)
            case ForgetCallback():
                return await self._forget(requester, callback)
            case SettingCallback():
                return await self._change_setting(requester, callback)

    async def _cancel(self, requester: Requester, job_id: int) -> Response:
        done = await self._conversation.cancel(job_id, requester)
        if done is not CancelResult.TOO_LATE:
            return Response()
        if await self._conversation.is_left_behind(job_id, requester.message_id):
            return Response(notice=requester.words.translate("chat-already-over"), withdrawn=True)
        return Response(notice=requester.words.translate("chat-too-late"))

    async def choose_genre(self, requester: Requester, target: GenreTarget, label: str) -> Response:
        """Take a genre, by its label or in words, for what it was asked for."""
        if target.purpose is ChoicePurpose.CORRECT:
            return await self.corrections.choose(requester, target.subject, label)
        unclear = await self.corrections.unclear(requester, target, label)
        return unclear or await self._rule_with(requester, target, label)

    async def _add_genre(self, requester: Requester, target: GenreTarget) -> Response:
        if target.purpose is ChoicePurpose.CORRECT:
            return await self.corrections.add(requester, target.subject)
        return await self._rule_with(requester, target, self.corrections.confirmed_name(requester, target))

    # Moderation

    async def _rule_with(self, requester: Requester, target: GenreTarget, label: str) -> Response:
        """Relabel the correction of a target, or merge its label, as a moderator wants it."""
        moderation, number = self._conversation.moderation, target.correction_id
        if target.purpose is ChoicePurpose.RELABEL:
            return await self._next_review(
                requester, await moderation.rule(requester, number, ReviewStatus.RELABELLED, label)
            )
        done = await moderation.merge(requester, number, label)
        # A merge rules on no correction: the same one is shown again.
        again = await moderation.reviewed(requester, number)
        return _reviewed(again.message, done)

    async def export(self, requester: Requester, wanted: ExportRequest) -> Response:
        """Send corrections as a file."""
        return Response(await self._conversation.moderation.export(requester, wanted))

    async def _press_review(self, requester: Requester, callback: ReviewCallback) -> Response:
        number, moderation = callback.correction_id, self._conversation.moderation
        match callback.action:
            case Action.RELABEL | Action.MERGE:
                purpose = ChoicePurpose.MERGE if callback.action is Action.MERGE else ChoicePurpose.RELABEL
                return await self.corrections.offer(
                    requester, GenreTarget(purpose, str(number)), placement=Placement.IN_PLACE
                )
            case Action.ACCEPT | Action.REJECT:
                status = ReviewStatus.ACCEPTED if callback.action is Action.ACCEPT else ReviewStatus.REJECTED
                return await self._next_review(requester, await moderation.rule(requester, number, status))
            case Action.ACCEPT_ALL:
                return await self._next_review(requester, await moderation.accept_all(requester, number))
            case Action.UNRULE:
                undone = await moderation.undo(requester, number)
                return _reviewed((await moderation.reviewed(requester, number)).message, undone)
            case _:
                return _reviewed((await self._review_message(requester, number)), None)

    async def _review(self, requester: Requester) -> Response:
        return Response(await self._review_message(requester))

    async def _next_review(self, requester: Requester, made: RulingMade) -> Response:
        """Show the next song that waits for a ruling, below a sentence on the one before, which can be undone."""
        message = await self._review_message(requester, made.after)
        undo = Button(ReviewCallback(Action.UNRULE, made.number), requester.words.translate("button-undo-ruling"))
        return _reviewed(replace(message, buttons=(*message.buttons, undo)), made.text)

    async def _review_message(self, requester: Requester, after: int = 0) -> OutgoingMessage:
        moderation = self._conversation.moderation
        review = await moderation.review(requester, after=after)
        if review is not None:
            return review.message
        return OutgoingMessage(
            "\n\n".join([*await moderation.news(requester), requester.words.translate("review-none")])
        )

    async def _counts(self, requester: Requester) -> Response:
        return Response(OutgoingMessage(await self._conversation.moderation.stats(requester)))

    # About the bot and the chat

    def help_text(self, words: Localizer, *, private: bool, addressed_as: str | None = None) -> str:
        """Return what the bot can do, and within which limits."""
        limits = self._limits
        in_group = limits.help_group if addressed_as is None else limits.help_commands_only
        names = limits.help_private if private else in_group
        return self._conversation.info.help(names, words, self._largest_file, addressed_as)

    async def _help(self, requester: Requester) -> Response:
        words, addressed_as = requester.words, requester.addressed_as
        return Response(OutgoingMessage(self.help_text(words, private=requester.private, addressed_as=addressed_as)))

    async def _greeting(self, requester: Requester) -> Response:
        """Greet a group that the bot was just added to, with the gestures that reach it there."""
        help_text = (await self._help(requester)).message
        text = requester.words.translate("greeting-group")
        return Response(OutgoingMessage(f"{text}\n\n{'' if help_text is None else help_text.text}"))

    async def _about(self, requester: Requester) -> Response:
        return Response(OutgoingMessage(await self._conversation.info.about(requester.language)))

    async def _stats(self, requester: Requester) -> Response:
        text = await self._conversation.info.stats(requester.person.platform, requester.chat_id, requester.language)
        return Response(OutgoingMessage(text))

    async def _settings(self, requester: Requester) -> Response:
        text = await self._conversation.info.settings(requester, self._limits.channel_format)
        return Response(OutgoingMessage(text, _settings_buttons(requester)))

    async def _change_setting(self, requester: Requester, callback: SettingCallback) -> Response:
        setting, value = callback.setting, callback.value
        text = await self._conversation.info.change(
            requester,
            language=("each" if value == "each" else language_of(value)) if setting == "language" else None,
            picture=value == "on" if setting == "picture" else None,
            listen=requester.chat_id if (setting, value) == ("listen", "on") else None,
            ignore=requester.chat_id if (setting, value) == ("listen", "off") else None,
            channel_format=self._limits.channel_format,
        )
        if requester.private and setting == "language":
            requester = replace(requester, words=self._conversation.words(language_of(value) or requester.language))
        return Response(OutgoingMessage(text, _settings_buttons(requester)), Placement.IN_PLACE)

    # About the person

    async def set_language(self, requester: Requester, language: Language) -> Response:
        """Speak another language with a person from now on."""
        await self._conversation.set_language(requester.person, language)
        text = self._conversation.words(language).translate("language-chosen")
        return Response(OutgoingMessage(text), Placement.IN_PLACE, notice=text, personal=True)

    async def _language_question(self, requester: Requester) -> Response:
        buttons = tuple(Button(LanguageCallback(language), OWN_NAMES[language]) for language in LANGUAGES)
        return Response(OutgoingMessage(requester.words.translate("chat-language"), buttons))

    async def _privacy(self, requester: Requester) -> Response:
        return Response(await self._conversation.privacy.notice(requester.person, requester.language))

    async def _my_data(self, requester: Requester) -> Response:
        data = await self._conversation.privacy.my_data(requester.person, requester.private_chats)
        content = json.dumps(data, indent=2, ensure_ascii=False).encode()
        file = OutgoingFile(requester.words.translate("mydata-name"), content)
        return Response(OutgoingMessage(requester.words.translate("mydata-here"), file=file), personal=True)

    async def _forget_question(self, requester: Requester) -> Response:
        words, person = requester.words, requester.person.id
        buttons = (
            Button(ForgetCallback(confirmed=True, person_id=person), words.translate("page-forget-confirm")),
            Button(ForgetCallback(confirmed=False, person_id=person), words.translate("page-forget-keep")),
        )
        return Response(OutgoingMessage(words.translate("forget-question"), buttons))

    async def _forget(self, requester: Requester, callback: ForgetCallback) -> Response:
        if callback.person_id not in {None, requester.person.id}:
            raise NotYours()
        if not callback.confirmed:
            return Response(OutgoingMessage(requester.words.translate("forget-kept")), Placement.IN_PLACE)
        gone = await self._conversation.privacy.forget(requester.person, requester.private_chats)
        text = requester.words.translate("forget-done", songs=gone.replies, corrections=gone.corrections)
        return Response(OutgoingMessage(text), Placement.IN_PLACE)


def _reviewed(message: OutgoingMessage, done: str | None) -> Response:
    text = message.text if done is None else f"{done}\n\n{message.text}"
    return Response(replace(message, text=text), Placement.IN_PLACE, notice=done)


def _settings_buttons(requester: Requester) -> tuple[Button, ...]:
    words = requester.words
    shown: list[tuple[Setting, str, str]] = []
    if not requester.private:
        shown.append(("language", "each", words.translate("chat-each-language")))
    shown += [("language", language, OWN_NAMES[language]) for language in LANGUAGES]
    shown += [
        ("picture", "on", words.translate("chat-picture-on")),
        ("picture", "off", words.translate("chat-picture-off")),
    ]
    if not requester.private:
        shown += [
            ("listen", "on", words.translate("chat-listen-on")),
            ("listen", "off", words.translate("chat-listen-off")),
        ]
    return tuple(Button(SettingCallback(setting, value), text) for setting, value, text in shown)
