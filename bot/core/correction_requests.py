"""Corrections of answers as people make them: by a button, from a list, by a typed name, or by a reaction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core import messages
from bot.core.awaited_genres import AwaitedGenres
from bot.core.callbacks import Action, ChoicePurpose, GenreCallback, GenreTarget
from bot.core.chat import Button, GenreMenu, OutgoingMessage
from bot.core.errors import GenreUnknown, TypedGenreGone
from bot.core.request import Placement, Response
from storage.label_text import clean_name, name_key

if TYPE_CHECKING:
    from bot.core.answer_view import CorrectionResult
    from bot.core.callbacks import AnswerCallback, NamedGenreCallback, SecondCallback
    from bot.core.chat import ChatLimits
    from bot.core.conversation import Conversation
    from bot.core.genre_search import GenreReading
    from bot.core.identity import Person
    from bot.core.request import Requester

# What people write below an answer instead of pressing a button, as ``name_key`` folds it.
AGREEING = frozenset({"right", "yes", "yep", "correct", "đúng", "đúngrồi", "chuẩn", "ừ", "ok"})
DISAGREEING = frozenset({"wrong", "no", "nope", "sai", "sairồi", "khôngphải", "không"})
# What is not about the genre, however short it is.
CHATTER = frozenset(
    {"thanks", "thankyou", "thx", "lol", "haha", "hehe", "wow", "nice", "cool", "great", "hi", "hello", "what", "why"}
    | {"cảmơn", "camon", "hay", "haylắm", "tuyệt", "vãi", "hihi", "chào", "sao", "tạisao", "gì"}
)


_SKIN_TONES_AND_VARIATIONS = dict.fromkeys([*range(0x1F3FB, 0x1F400), 0xFE0E, 0xFE0F])
_OPINIONS = {"👍": True, "✅": True, "✔": True, "👎": False, "❌": False, "✖": False}


def opinion_of(emoji: str) -> bool | None:
    """Return whether a reaction finds an answer right (True) or wrong (False); None if it says neither."""
    return _OPINIONS.get(emoji.translate(_SKIN_TONES_AND_VARIATIONS))


class CorrectionRequests:
    """Everything raises errors with a sentence for the person.

    Parameters
    ----------
    conversation
        Where corrections go.
    limits
        The chat's platform.
    """

    def __init__(self, conversation: Conversation, limits: ChatLimits) -> None:
        self._conversation = conversation
        self._limits = limits
        self._awaited = AwaitedGenres()

    async def press(self, requester: Requester, callback: AnswerCallback) -> Response:
        """Carry out a button below an answer or below the thanks for a correction."""
        conversation, reply_id = self._conversation, callback.reply_id
        match callback.action:
            case Action.RIGHT:
                result = await conversation.agree(reply_id, requester.person, requester.language)
                return await self._pressed(requester, result)
            case Action.UNDO:
                result = await conversation.undo(reply_id, requester.person, requester.language)
                return await self._pressed(requester, result)
            case Action.UNTEACH:
                result = await conversation.undo(reply_id, requester.person, requester.language)
                mine = result.reply.requester == conversation.key_of(requester.person)
                return Response(result.message, Placement.REPLACE if mine else Placement.BELOW)
            case Action.WRONG:
                return await self.offer(requester, GenreTarget(ChoicePurpose.CORRECT, reply_id))
            case _:
                return await self._votes(requester, reply_id)

    async def press_named(self, requester: Requester, callback: NamedGenreCallback) -> Response:
        """Take a genre that a button below an answer names."""
        result = await self._conversation.correct(
            callback.reply_id, requester.person, requester.language, callback.genre
        )
        return await self._pressed(requester, result)

    async def choose(
        self, requester: Requester, reply_id: str, label: str, placement: Placement = Placement.IN_PLACE
    ) -> Response:
        """Take a genre that was chosen from a list, or given in words on purpose, for an answer."""
        target = GenreTarget(ChoicePurpose.CORRECT, reply_id)
        unclear = await self.unclear(requester, target, label, placement)
        if unclear is not None:
            return unclear
        reading = await self._conversation.genres.read(label, requester.language)
        return await self._correct(requester, reply_id, reading.label or reading.new or label, placement)

    async def unclear(
        self, requester: Requester, target: GenreTarget, text: str, placement: Placement = Placement.IN_PLACE
    ) -> Response | None:
        """Return the question which genre a text means; None if it names one, or resembles none.

        Raises
        ------
        BadLabel, GenreUnknown
            If the text cannot be a genre's name.
        """
        reading = await self._conversation.genres.read(text, requester.language)
        if reading.label is None and reading.new is None:
            clean_name(text)
            raise GenreUnknown()
        return Response(self._question(requester, target, reading), placement) if reading.similar else None

    async def add(self, requester: Requester, reply_id: str) -> Response:
        """Take the new genre that a person typed before and now confirms."""
        return await self._correct(
            requester, reply_id, self.confirmed_name(requester, GenreTarget(ChoicePurpose.CORRECT, reply_id))
        )

    def confirmed_name(self, requester: Requester, target: GenreTarget) -> str:
        """Return the new name that a person typed before and now confirms."""
        name = self._awaited.kept(requester.person, target)
        if name is None:
            raise TypedGenreGone()
        return name

    def awaits(self, person: Person, place: str) -> bool:
        """Return whether somebody was just asked for a genre in a place."""
        return self._awaited.asked(person, place) is not None

    async def typed(self, requester: Requester, text: str, reply_id: str | None = None) -> Response | None:
        """Take a genre that was typed in passing; return None if the text is not about a genre.

        Parameters
        ----------
        reply_id
            The answer that the text replies to; None for the one that the person was asked about here.
        """
        asked = self._awaited.asked(requester.person, requester.place)
        target = asked if reply_id is None else GenreTarget(ChoicePurpose.CORRECT, reply_id)
        if target is None:
            return None
        reply_id, word = target.subject, name_key(text)
        if word in AGREEING | DISAGREEING and target != asked:
            return await self._opinion(requester, reply_id, agrees=word in AGREEING)
        reading = await self._conversation.genres.read(text, requester.language)
        if reading.label is not None:
            return await self._correct(requester, reply_id, reading.label, Placement.BELOW)
        if reading.new is None or not reading.short or word in CHATTER:
            return None
        return Response(self._question(requester, target, reading))

    async def teach(self, requester: Requester, name: str) -> Response:
        """Count the songs that somebody sends from now on as songs of a genre; without a name, stop that."""
        conversation, words = self._conversation, requester.words
        if not name.strip():
            taught = conversation.teaching.end(requester.person, requester.place)
            if taught is None:
                return Response(OutgoingMessage(words.translate("teach-usage")))
            over = OutgoingMessage(words.translate("teach-ended", label=words.genre(taught)))
            return Response(over, invitation=await self._invitation(requester, taught))
        reading = await conversation.genres.read(name, requester.language)
        if reading.similar:
            listed = ", ".join(choice.name for choice in reading.similar)
            return Response(OutgoingMessage(words.translate("teach-unclear", genres=listed)))
        before = conversation.teaching.taught_last(requester.person, requester.place)
        label, question = await conversation.teach(
            requester.person, requester.place, requester.language, reading.label or reading.new or name
        )
        values = {"label": words.genre(label.id), "platform": requester.person.platform}
        lines = [words.translate("teach-begun", **values)]
        reviewers = await conversation.moderation.reviewers(requester.person.platform, label.id)
        if reviewers == "nowhere":
            lines.append(words.translate("teach-nowhere", **values))
        elif reviewers == "nobody":
            lines.append(words.translate("teach-nobody", **values))
        elif reviewers != "oneself" and not requester.private:
            lines.append(words.translate("teach-then-agree"))
        invitation = None
        if before is not None and before != label.id:
            invitation = await self._invitation(requester, before)
        return Response(OutgoingMessage("\n\n".join(lines)), question=question, invitation=invitation)

    async def _invitation(self, requester: Requester, label: str) -> OutgoingMessage | None:
        """Return the invitation to agree with what was taught; None where nobody is there, or it would not count."""
        conversation, words = self._conversation, requester.words
        if requester.private:
            return None
        reviewers = await conversation.moderation.reviewers(requester.person.platform, label)
        if reviewers not in {"others", "moderators"}:
            return None
        invitation = await conversation.invite(requester, label)
        if invitation is None:
            return None
        values: dict[str, str | float] = {"label": words.genre(label), "songs": invitation.songs or 0}
        agree = Button(invitation.button, words.translate("button-second", **values))
        kind = "teach-invitation" if reviewers == "others" else "teach-invitation-moderators"
        return OutgoingMessage(words.translate(kind, **values), (agree,))

    async def second(self, requester: Requester, invited: SecondCallback) -> Response:
        """Agree with all songs that somebody else taught in a lesson."""
        label, count, question = await self._conversation.second(requester, invited)
        words = requester.words
        text = words.translate("teach-seconded", label=words.genre(label.id), songs=count)
        return Response(OutgoingMessage(text), Placement.NOTICE, notice=text, question=question)

    async def react(self, requester: Requester, reply_id: str, *, agrees: bool, withdrawn: bool) -> Response | None:
        """Take a reaction to an answer, or that it was withdrawn; return what is to be shown, None for nothing."""
        conversation, target = self._conversation, GenreTarget(ChoicePurpose.CORRECT, reply_id)
        given = (await conversation.answer_view(reply_id, requester.person, requester.language)).correction
        if withdrawn:
            if not agrees:
                self._awaited.done(requester)
            elif given is not None and given.agrees:
                undone = await conversation.undo(reply_id, requester.person, requester.language)
                return self._silent(requester, undone)
            return None
        if agrees:
            return await self._opinion(requester, reply_id, agrees=True, silent=True)
        # Who has named another genre has said all that the reaction says.
        already = given is not None and not given.agrees
        if already or self._awaited.asked(requester.person, requester.place) == target:
            return None
        return await self.offer(requester, target)

    async def offer(
        self, requester: Requester, target: GenreTarget, offset: int = 0, placement: Placement = Placement.BELOW
    ) -> Response:
        """Show a page of the genres that can be chosen, and expect one to be typed as well."""
        conversation, first = self._conversation, []
        prompt = "genres-type" if requester.private else self._limits.genre_prompt
        text, merging = requester.words.translate(prompt), target.purpose is ChoicePurpose.MERGE
        if target.purpose is ChoicePurpose.CORRECT:
            view = await conversation.answer_view(target.subject, requester.person, requester.language)
            first = await conversation.genres.likely(view.reply, view.report)
            self._awaited.ask(requester, target)
        else:
            text = requester.words.translate(self._limits.genre_prompt)
            review = await conversation.moderation.reviewed(requester, target.correction_id)
            if self._limits.genre_menu_keeps_text:
                text = f"{review.message.text}\n\n{text}"
        choices, total = await conversation.genres.choices(
            "", requester.language, offset=offset, known_only=merging, first=first
        )
        menu = GenreMenu(target, tuple(choices), offset, total)
        return Response(OutgoingMessage(text, menu=menu), placement)

    async def _opinion(
        self, requester: Requester, reply_id: str, *, agrees: bool, silent: bool = False
    ) -> Response | None:
        """Take a "right" or "wrong" that was written or given as a reaction."""
        conversation, target = self._conversation, GenreTarget(ChoicePurpose.CORRECT, reply_id)
        view = await conversation.answer_view(reply_id, requester.person, requester.language)
        if agrees and view.report.genre is None:
            return None
        # Of an answer that names several genres it is not clear which one is meant.
        if not agrees or len(messages.named_genres(view.report)) > 1:
            return await self.offer(requester, target)
        result = await conversation.agree(reply_id, requester.person, requester.language)
        if not silent or (result.kept and requester.private):
            return await self._shown(requester, result, Placement.BELOW)
        return None if result.kept else self._silent(requester, result)

    async def _correct(
        self, requester: Requester, reply_id: str, label: str, placement: Placement = Placement.IN_PLACE
    ) -> Response:
        result = await self._conversation.correct(reply_id, requester.person, requester.language, label)
        self._awaited.done(requester)
        return await self._shown(requester, result, placement)

    def _question(self, requester: Requester, target: GenreTarget, reading: GenreReading) -> OutgoingMessage:
        """Return the question which of some similar genres a text means, or whether it is a new one."""
        words, name = requester.words, reading.new or ""
        buttons = [Button(GenreCallback(Action.PICK, target, choice.number), choice.name) for choice in reading.similar]
        if target.purpose is not ChoicePurpose.MERGE:
            self._awaited.keep(requester.person, target, name)
            buttons.append(Button(GenreCallback(Action.NEW, target), words.translate("button-add-genre", name=name)))
        if not reading.similar:
            text = words.translate("genre-unknown-question", name=name)
            buttons.append(Button(GenreCallback(Action.PAGE, target, 0), words.translate("button-genre-list")))
        elif len(reading.similar) == 1:
            text = words.translate("genre-did-you-mean", genre=words.genre(reading.similar[0].label))
        else:
            text = words.translate("genre-did-you-mean-one", name=name)
        return OutgoingMessage(text, tuple(buttons))

    async def _pressed(self, requester: Requester, result: CorrectionResult) -> Response:
        """Return the thanks for a button that is below the answer itself, or below earlier thanks."""
        self._awaited.done(requester)
        is_answer = _message_of(result) in {None, requester.message_id}
        if result.kept:
            return Response(result.message, Placement.BELOW if is_answer else Placement.IN_PLACE)
        shown = await self._shown(requester, result, Placement.NOTICE if is_answer else Placement.IN_PLACE)
        return replace(shown, notice=None if shown.message is None else shown.message.text)

    async def _shown(self, requester: Requester, result: CorrectionResult, placement: Placement) -> Response:
        message = result.message
        if result.correction is not None and not result.kept:
            thanks = await self._conversation.thanks_for_teaching(requester)
            message = replace(message, text="\n\n".join([message.text, *thanks]))
        return replace(self._silent(requester, result), message=message, placement=placement)

    @staticmethod
    def _silent(requester: Requester, result: CorrectionResult) -> Response:
        """Return a response that only changes the answer's buttons, and asks for consent."""
        # The buttons of a group are everybody's, whatever one person said.
        if not requester.private:
            return Response(question=result.question)
        buttons = messages.answer_buttons(
            requester.words, result.reply.id, result.report, result.correction, with_votes=True
        )
        return Response(buttons=buttons, buttons_of=_message_of(result), question=result.question)

    async def _votes(self, requester: Requester, reply_id: str) -> Response:
        view = await self._conversation.answer_view(reply_id, requester.person, requester.language)
        words, limits = requester.words, self._limits
        text = messages.votes(view.report, words)
        # Where the caption had no room for every section, they are shown here.
        whole = messages.answer(view.report, words, reply_id, characters=limits.text_characters).text
        if len(whole) > limits.caption_characters:
            room = limits.text_characters - len(text) - 2
            text = "\n".join([text, "", *messages.breakdown(view.report, words, characters=room)])
        correction = view.correction if requester.private else None
        buttons = messages.answer_buttons(words, reply_id, view.report, correction, shared=not requester.private)
        return Response(OutgoingMessage(text), buttons=buttons)


def _message_of(result: CorrectionResult) -> int | None:
    """Return the id of the message that shows the answer; None if that is not known."""
    return None if result.reply.message is None else result.reply.message.get("message")
