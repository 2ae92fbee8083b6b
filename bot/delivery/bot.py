"""Our calls to the Bot API. Replies are read with leniency: what was taken must not go out again for an odd reply.

The library's own methods insist on every field of a reply. A server that speaks the same API may leave some out, and
Telegram may add to them; all that is needed here is the number of the message.
"""

import json
from collections.abc import Sequence
from typing import Any

from telegram import InputFile, User
from telegram.error import NetworkError
from telegram.ext import ExtBot

from bot.chat.letters.content import Buttons
from bot.delivery.updates import Raw


class DiaryBot(ExtBot[None]):
    """Sends and fetches raw; raises the library's errors, such as `RetryAfter` and `Forbidden`."""

    async def get_me(self, *args: Any, **options: Any) -> User:
        told = await self._ask("getMe", {}, **options)
        me = User.de_json({"is_bot": True, "first_name": "", **(told if isinstance(told, dict) else {})}, self)
        self._bot_user = me
        return me

    async def fetch(self, offset: int, limit: int, seconds: int, kinds: Sequence[str]) -> list[Raw]:
        """Raw updates: the library would parse the batch, and one malformed update would block all after it."""
        told = await self._ask(
            "getUpdates",
            {"offset": offset, "limit": limit, "timeout": seconds, "allowed_updates": list(kinds)},
            read_timeout=seconds + 10,
        )
        return [raw for raw in told if isinstance(raw, dict)] if isinstance(told, list) else []

    async def say(self, chat: int, text: str, buttons: Buttons, *, silent: bool, protect: bool) -> int | None:
        """The number of the new message; None when it was taken and the reply does not say."""
        return await self._send(
            "sendMessage",
            {"chat_id": chat, "text": text, "disable_notification": silent, "protect_content": protect}, buttons,
        )  # fmt: skip

    async def show(
        self, chat: int, picture: bytes, caption: str, buttons: Buttons, *, silent: bool, spoiler: bool
    ) -> int | None:
        return await self._send(
            "sendPhoto",
            {
                "chat_id": chat, "photo": InputFile(picture, filename="picture.png"), "caption": caption,
                "disable_notification": silent, "has_spoiler": spoiler,
            },
            buttons,
        )  # fmt: skip

    async def hand_over(self, chat: int, document: bytes, filename: str, caption: str, *, silent: bool) -> int | None:
        return await self._send(
            "sendDocument",
            {
                "chat_id": chat, "document": InputFile(document, filename=filename), "caption": caption,
                "disable_notification": silent,
            },
            (),
        )  # fmt: skip

    async def edit(self, chat: int, message: int, text: str, buttons: Buttons) -> int:
        await self._send("editMessageText", {"chat_id": chat, "message_id": message, "text": text}, buttons)
        return message

    async def stop_spinner(self, callback: str) -> None:
        """A tapped button stops turning."""
        await self._ask("answerCallbackQuery", {"callback_query_id": callback})

    async def _send(self, method: str, given: dict[str, Any], buttons: Buttons) -> int | None:
        if buttons:
            given["reply_markup"] = json.dumps({"inline_keyboard": buttons})
        told = await self._ask(method, given)
        number = told.get("message_id") if isinstance(told, dict) else None
        return number if isinstance(number, int) else None

    async def _ask(self, method: str, given: dict[str, Any], **options: Any) -> Any:
        try:
            return await self._post(method, given, **options)
        except KeyError:  # a refusal that came with HTTP 200
            raise NetworkError("a reply without a result") from None
