"""The sign of life goes out only while everything works: each part switched off in turn ends it."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from telegram import WebhookInfo

from bot import app
from bot.delivery import web as web_server
from bot.delivery.auditor import Auditor, Watch, health_route
from bot.delivery.lease import Lease
from bot.delivery.pulse import Pulse
from bot.delivery.web import serving
from bot.services import incidents
from bot.services.work import Work
from bot.settings import Roads
from storage.stores.inbox import Inbox
from storage.stores.outbox import Outbox
from storage.tables.people import Role
from tests.support.clinic import SimulatedClinic

A_ROUND = 2.6  # seconds; longer than a poll of the test clinic
PARTS = {"receiver": "poll", "worker": "work_off", "sender": "send_due", "ticker": "tick", "channels": "send_due"}


@dataclass
class Operator:
    """Whoever waits for the sign of life."""

    heard: int = 0

    async def hear(self, _request: web.Request) -> web.Response:
        self.heard += 1
        return web.Response(text="thanks")


@asynccontextmanager
async def listening(operator: Operator) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_get("/alive", operator.hear)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/alive"
    finally:
        await runner.cleanup()


async def a_round(clinic: SimulatedClinic) -> None:
    for part in (clinic.afterglow.worker, clinic.afterglow.sender, clinic.afterglow.channels):
        part.wake()
    await asyncio.sleep(A_ROUND)


def open_kinds(work: Work) -> set[tuple[str, str]]:
    return {(view.kind.value, view.detail) for view in incidents.all_open(work)}


async def health_of(auditor: Auditor) -> int:
    async with (
        serving("127.0.0.1", 0, [health_route(auditor)]) as port,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/healthz") as answer,
    ):
        return answer.status


async def test_a_healthy_clinic_gives_a_sign_of_life(clinic: SimulatedClinic, tmp_path: Path) -> None:
    operator = Operator()
    async with listening(operator) as address:
        auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health", address))
        assert await health_of(auditor) == 503  # nobody has looked yet
        assert await auditor.look() == ()
        await a_round(clinic)
        assert await auditor.look() == ()
        assert await health_of(auditor) == 200
    assert operator.heard == 2
    assert (tmp_path / "health").exists()


@pytest.mark.parametrize("part", PARTS)
async def test_a_part_that_stands_still_ends_the_sign_of_life(
    clinic: SimulatedClinic, tmp_path: Path, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> int:
        raise RuntimeError("switched off")

    operator = Operator()
    async with listening(operator) as address:
        auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health", address))
        monkeypatch.setattr(getattr(clinic.afterglow, part), PARTS[part], broken)
        await a_round(clinic)  # what was under way comes to its end
        await auditor.look()
        (tmp_path / "health").unlink()
        await a_round(clinic)
        kind = "polling" if part == "receiver" else "stage"
        assert await auditor.look() == (kind,)
        assert await health_of(auditor) == 503
        assert operator.heard == 1  # the first look had nothing to compare with
    assert not (tmp_path / "health").exists()
    assert clinic.desk.act_now(open_kinds) == {(kind, "" if part == "receiver" else part)}


async def test_an_alert_without_a_next_step_is_found(clinic: SimulatedClinic, tmp_path: Path) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.ana.taps("I need help")
    auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health"))

    def forget_step(work: Work) -> str:
        alert = work.stores.alerts.all_open()[0]
        alert.next_step_at = None
        return alert.code

    code = clinic.desk.act_now(forget_step)
    await auditor.look()
    await a_round(clinic)
    assert await auditor.look() == ("step_late",)
    assert clinic.desk.act_now(open_kinds) == {("step_late", code)}


async def test_nobody_on_call_is_told_to_the_administrator_and_taken_back(
    clinic: SimulatedClinic, tmp_path: Path
) -> None:
    await clinic.invites(clinic.admin, Role.ADMIN)
    auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health"))
    staff = clinic.desk.act_now(lambda work: [person.id for person in work.stores.rota.in_order()])
    clinic.desk.act_now(lambda work: work.stores.rota.set([]))
    await auditor.look()
    assert clinic.desk.act_now(open_kinds) == {("nobody_on_call", "")}
    clinic.desk.act_now(lambda work: work.stores.rota.set(staff))
    await a_round(clinic)
    await auditor.look()
    assert clinic.desk.act_now(open_kinds) == set()


async def test_a_queue_that_moves_and_stays_late_is_late(
    clinic: SimulatedClinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = iter(range(100))
    monkeypatch.setattr(Inbox, "oldest_waiting", lambda _: clinic.clock.now() - timedelta(minutes=10 + next(waits)))
    auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health"))
    await auditor.look()
    await a_round(clinic)
    assert await auditor.look() == ("row_late",)


async def test_a_process_that_does_not_lead_closes_nothing_that_the_leader_opened(
    clinic: SimulatedClinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.desk.act_now(incidents.open, incidents.IncidentKind.STAGE, "ticker")
    auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health"))
    monkeypatch.setattr(Lease, "held", property(lambda _: False))
    await auditor.look()
    assert clinic.desk.act_now(open_kinds) == {("stage", "ticker")}
    monkeypatch.undo()
    await a_round(clinic)
    await auditor.look()
    assert clinic.desk.act_now(open_kinds) == set()


async def test_an_old_verdict_is_none(clinic: SimulatedClinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health"))
    await auditor.look()
    assert auditor.wrong == ()
    monkeypatch.setattr("bot.delivery.auditor.STALE_SECONDS", -1.0)
    assert await health_of(auditor) == 503


async def test_a_health_file_that_cannot_be_touched_is_said_and_ends_nothing(
    clinic: SimulatedClinic, tmp_path: Path
) -> None:
    (tmp_path / "health").symlink_to(tmp_path / "nowhere" / "health")
    auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health"))
    await auditor.look()
    assert await health_of(auditor) == 503


async def test_a_database_that_only_reads_calls_the_operator_once(
    clinic: SimulatedClinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []

    async def say(_urls: tuple[str, ...], words: str) -> bool:
        called.append(words)
        return True

    roads = Roads(operator=("json://127.0.0.1:1",))
    monkeypatch.setattr(clinic.desk, "knowledge", replace(clinic.desk.knowledge, roads=roads))
    monkeypatch.setattr(clinic.afterglow.channels, "say", say)
    auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health"))
    with clinic.desk.database.engine.connect() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON facts BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
        connection.commit()
    assert await auditor.look() == ("database",)
    assert await auditor.look() == ("database",)
    assert len(called) == 1 and "repair" in called[0]
    assert await health_of(auditor) == 503


@dataclass
class Telegram:
    """What it says of a webhook; `set_webhook` is taken, and changes nothing."""

    info: WebhookInfo

    async def set_webhook(self, *_: Any, **__: Any) -> None:
        pass

    async def get_webhook_info(self) -> WebhookInfo:
        return self.info


HOOK = web_server.Webhook("https://diary.example.org/telegram", "a-word-of-our-own-1")
SOUND = WebhookInfo(url=HOOK.address, has_custom_certificate=False, pending_update_count=0)
FORGOTTEN = WebhookInfo(url="", has_custom_certificate=False, pending_update_count=0)


async def test_a_webhook_that_telegram_no_longer_knows_stands_still(
    clinic: SimulatedClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOOK_SECONDS", "RETRY_SECONDS"):
        monkeypatch.setattr(web_server, name, 0.01)
    telegram, receiver = Telegram(SOUND), clinic.afterglow.receiver
    monkeypatch.setattr(receiver, "pulse", Pulse())  # polling beats it too; this one is looked at alone
    monkeypatch.setattr(receiver, "poll", _never)
    task = asyncio.create_task(web_server.keep_webhook(telegram, receiver, HOOK))  # type: ignore[arg-type]
    try:
        assert await _beats(receiver.pulse)
        telegram.info = FORGOTTEN
        await asyncio.sleep(0.1)  # a look that had begun comes to its end
        assert not await _beats(receiver.pulse)
        telegram.info = SOUND
        assert await _beats(receiver.pulse)
        numbers = count()
        monkeypatch.setattr(telegram, "get_webhook_info", lambda: _failing(next(numbers)))
        await asyncio.sleep(0.1)
        assert not await _beats(receiver.pulse)  # each look finds a delivery that has failed since the last one
    finally:
        task.cancel()


async def _failing(second: int) -> WebhookInfo:
    return WebhookInfo(
        url=HOOK.address, has_custom_certificate=False, pending_update_count=3,
        last_error_date=datetime(2026, 3, 2, tzinfo=UTC) + timedelta(seconds=second),
    )  # fmt: skip


async def _never(*_: Any) -> int:
    await asyncio.Event().wait()
    return 0


async def _beats(pulse: Pulse) -> bool:
    known = pulse.beats
    for _ in range(50):
        await asyncio.sleep(0.01)
        if pulse.beats > known:
            return True
    return False


async def test_an_urgent_letter_that_waits_a_full_disk_and_staff_that_block(
    clinic: SimulatedClinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health"))
    monkeypatch.setattr(Outbox, "overdue", lambda *_: [object()])
    await auditor.look()
    assert "letter_late" in await auditor.look() and ("letter_late", "") in clinic.desk.act_now(open_kinds)
    monkeypatch.undo()
    await auditor.look()
    assert ("letter_late", "") not in clinic.desk.act_now(open_kinds)

    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    assert "disk" in await auditor.look() and ("disk", "room") in clinic.desk.act_now(open_kinds)
    monkeypatch.undo()
    assert "disk" not in await auditor.look() and ("disk", "room") not in clinic.desk.act_now(open_kinds)

    await clinic.nurse.blocks()
    assert "staff_blocked" not in await auditor.look()  # for the administrators to mend: the machine is well
    assert {kind for kind, _ in clinic.desk.act_now(open_kinds)} >= {"staff_blocked"}
