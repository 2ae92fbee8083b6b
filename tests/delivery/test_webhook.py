"""The webhook: only Telegram gets in, and it hears 200 only when the update is on the disk."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot import app
from bot.delivery.pace import UNLIMITED
from bot.delivery.web import SECRET_HEADER, Webhook
from bot.settings import Clinic, Settings, SettingsError
from bot.simulator.clock import SimulatorClock
from bot.simulator.server import TOKEN, Simulator
from storage.engine import Database
from storage.errors import Unavailable
from tests.support.clinic import PHONE

SECRET = "a-word-of-our-own-1"  # nosec B105


def update(number: int, text: str) -> dict[str, Any]:
    person = {"id": 2001, "is_bot": False, "first_name": "Ana"}
    chat = {"id": 2001, "type": "private", "first_name": "Ana"}
    return {
        "update_id": number, "message": {"message_id": number, "date": 1, "chat": chat, "from": person, "text": text}
    }  # fmt: skip


@pytest.fixture
async def served(tmp_path: Path, database_url: str) -> AsyncIterator[tuple[app.Afterglow, str]]:
    clock = SimulatorClock()
    desk = app.open_desk(
        Settings(_env_file=None, data_dir=tmp_path, database_url=database_url), Clinic(phone=PHONE), clock
    )
    web = app.Web("127.0.0.1", 0, Webhook("https://diary.example.org/telegram", SECRET))
    try:
        async with (
            Simulator(clock, limits=False).serve("127.0.0.1", 0) as address,
            app.running(
                desk, clock, token=TOKEN, api_url=address, world=app.SIMULATED, pace=UNLIMITED, web=web
            ) as afterglow,
        ):
            yield afterglow, f"http://127.0.0.1:{afterglow.port}/telegram"
    finally:
        desk.close()


async def post(address: str, body: Any, secret: str = SECRET) -> int:
    headers = {SECRET_HEADER: secret}
    async with aiohttp.ClientSession() as session, session.post(address, json=body, headers=headers) as answer:
        return answer.status


async def test_only_the_secret_opens(served: tuple[app.Afterglow, str]) -> None:
    afterglow, address = served
    assert await post(address, update(1, "hello"), secret="a-word-of-our-own-2") == 403
    assert await post(address, update(1, "hello"), secret="") == 403
    assert await afterglow.desk.ask(lambda work: work.stores.inbox.last_position()) == 0
    assert await post(address, update(1, "hello")) == 200
    assert await post(address, update(1, "hello")) == 200  # brought again: known
    assert await afterglow.desk.ask(lambda work: work.stores.inbox.last_position()) == 1


async def test_two_hundred_only_after_the_commit(
    served: tuple[app.Afterglow, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    afterglow, address = served
    sound = Database.together

    def away(_: Database, units: Sequence[object], **__: object) -> list[object]:
        return [Unavailable(OSError("away"))] * len(units)

    monkeypatch.setattr(Database, "together", away)
    assert await post(address, update(7, "hello")) == 503
    monkeypatch.setattr(Database, "together", sound)
    assert await post(address, update(7, "hello")) == 200
    assert await afterglow.desk.ask(lambda work: work.stores.inbox.last_position()) >= 1


async def test_what_is_no_update_blocks_nothing(served: tuple[app.Afterglow, str]) -> None:
    afterglow, address = served
    for body in ([1, 2], "words", {"update_id": "x"}, {"message": 5}, {}):
        assert await post(address, body) == 200
    assert await post(address, update(8, "/help")) == 200
    await afterglow.settle()


def test_a_webhook_needs_its_secret() -> None:
    with pytest.raises(SettingsError, match="WEBHOOK_SECRET"):
        Settings.read(_env_file=None, webhook_url="https://diary.example.org/telegram", webhook_secret="short")
