"""What comes in: a row that cannot be handled dies visibly and blocks nobody; danger is reviewed at once."""

import asyncio
import dataclasses
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from bot.delivery import worker
from bot.delivery.drift import Reading
from bot.services import inbound, outages, safety_line
from bot.services.work import Work
from storage.stores.inbox import Inbox, Received
from storage.tables.diary import CheckInState
from storage.tables.people import Role
from storage.tables.post import MAX_DEATHS, InboxRow
from tests.support.clinic import SimulatedClinic, opened


class Broken:
    """Patterns that fail at every text."""

    def __getattr__(self, _: str) -> object:
        raise RuntimeError("patterns")


def alerts(work: Work) -> list[str]:
    """Why each open alert was raised."""
    found = [work.stores.findings.of_alert(alert.id) for alert in work.stores.alerts.all_open()]
    return [work.stores.findings.reason(finding)[0] for findings in found for finding in findings]


def notes(work: Work) -> list[str]:
    return [work.stores.notes.text(note) for note in work.stores.notes.of(work.stores.patients.all()[0].id)]


async def test_a_poison_row_dies_visibly_and_can_be_tried_again(
    clinic: SimulatedClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    await clinic.invites(clinic.admin, Role.ADMIN)
    await clinic.enrols(clinic.ana)
    sound = inbound.text

    def poisoned(work: Work, said: str, **also: bool) -> None:
        if said == "poison":
            raise RuntimeError("no handler survives this")
        sound(work, said, **also)

    monkeypatch.setattr(inbound, "text", poisoned)
    await clinic.people.act(2001, "text", text="poison")
    await clinic.ana.says("after it")
    assert clinic.desk.act_now(notes) == ["after it"]
    (dead,) = clinic.desk.act_now(lambda work: [row.position for row in work.stores.inbox.dead()])
    assert "patient P-0001" in await clinic.nurse.last()  # the care team reviews what could not be read
    assert "could not be handled" in await clinic.admin.all_texts()
    monkeypatch.setattr(inbound, "text", sound)
    await clinic.desk.act(lambda work: work.stores.inbox.replay(dead))
    await clinic.afterglow.settle()
    assert clinic.desk.act_now(notes) == ["after it", "poison"]


async def test_a_failing_look_is_an_alert_at_the_first_failure(
    clinic: SimulatedClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    await clinic.enrols(clinic.ana)
    clinic.desk.knowledge = dataclasses.replace(clinic.desk.knowledge, patterns=Broken())  # type: ignore[arg-type]
    await clinic.ana.says("what does this say?")
    assert "patient P-0001" in await clinic.nurse.last()
    assert clinic.desk.act_now(notes) == ["what does this say?"]

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("the whole look fails")

    monkeypatch.setattr(safety_line, "triage", fails)
    await clinic.enrols(clinic.ben)
    await clinic.ben.says("and this?")
    assert "patient P-0002" in await clinic.nurse.last()


def let_claims_run_out(clinic: SimulatedClinic) -> None:
    with clinic.desk.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE inbox SET claimed_until = NULL")


async def test_a_row_that_kills_the_process_each_time_is_found(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    handle, tried = clinic.afterglow.worker._handle, []

    async def dies(turn: worker.Turn) -> None:
        tried.append(turn.attempt)
        if turn.attempt > MAX_DEATHS:
            await handle(turn)
        let_claims_run_out(clinic)  # otherwise the process ends here

    clinic.afterglow.worker._handle = dies  # type: ignore[method-assign]
    await clinic.ana.says("this one kills")
    assert tried == list(range(1, MAX_DEATHS + 2))
    assert len(clinic.desk.act_now(lambda work: work.stores.inbox.dead())) == 1
    assert "patient P-0001" in await clinic.nurse.last()


async def test_a_row_that_died_with_the_process_while_alone_rests_and_the_others_go_on(
    clinic: SimulatedClinic,
) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.enrols(clinic.ben)
    handle, tried, kills = clinic.afterglow.worker._handle, [], 3
    rests, goes_on = asyncio.Event(), asyncio.Event()

    async def dies(turn: worker.Turn) -> None:
        tried.append((turn.attempt, turn.raw["message"]["text"]))
        if turn.raw["message"]["text"] == "met by kills" and turn.attempt <= kills:
            await clinic.desk.ask(lambda work: work.stores.inbox.release_all())
            if turn.attempt == kills:
                rests.set()
            return
        await handle(turn)
        goes_on.set()

    clinic.afterglow.worker._handle = dies  # type: ignore[method-assign]
    await clinic.people.act(2001, "text", text="met by kills")
    await rests.wait()
    await clinic.people.act(2002, "text", text="another's")
    await goes_on.wait()
    assert tried == [(1, "met by kills"), (2, "met by kills"), (3, "met by kills"), (1, "another's")]
    let_claims_run_out(clinic)
    await clinic.afterglow.settle()
    assert clinic.desk.act_now(notes) == ["met by kills"]
    assert clinic.desk.act_now(alerts) == []


@pytest.mark.parametrize("deaths", [MAX_DEATHS - 1, MAX_DEATHS])
async def test_looks_that_ended_with_the_process_are_taken_again_some_times_and_then_reviewed(
    clinic: SimulatedClinic, deaths: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await clinic.enrols(clinic.ana)
    take_in = Inbox.take_in

    def after_deaths(inbox: Inbox, batch: Iterable[Received]) -> int:
        stored = take_in(inbox, batch)
        inbox._session.execute(update(InboxRow).where(InboxRow.triaged.is_(False)).values(looks=deaths))
        return stored

    monkeypatch.setattr(Inbox, "take_in", after_deaths)
    await clinic.ana.says("a calm day")
    assert clinic.desk.act_now(notes) == ["a calm day"]
    assert clinic.desk.act_now(alerts) == (["r0.needs_review"] if deaths == MAX_DEATHS else [])


async def test_a_database_that_fails_during_a_look_is_no_alert(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path, url=database_url) as clinic:
        await clinic.enrols(clinic.ana)
        loop = asyncio.get_running_loop()
        judge, failures, comes_back = safety_line._judge, iter(range(MAX_DEATHS + 1)), asyncio.Event()

        def fails(*given: Any, **flags: Any) -> object:
            if next(failures, None) is not None:
                raise OperationalError("SELECT", {}, Exception("the server is away"))
            loop.call_soon_threadsafe(comes_back.set)
            return judge(*given, **flags)

        monkeypatch.setattr(safety_line, "_judge", fails)
        monkeypatch.setattr(worker, "RETRY_SECONDS", 0.01)
        await clinic.people.act(2001, "text", text="a calm day")
        await comes_back.wait()
        await clinic.afterglow.settle()
        assert clinic.desk.act_now(notes) == ["a calm day"]
        assert clinic.desk.act_now(alerts) == []


async def test_after_a_gap_in_polling_patients_are_asked_again(clinic: SimulatedClinic) -> None:
    await clinic.invites(clinic.admin, Role.ADMIN)
    await clinic.enrols(clinic.ana)
    await clinic.infuses()
    await clinic.next_prompt(clinic.ana)
    before = len(await clinic.ana.messages())
    clinic.afterglow.receiver.caught_up = lambda: False  # type: ignore[method-assign]
    clinic.afterglow.ticker._caught_up = lambda: False
    away = timedelta(hours=30)
    clinic.clock.ahead += away
    assert await clinic.desk.act(outages.fetched)
    clinic.afterglow.ticker._caught_up = lambda: True
    await clinic.afterglow.settle()
    assert "answers may be lost" in await clinic.admin.all_texts()
    assert len(await clinic.ana.messages()) > before
    assert "Start" in str([message["buttons"] for message in (await clinic.ana.messages())[before:]])
    states = clinic.desk.act_now(
        lambda work: [row.state for row in work.stores.check_ins.of(work.stores.patients.all()[0].id)]
    )
    assert CheckInState.PROMPTED in states
    assert not await clinic.desk.act(outages.fetched)


async def test_an_answer_that_waited_at_telegram_is_not_missing(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.infuses()
    await clinic.next_prompt(clinic.ana)
    clinic.afterglow.ticker._caught_up = lambda: False  # Telegram is away, with the answer
    clinic.clock.ahead += timedelta(hours=20)
    await clinic.afterglow.settle()
    await clinic.ana.taps("7")
    clinic.afterglow.ticker._caught_up = lambda: True

    def moods(work: Work) -> list[int | None]:
        patient = work.stores.patients.all()[0].id
        return [work.stores.responses.value(row) for row in work.stores.responses.of(patient)]

    assert clinic.desk.act_now(moods) == [7]
    await clinic.afterglow.settle()
    assert clinic.desk.act_now(moods) == [7]


async def test_while_the_clock_jumps_nothing_expires_and_alerts_go_on(clinic: SimulatedClinic) -> None:
    await clinic.invites(clinic.admin, Role.ADMIN)
    await clinic.enrols(clinic.ana)
    await clinic.infuses()
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.says("I am going to kill myself tonight")
    pages = len(await clinic.nurse.messages())
    jumped = clinic.clock.now() + timedelta(minutes=4)
    clinic.afterglow.ticker._clocks.read = lambda *_: Reading(steady=False, latest=jumped)  # type: ignore[method-assign]
    await clinic.afterglow.ticker.tick()
    await clinic.afterglow.settle()
    assert len(await clinic.nurse.messages()) > pages
    assert "clock" in await clinic.admin.all_texts()
    rows = clinic.desk.act_now(
        lambda work: [row.state for row in work.stores.check_ins.of(work.stores.patients.all()[0].id)]
    )
    assert CheckInState.EXPIRED not in rows


async def test_a_day_on_postgresql_with_late_rows(tmp_path: Path, postgres_url: str) -> None:
    async with opened(tmp_path, url=postgres_url) as clinic:
        await clinic.enrols(clinic.ana)
        await clinic.ana.says("one")
        await clinic.ana.says("two")
        assert clinic.desk.act_now(notes) == ["one", "two"]
