"""The Bot API as documented, spoken over HTTP to the bot."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.simulator.faults import Fault, Faults
from bot.simulator.world import BOT_ID, BOT_NAME, Chat, Json, Message, World

LONGEST_TEXT, LONGEST_CAPTION, LONGEST_DATA = 4096, 1024, 64
POLL_LIMIT = 100
UNREACHABLE = {"away": 502, "lose_before": 504}  # the request reaches nobody

Method = Callable[["BotApi", Json], Awaitable[Any]]


class Refusal(Exception):
    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


class BotApi:
    def __init__(self, world: World, faults: Faults, token: str) -> None:
        self._world = world
        self._faults = faults
        self._token = token
        self._commands: dict[str, list[Json]] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.route("*", "/bot{token}/{method}", self.call),
            web.get("/file/bot{token}/{file}", self.download),
        ]

    async def call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"].lower()
        self._world.ledger.calls[method] += 1
        given = await _parameters(request)
        fault = await self._faults.next(method, _number(given.get("chat_id")))
        if fault is not None and fault.kind in UNREACHABLE:
            return web.Response(status=UNREACHABLE[fault.kind])
        try:
            if fault is not None:
                _refuse(fault)
            if request.match_info["token"] != self._token:
                raise Refusal(401, "Unauthorized")
            handler = METHODS.get(method)
            if handler is None:
                raise Refusal(404, "Not Found")
            answer = web.json_response({"ok": True, "result": await handler(self, given)})
        except Refusal as refusal:
            self._world.ledger.refused[f"{method} {refusal.code}"] += 1
            answer = _failure(refusal)
        if self._faults.latency:
            await asyncio.sleep(self._faults.latency)
        if fault is not None and fault.kind == "lose_after":
            self._world.ledger.lost_replies += 1
            return web.Response(status=504)
        return answer

    async def download(self, request: web.Request) -> web.Response:
        data = self._world.files.get(request.match_info["file"])
        return web.Response(body=data) if data is not None else _failure(Refusal(404, "Not Found"))

    async def get_me(self, _: Json) -> Json:
        return user_json(self._world, BOT_ID) | {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }

    async def get_updates(self, given: Json) -> list[Json]:
        self._world.confirm(int(given.get("offset", 0)))
        await self._world.wait_until(lambda: bool(self._world.updates), float(given.get("timeout", 0)))
        return self._world.updates[: min(int(given.get("limit", POLL_LIMIT)), POLL_LIMIT)]

    async def send_message(self, given: Json) -> Json:
        text = str(given.get("text", ""))
        if not text.strip():
            raise Refusal(400, "Bad Request: message text is empty")
        if len(text) > LONGEST_TEXT:
            raise Refusal(400, "Bad Request: message is too long")
        return await self._post(given, text=text)

    async def send_photo(self, given: Json) -> Json:
        return await self._post(given, text=_caption(given), file=self._upload(given, "photo"))

    async def send_document(self, given: Json) -> Json:
        file = self._upload(given, "document")
        return await self._post(given, text=_caption(given), file=file, filename=given["document"].filename)

    async def edit_text(self, given: Json) -> Json:
        chat, message = self._own_message(given)
        text, buttons = str(given.get("text", message.text)), _buttons(given)
        if text == message.text and buttons == message.buttons:
            raise Refusal(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly "
                "the same as a current content and reply markup of the message",
            )
        if message.file is not None and "text" in given:
            raise Refusal(400, "Bad Request: there is no text in the message to edit")
        message.text, message.buttons, message.edited = text, buttons, True
        self._world.ledger.deliver(chat.id, text, edit=True)
        await self._world.changed()
        return as_json(self._world, chat, message)

    async def delete_message(self, given: Json) -> bool:
        chat, message = self._own_message(given)
        chat.messages.remove(message)
        await self._world.changed()
        return True

    async def pin(self, given: Json) -> bool:
        _, message = self._own_message(given)
        message.pinned = True
        await self._world.changed()
        return True

    async def answer_callback(self, given: Json) -> bool:
        query = str(given.get("callback_query_id"))
        if query not in self._world.spinning:
            raise Refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        self._world.spinning.discard(query)
        await self._world.changed()
        return True

    async def set_commands(self, given: Json) -> bool:
        self._commands[str(given.get("scope", "")) + str(given.get("language_code", ""))] = json.loads(
            given["commands"]
        )
        return True

    async def get_commands(self, given: Json) -> list[Json]:
        return self._commands.get(str(given.get("scope", "")) + str(given.get("language_code", "")), [])

    async def get_chat(self, given: Json) -> Json:
        return _chat_json(self._world, self._chat(given))

    async def get_file(self, given: Json) -> Json:
        name = str(given.get("file_id"))
        if name not in self._world.files:
            raise Refusal(400, "Bad Request: invalid file_id")
        return {"file_id": name, "file_unique_id": name, "file_size": len(self._world.files[name]), "file_path": name}

    async def get_webhook(self, _: Json) -> Json:
        return {"url": "", "has_custom_certificate": False, "pending_update_count": len(self._world.updates)}

    async def yes(self, _: Json) -> bool:
        return True

    async def _post(self, given: Json, **content: Any) -> Json:
        chat = self._chat(given)
        wait = self._faults.too_many(chat.id)
        if wait:
            raise Refusal(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
        message = self._world.post(
            chat, BOT_ID, buttons=_buttons(given), silent=_flag(given, "disable_notification"),
            spoiler=_flag(given, "has_spoiler"), **content,
        )  # fmt: skip
        self._world.ledger.deliver(chat.id, message.text)
        await self._world.changed()
        return as_json(self._world, chat, message)

    def _chat(self, given: Json) -> Chat:
        number = _number(given.get("chat_id"))
        if number in self._world.moved:
            raise Refusal(400, "Bad Request: group chat was upgraded to a supergroup chat",
                          migrate_to_chat_id=self._world.moved[number])  # fmt: skip
        chat = self._world.chats.get(number)
        if chat is None:
            raise Refusal(400, "Bad Request: chat not found")
        if not chat.open:
            started = any(message.sender == chat.id for message in chat.messages)
            if chat.is_group:
                raise Refusal(403, "Forbidden: bot was kicked from the group chat")
            if not started:
                raise Refusal(403, "Forbidden: bot can't initiate conversation with a user")
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        return chat

    def _own_message(self, given: Json) -> tuple[Chat, Message]:
        chat = self._chat(given)
        message = self._world.message(chat, int(given.get("message_id", 0)))
        if message is None:
            raise Refusal(400, "Bad Request: message to edit not found")
        if message.sender != BOT_ID:
            raise Refusal(400, "Bad Request: message can't be edited")
        return chat, message

    def _upload(self, given: Json, name: str) -> str:
        upload = given.get(name)
        if not isinstance(upload, web.FileField):
            raise Refusal(400, f"Bad Request: there is no {name} in the request")
        return self._world.keep_file(upload.file.read())


METHODS: dict[str, Method] = {
    "getme": BotApi.get_me,
    "getupdates": BotApi.get_updates,
    "sendmessage": BotApi.send_message,
    "sendphoto": BotApi.send_photo,
    "senddocument": BotApi.send_document,
    "editmessagetext": BotApi.edit_text,
    "editmessagereplymarkup": BotApi.edit_text,
    "deletemessage": BotApi.delete_message,
    "pinchatmessage": BotApi.pin,
    "answercallbackquery": BotApi.answer_callback,
    "setmycommands": BotApi.set_commands,
    "getmycommands": BotApi.get_commands,
    "getchat": BotApi.get_chat,
    "getfile": BotApi.get_file,
    "getwebhookinfo": BotApi.get_webhook,
    "deletewebhook": BotApi.yes,
    "sendchataction": BotApi.yes,
    "leavechat": BotApi.yes,
}


def as_json(world: World, chat: Chat, message: Message) -> Json:
    """A message as the Bot API writes it."""
    said: Json = {"message_id": message.id, "date": message.date, "chat": _chat_json(world, chat),
                  "from": user_json(world, message.sender)}  # fmt: skip
    if message.file is None:
        said["text"] = message.text
        commands = re.match(r"/\w+(@\w+)?", message.text)
        if commands:
            said["entities"] = [{"type": "bot_command", "offset": 0, "length": commands.end()}]
    else:
        said["caption"] = message.text
        size = {"file_id": message.file, "file_unique_id": message.file, "file_size": len(world.files[message.file])}
        if message.filename is None:
            said["photo"] = [{**size, "width": 512, "height": 512}]
        else:
            said["document"] = {**size, "file_name": message.filename}
    if message.location:
        said.pop("text", None)
        said["location"] = message.location
    if message.buttons:
        said["reply_markup"] = {"inline_keyboard": message.buttons}
    return said


def user_json(world: World, number: int) -> Json:
    if number == BOT_ID:
        return {"id": BOT_ID, "is_bot": True, "first_name": "Afterglow", "username": BOT_NAME}
    return {"id": number, "is_bot": False, "first_name": world.people[number].name, "language_code": "en"}


def _chat_json(world: World, chat: Chat) -> Json:
    if chat.is_group:
        return {"id": chat.id, "type": "supergroup", "title": chat.title}
    return {"id": chat.id, "type": "private", "first_name": world.people[chat.id].name}


def _failure(refusal: Refusal) -> web.Response:
    body: Json = {"ok": False, "error_code": refusal.code, "description": refusal.description}
    if refusal.parameters:
        body["parameters"] = refusal.parameters
    return web.json_response(body, status=refusal.code)


def _refuse(fault: Fault) -> None:
    if fault.kind == "500":
        raise Refusal(500, "Internal Server Error")
    if fault.kind == "429":
        after = fault.retry_after
        raise Refusal(429, f"Too Many Requests: retry after {after}", retry_after=after)


def _number(text: object) -> int:
    """A chat's number; 0, which no chat has, when it is none."""
    try:
        return int(str(text))
    except ValueError:
        return 0


async def _parameters(request: web.Request) -> Json:
    """Query string, JSON, form or multipart, as the Bot API takes them."""
    given: Json = dict(request.query)
    if request.content_type == "application/json":
        given |= {key: json.dumps(value) if isinstance(value, dict | list) else value
                  for key, value in (await request.json()).items()}  # fmt: skip
    elif request.method == "POST":
        given |= dict(await request.post())
    return given


def _buttons(given: Json) -> list[list[Json]]:
    markup = given.get("reply_markup")
    rows: list[list[Json]] = json.loads(markup).get("inline_keyboard", []) if markup else []
    for button in (button for row in rows for button in row):
        data = button.get("callback_data")
        if data is not None and not 1 <= len(data.encode()) <= LONGEST_DATA:
            raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")
    return rows


def _caption(given: Json) -> str:
    caption = str(given.get("caption", ""))
    if len(caption) > LONGEST_CAPTION:
        raise Refusal(400, "Bad Request: message caption is too long")
    return caption


def _flag(given: Json, name: str) -> bool:
    return str(given.get(name, "false")).lower() in ("true", "1")
