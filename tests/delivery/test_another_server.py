"""On a server that speaks the Bot API tersely: no long polling, no pictures, replies with the least in them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from bot import app
from bot.clock import SystemClock
from bot.delivery.pace import UNLIMITED
from bot.desk import Desk
from bot.services import enrolment
from bot.settings import Clinic, Settings
from storage.tables.people import Role

Json = dict[str, Any]
TOKEN = "1:terse"
NURSE, PATIENT = 5, 7


class TerseServer:
    """Leaves out whatever may be left out; what was said stands in `said`, the newest text of each message."""

    def __init__(self) -> None:
        self.updates: list[Json] = []
        self.said: dict[int, tuple[int, str, list[Json]]] = {}
        self.polls = 0

    async def answer(self, request: web.Request) -> web.Response:
        given = await request.post()
        match request.match_info["method"].lower():
            case "getme":
                result: Any = {"id": 1, "username": "terse_bot"}
            case "getupdates":
                self.polls += 1
                result, self.updates = self.updates, []
            case "sendmessage":
                self._keep(len(self.said) + 1, given)
                result = {"message_id": len(self.said)}
            case "editmessagetext":
                self._keep(int(str(given["message_id"])), given)
                result = None
            case "answercallbackquery":
                result = None
            case _:
                return web.json_response({"ok": False, "error_code": 400, "description": "Bad Request: no such thing"})
        return web.json_response({"ok": True, "result": result})

    def _keep(self, number: int, given: Any) -> None:
        keyboard = json.loads(str(given.get("reply_markup", "{}"))).get("inline_keyboard", [])
        buttons = [button for row in keyboard for button in row]
        self.said[number] = int(str(given["chat_id"])), str(given["text"]), buttons

    def texts_to(self, chat: int) -> list[str]:
        return [text for to, text, _ in self.said.values() if to == chat]

    async def writes(self, person: int, text: str) -> None:
        await self._update(
            "message",
            {"message_id": 1, "date": 1, "text": text, "entities": _command(text), **_from(person)},
        )

    async def taps(self, person: int, label: str) -> None:
        data = [
            button["callback_data"]
            for to, _, buttons in self.said.values()
            for button in buttons
            if to == person and button["text"] == label
        ][-1]
        await self._update("callback_query", {"id": "1", "data": data, "message": _from(person), **_from(person)})

    async def has_said(self, person: int, words: str) -> None:
        for _ in range(200):
            if words in self.texts_to(person)[-1]:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{words!r} was not said")

    async def _update(self, kind: str, body: Json) -> None:
        before = dict(self.said)
        self.updates.append({"update_id": 100 + len(self.said), kind: body})
        for _ in range(200):
            await asyncio.sleep(0.05)
            if self.said != before and not self.updates:
                await asyncio.sleep(0.3)
                return
        raise AssertionError("nothing was said")


def _from(person: int) -> Json:
    who = {"id": person, "first_name": "N", "is_bot": False}
    return {"from": who, "chat": {"id": person, "type": "private", "first_name": "N"}}


def _command(text: str) -> list[Json]:
    return [{"type": "bot_command", "offset": 0, "length": len(text.partition(" ")[0])}] if text.startswith("/") else []


@asynccontextmanager
async def served(terse: TerseServer) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_route("*", f"/bot{TOKEN}/{{method}}", terse.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def clinic_on(terse: TerseServer, folder: Path) -> AsyncIterator[Desk]:
    clock = SystemClock()
    desk = app.open_desk(Settings(_env_file=None, data_dir=folder), Clinic(phone="+1 555 0100"), clock)
    try:
        async with (
            served(terse) as address,
            app.running(desk, clock, token=TOKEN, api_url=address, world=app.REAL_TELEGRAM, pace=UNLIMITED),
        ):
            yield desk
    finally:
        desk.close()


async def test_an_invitation_a_danger_and_a_taken_alert(tmp_path: Path) -> None:
    terse = TerseServer()
    async with clinic_on(terse, tmp_path) as desk:
        await terse.writes(NURSE, f"/start {await desk.act(enrolment.invite_staff, Role.NURSE)}")
        await terse.writes(NURSE, "/enrol")
        await terse.has_said(NURSE, "start=")  # the picture is refused; its caption goes as text
        await terse.writes(PATIENT, "/start " + terse.texts_to(NURSE)[-1].rpartition("start=")[2])
        await terse.taps(PATIENT, "English")
        await terse.taps(PATIENT, "I agree")
        await terse.writes(PATIENT, "I want to kill myself")
        assert any("Please call" in text or "where help is" in text for text in terse.texts_to(PATIENT))
        assert "nobody has taken it" in terse.texts_to(NURSE)[-1]
        await terse.taps(NURSE, "Take it")
        assert "Taken by N" in terse.texts_to(NURSE)[-1]
        assert len(terse.texts_to(NURSE)) == len(set(terse.texts_to(NURSE)))  # nothing was said twice


async def test_a_server_that_does_not_hold_a_poll_open_is_not_flooded(tmp_path: Path) -> None:
    terse = TerseServer()
    async with clinic_on(terse, tmp_path):
        await asyncio.sleep(1)
    assert 0 < terse.polls <= 12
