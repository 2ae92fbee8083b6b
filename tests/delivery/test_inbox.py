"""What comes in: a row that cannot be handled dies visibly and blocks nobody; danger is reviewed at once."""

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest

from bot.delivery import worker
from bot.delivery.drift import Reading
from bot.services import inbound, outages, safety_line
from bot.services.work import Work
from storage.tables.diary import CheckInState
from storage.tables.people import Role
from storage.tables.post import MAX_ATTEMPTS
from tests.support.clinic import SimulatedClinic, opened


class Broken:
    """Patterns that fail at every text."""

    def __getattr__(self, _: str) -> object:
        raise RuntimeError("patterns")


def notes(work: Work) -> list[str]:
    return [work.stores.notes.text(note) for note in work.stores.notes.of(work.stores.patients.all()[0].id)]


async def test_a_poison_row_dies_visibly_and_can_be_tried_again(
    clinic: SimulatedClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    await clinic.invites(clinic.admin, Role.ADMIN)
    await clinic.enrols(clinic.ana)
    sound = inbound.text

    def poisoned(work: Work, said: str) -> None:
        if said == "poison":
            raise RuntimeError("no handler survives this")
        sound(work, said)

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


async def test_a_row_that_kills_the_process_is_found(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    handle, tried = clinic.afterglow.worker._handle, []

    async def dies(turn: worker.Turn) -> None:
        tried.append(turn.attempt)
        if turn.attempt > MAX_ATTEMPTS:
            await handle(turn)
        # otherwise the process ends here; the next one begins as every start does
        await clinic.desk.ask(lambda work: work.stores.inbox.release_all())

    clinic.afterglow.worker._handle = dies  # type: ignore[method-assign]
    await clinic.ana.says("this one kills")
    assert tried == [1, 2, 3, 4]
    assert len(clinic.desk.act_now(lambda work: work.stores.inbox.dead())) == 1
    assert "patient P-0001" in await clinic.nurse.last()


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
