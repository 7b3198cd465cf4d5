"""A Bot API server for tests: speaks HTTP over a real socket as Telegram's does, and keeps Telegram's limits.

What breaks a limit is refused as Telegram refuses it, and noted in ``broken``.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

from aiohttp import web
from telegram.constants import BotDescriptionLimit, MessageLimit

from tests.bot.load_rates import Limit, Rates
from tests.bot.telegram.refusals import Fault, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

TOKEN = "123456:abcdefghijklmnopqrstuvwxyz-ABCDEFGH"
BOT_ID = 123456
BOT = {"id": BOT_ID, "is_bot": True, "first_name": "Genre", "username": "genre_test_bot"}
DATA_BYTES = 64
EDIT_SECONDS = 4.9
# About one a second, "short bursts allowed"; both as Telegram's FAQ for bots has them.
TO_PERSON = Limit("messages and edits to one person", 13, 10)
TO_GROUP = Limit("messages and edits to one group", 20, 60)
TO_ALL = Limit("messages and edits over Telegram", 30, 1)
WRITING = ("send", "edit")


class TelegramServer:
    """The server.

    Attributes
    ----------
    messages
        (chat, number) → message, as the server shows it; ``photo`` holds a picture's bytes.
    history
        Every call: method and parameters.
    toasts
        What was said to presses of buttons.
    faults
        Method → what its next calls meet instead of success.
    broken
        Limits that the bot broke.
    administrators
        Chat → numbers of people.
    unwritten, muted, no_reactions
        People whom the bot may not write to first, groups in which it may not write, and where it may not react.
    reads_all
        Whether privacy mode is off.
    held
        Method → what its answers wait for, once the call has taken effect.
    drops
        Whether the answers to the next calls of a method get lost after they took effect.
    rates
        How often the bot writes; what is too often is in ``broken``, too.
    local_files
        File → path on this machine, told instead of an address, as a self-hosted server in local mode does.
    changes
        When (monotonic seconds) each message of the bot came to say what.
    """

    def __init__(self) -> None:
        self.messages: dict[tuple[int, int], dict[str, Any]] = {}
        self.history: list[tuple[str, dict[str, Any]]] = []
        self.toasts: list[str | None] = []
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self.held: dict[str, asyncio.Event] = {}
        self.drops: dict[str, int] = defaultdict(int)
        self.broken: list[str] = []
        self.administrators: dict[int, set[int]] = defaultdict(set)
        self.commands: dict[tuple[str, str], list[str]] = {}
        self.profile: dict[tuple[str, str], str] = {}
        self.webhook: dict[str, Any] = {}
        self.files: dict[str, bytes] = {}
        self.unwritten: set[int] = set()
        self.muted: set[int] = set()
        self.no_reactions: set[int] = set()
        self.reads_all = False
        self.local_files: dict[str, Path] = {}
        self.rates = Rates()
        self.changes: list[tuple[float, dict[str, Any]]] = []
        self.url = ""
        self.allowed_updates: set[str] = set()
        self._updates: list[dict[str, Any]] = []
        self._numbers = iter(range(1, 1_000_000))
        self._edited: dict[tuple[int, int], float] = {}
        self._news = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        application = web.Application(client_max_size=64 << 20)
        application.router.add_route("*", "/bot{token}/{method}", self._call)
        application.router.add_get("/file/bot{token}/{path:.*}", self._file)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Listen no more."""
        async with self._news:
            self._news.notify_all()
        if self._runner is not None:
            await self._runner.cleanup()

    async def until(self, what: Callable[[], Any], seconds: float = 60) -> Any:
        """Wait until something is so; it is looked at again after each call."""
        async with self._news, asyncio.timeout(seconds):
            return await self._news.wait_for(what)

    def calls(self, *methods: str) -> list[dict[str, Any]]:
        """Return the parameters of all calls of some methods."""
        return [parameters for method, parameters in self.history if method in methods]

    def said(self, chat: int) -> list[dict[str, Any]]:
        """Return the bot's messages in a chat, oldest first."""
        here = [message for (place, _), message in sorted(self.messages.items()) if place == chat]
        return [message for message in here if message.get("from", {}).get("id") == BOT["id"]]

    def keep(self, content: bytes) -> str:
        """Keep a file that somebody sends; return its id."""
        number = f"file{next(self._numbers)}"
        self.files[number] = content
        return number

    async def deliver(self, **update: Any) -> dict[str, Any]:
        """Give the bot an update."""
        whole = {"update_id": next(self._numbers), **update}
        async with self._news:
            self._updates.append(whole)
            self._news.notify_all()
        return whole

    async def react(
        self, message: dict[str, Any], user: dict[str, Any], before: Sequence[str], after: Sequence[str]
    ) -> None:
        """Tell the bot of a changed reaction, if it asked for such updates and administers the group."""
        chat = message["chat"]
        if "message_reaction" not in self.allowed_updates or (
            chat["id"] < 0 and BOT_ID not in self.administrators[chat["id"]]
        ):
            return
        old, new = ([{"type": "emoji", "emoji": emoji} for emoji in emojis] for emojis in (before, after))
        about = {"chat": chat, "message_id": message["message_id"], "user": user, "date": int(time.time())}
        await self.deliver(message_reaction={**about, "old_reaction": old, "new_reaction": new})

    async def again(self, update: dict[str, Any]) -> None:
        """Give the bot an update once more, as Telegram does where it cannot tell whether it arrived."""
        await self.deliver(**{key: value for key, value in update.items() if key != "update_id"})

    def add_message(self, chat: dict[str, Any], sender: dict[str, Any] | None, **content: Any) -> dict[str, Any]:
        """Put a message into a chat; what is posted in a channel has no sender."""
        number = next(self._numbers)
        message = {"message_id": number, "date": int(time.time()), "chat": chat, **content}
        message |= {} if sender is None else {"from": sender}
        self.messages[chat["id"], number] = message
        return message

    # What the bot asks for

    async def _call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        if request.match_info["token"] != TOKEN:
            return web.json_response({"ok": False, "error_code": 401, "description": "Unauthorized"}, status=401)
        parameters = await _parameters(request)
        if method == "getUpdates":
            return web.json_response({"ok": True, "result": await self._next_updates(parameters)})
        if method.startswith(WRITING):
            self._count(int(parameters["chat_id"]))
        if self.faults[method]:
            status, error = self.faults[method].popleft()
            return web.json_response({"ok": False, "error_code": status, **error}, status=status)
        handler = getattr(self, f"_do_{method}", None)
        try:
            result = True if handler is None else handler(parameters)
        except Refused as refused:
            error = {"ok": False, "error_code": refused.status, "description": str(refused)}
            return web.json_response(error, status=refused.status)
        async with self._news:
            self.history.append((method, parameters))
            self._news.notify_all()
        if method in self.held:
            await self.held[method].wait()
        if self.drops[method]:
            self.drops[method] -= 1
            assert request.transport is not None
            request.transport.close()
        return web.json_response({"ok": True, "result": result})

    def _count(self, chat: int) -> None:
        self.rates.note(TO_ALL)
        self.rates.note(TO_GROUP if chat < 0 else TO_PERSON, chat)
        self.broken += self.rates.breaches
        self.rates.breaches.clear()

    async def _next_updates(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        offset = int(parameters.get("offset", 0))
        self.allowed_updates = set(parameters.get("allowed_updates", ()))
        async with self._news:
            self._updates = [update for update in self._updates if update["update_id"] >= offset]
            try:
                async with asyncio.timeout(min(float(parameters.get("timeout", 0)), 20)):
                    await self._news.wait_for(lambda: self._updates)
            except TimeoutError:
                pass
            return list(self._updates)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        content = self.files.get(request.match_info["path"])
        return web.Response(status=404) if content is None else web.Response(body=content)

    def _do_getMe(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Telegram's name
        can = {"can_join_groups": True, "can_read_all_group_messages": self.reads_all}
        return BOT | can | {"supports_inline_queries": False}

    def _do_setMyCommands(self, parameters: dict[str, Any]) -> bool:  # noqa: N802
        scope = parameters.get("scope", {"type": "default"})
        if scope["type"] == "chat" and int(scope["chat_id"]) in self.unwritten:
            raise Refused("Bad Request: chat not found")
        shown_to = str(scope.get("chat_id", scope["type"]))
        self.commands[shown_to, parameters.get("language_code", "")] = [
            each["command"] for each in parameters["commands"]
        ]
        return True

    def _do_getMyDescription(self, parameters: dict[str, Any]) -> dict[str, str]:  # noqa: N802
        return {"description": self.profile.get(("description", parameters.get("language_code", "")), "")}

    def _do_getMyShortDescription(self, parameters: dict[str, Any]) -> dict[str, str]:  # noqa: N802
        return {"short_description": self.profile.get(("short_description", parameters.get("language_code", "")), "")}

    def _do_setMyDescription(self, parameters: dict[str, Any]) -> bool:  # noqa: N802
        return self._set_profile("description", BotDescriptionLimit.MAX_DESCRIPTION_LENGTH, parameters)

    def _do_setMyShortDescription(self, parameters: dict[str, Any]) -> bool:  # noqa: N802
        return self._set_profile("short_description", BotDescriptionLimit.MAX_SHORT_DESCRIPTION_LENGTH, parameters)

    def _set_profile(self, part: str, characters: int, parameters: dict[str, Any]) -> bool:
        self._check_text(parameters[part], characters)
        self.profile[part, parameters.get("language_code", "")] = parameters[part]
        return True

    def _do_setWebhook(self, parameters: dict[str, Any]) -> bool:  # noqa: N802
        self.webhook = parameters
        return True

    def _do_getFile(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        number = parameters["file_id"]
        if number not in self.files:
            raise Refused("Bad Request: wrong file_id or the file is temporarily unavailable")
        path = str(self.local_files.get(number, number))
        return {"file_id": number, "file_unique_id": number, "file_path": path, "file_size": len(self.files[number])}

    def _do_getChatMember(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        user = int(parameters["user_id"])
        about = {"id": user, "is_bot": False, "first_name": "Somebody"}
        if user not in self.administrators[int(parameters["chat_id"])]:
            return {"status": "member", "user": about}
        rights = (
            *("can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages", "can_manage_video_chats"),
            *("can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users"),
            *("can_post_stories", "can_edit_stories", "can_delete_stories"),
        )
        return {"status": "administrator", "user": about, **dict.fromkeys(rights, False)}

    def _do_sendMessage(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._check_text(parameters["text"], MessageLimit.MAX_TEXT_LENGTH)
        return self._sent(parameters, text=parameters["text"])

    def _do_sendDocument(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        name, content = parameters["document"]
        number = self.keep(content)
        document = {"file_id": number, "file_unique_id": number, "file_name": name, "file_size": len(content)}
        return self._sent(parameters, document=document, caption=parameters.get("caption", ""))

    def _do_editMessageText(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._check_text(parameters["text"], MessageLimit.MAX_TEXT_LENGTH)
        return self._edit(parameters, text=parameters["text"])

    def _do_editMessageMedia(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        media = parameters["media"]
        self._check_text(media["caption"], MessageLimit.CAPTION_LENGTH)
        name = media["media"].removeprefix("attach://")
        size = {"file_id": name, "file_unique_id": name, "width": 1, "height": 1}
        return self._edit(parameters, caption=media["caption"], photo=[size], text=None, picture=parameters[name][1])

    def _do_editMessageReplyMarkup(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._edit(parameters)

    def _do_setMessageReaction(self, parameters: dict[str, Any]) -> bool:  # noqa: N802
        key = int(parameters["chat_id"]), int(parameters["message_id"])
        if key[0] in self.no_reactions:
            raise Refused("Bad Request: REACTION_INVALID")
        if key not in self.messages:
            raise Refused("Bad Request: message to react not found")
        self.messages[key]["reaction"] = [each["emoji"] for each in parameters["reaction"]]
        return True

    def _do_deleteMessage(self, parameters: dict[str, Any]) -> bool:  # noqa: N802
        if self.messages.pop((int(parameters["chat_id"]), int(parameters["message_id"])), None) is None:
            raise Refused("Bad Request: message to delete not found")
        return True

    def _do_answerCallbackQuery(self, parameters: dict[str, Any]) -> bool:  # noqa: N802
        self.toasts.append(parameters.get("text"))
        self._check_text(parameters.get("text", "x"), 200)
        return True

    def _sent(self, parameters: dict[str, Any], **content: Any) -> dict[str, Any]:
        chat = int(parameters["chat_id"])
        if chat in self.unwritten:
            raise Refused("Forbidden: bot can't initiate conversation with a user", 403)
        if chat in self.muted:
            raise Refused("Bad Request: not enough rights to send text messages to the chat")
        self._check_buttons(parameters)
        about = {"id": chat, "type": "private" if chat > 0 else "supergroup"}
        answered = parameters.get("reply_parameters")
        if answered is not None and (chat, answered["message_id"]) not in self.messages:
            if not answered.get("allow_sending_without_reply"):
                raise Refused("Bad Request: message to be replied not found")
            answered = None
        content |= {} if answered is None else {"answers": answered["message_id"]}
        if "message_thread_id" in parameters:
            content["message_thread_id"] = int(parameters["message_thread_id"])
        markup = parameters.get("reply_markup")
        message = self.add_message(about, BOT, **content, **({"reply_markup": markup} if markup else {}))
        self.changes.append((time.monotonic(), message))
        return _shown(message)

    def _edit(self, parameters: dict[str, Any], **content: Any) -> dict[str, Any]:
        key = int(parameters["chat_id"]), int(parameters["message_id"])
        message = self.messages.get(key)
        if message is None:
            raise Refused("Bad Request: message to edit not found")
        if message["from"]["id"] != BOT["id"]:
            raise Refused("Bad Request: message can't be edited")
        self._check_buttons(parameters)
        markup = parameters.get("reply_markup")
        changed = {**message, **content, "reply_markup": markup}
        if changed == message:
            raise Refused("Bad Request: message is not modified")
        if content.get("text") and "progress" in self._kind(message) and "progress" in self._kind(changed):
            if time.monotonic() - self._edited.get(key, 0) < EDIT_SECONDS:
                self.broken.append("progress was changed too often")
            self._edited[key] = time.monotonic()
        self.messages[key] = {k: v for k, v in changed.items() if v is not None}
        self.changes.append((time.monotonic(), self.messages[key]))
        return _shown(self.messages[key])

    @staticmethod
    def _kind(message: dict[str, Any]) -> str:
        return "progress" if "cancel:" in json.dumps(message.get("reply_markup")) else ""

    def _check_text(self, text: str, characters: int) -> None:
        if not text or len(text.encode("utf-16-le")) > 2 * characters:
            self.broken.append(f"a text of {len(text)} characters where {characters} may be")
            raise Refused("Bad Request: message is too long")

    def _check_buttons(self, parameters: dict[str, Any]) -> None:
        for row in (parameters.get("reply_markup") or {}).get("inline_keyboard", []):
            for button in row:
                if not 1 <= len(button["callback_data"].encode()) <= DATA_BYTES:
                    self.broken.append(f"button data {button['callback_data']!r}")
                    raise Refused("Bad Request: BUTTON_DATA_INVALID")


def _shown(message: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in message.items() if key not in {"picture", "answers"}}


async def _parameters(request: web.Request) -> dict[str, Any]:
    """Read what the client sends: plain values, JSON in them, files as (name, bytes)."""
    found: dict[str, Any] = {}
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            found[name] = (value.filename, value.file.read())
        else:
            text = str(value)
            found[name] = json.loads(text) if text[:1] in {"{", "["} else text
    return found


def read(path: Path) -> bytes:
    """Return a file's bytes."""
    return path.read_bytes()
