"""The sign of life goes out only while everything works: each part switched off in turn ends it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot import app
from bot.delivery.auditor import Auditor, Watch, health_route
from bot.delivery.lease import Lease
from bot.delivery.web import serving
from bot.services import incidents
from bot.services.work import Work
from bot.settings import Roads
from storage.stores.inbox import Inbox
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
        auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health", address), None)
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
        auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health", address), None)
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
    auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health"), None)

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
    auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health"), None)
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
    auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health"), None)
    await auditor.look()
    await a_round(clinic)
    assert await auditor.look() == ("row_late",)


async def test_a_process_that_does_not_lead_closes_nothing_that_the_leader_opened(
    clinic: SimulatedClinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.desk.act_now(incidents.open, incidents.IncidentKind.STAGE, "ticker")
    auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health"), None)
    monkeypatch.setattr(Lease, "held", property(lambda _: False))
    await auditor.look()
    assert clinic.desk.act_now(open_kinds) == {("stage", "ticker")}
    monkeypatch.undo()
    await a_round(clinic)
    await auditor.look()
    assert clinic.desk.act_now(open_kinds) == set()


async def test_an_old_verdict_is_none(clinic: SimulatedClinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health"), None)
    await auditor.look()
    assert auditor.wrong == ()
    monkeypatch.setattr("bot.delivery.auditor.STALE_SECONDS", -1.0)
    assert await health_of(auditor) == 503


async def test_a_health_file_that_cannot_be_touched_is_said_and_ends_nothing(
    clinic: SimulatedClinic, tmp_path: Path
) -> None:
    (tmp_path / "health").symlink_to(tmp_path / "nowhere" / "health")
    auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health"), None)
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
    auditor = app.auditor_of(clinic.afterglow, Watch(tmp_path / "health"), None)
    with clinic.desk.database.engine.connect() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON facts BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
        connection.commit()
    assert await auditor.look() == ("database",)
    assert await auditor.look() == ("database",)
    assert len(called) == 1 and "repair" in called[0]
    assert await health_of(auditor) == 503
