"""PostgreSQL with two processes: rows are handled once and in order, one leads, and a frozen one writes nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot import app
from bot.delivery import lease as leases
from bot.delivery.auditor import Watch
from bot.delivery.lease import Lease
from bot.delivery.pace import UNLIMITED
from bot.desk import Desk
from bot.services import incidents
from bot.services.incidents import IncidentKind
from bot.services.work import Work
from bot.settings import Clinic, Settings
from bot.simulator.clock import SimulatorClock
from storage.errors import ClaimLost, NotLeading
from storage.stores.inbox import Received
from tests.support.clinic import PHONE, opened


@asynccontextmanager
async def two_desks(folder: Path, url: str) -> AsyncIterator[tuple[Desk, Desk]]:
    settings = Settings(_env_file=None, data_dir=folder, database_url=url)
    desks = [app.open_desk(settings, Clinic(phone=PHONE), SimulatorClock()) for _ in range(2)]
    try:
        yield desks[0], desks[1]
    finally:
        for desk in desks:
            desk.close()


def lead(desk: Desk) -> Lease:
    lease = Lease(desk)
    desk.guard = lease.guard
    return lease


async def until_taken(lease: Lease) -> None:
    for _ in range(100):
        if await lease.try_to_take():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the lease did not run out")


async def until_held(lease: Lease) -> None:
    for _ in range(200):
        if lease.held:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("nobody took over")


def open_kinds(work: Work) -> list[IncidentKind]:
    return [view.kind for view in incidents.all_open(work)]


def write_down(work: Work, words: str) -> None:
    work.stores.facts.set("words", words)


def words(work: Work) -> str | None:
    return work.stores.facts.read("words")


async def test_a_frozen_holder_that_wakes_writes_nothing(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "SECONDS", 1.5)
    async with two_desks(tmp_path, postgres_url) as (frozen, other):
        first, second = lead(frozen), lead(other)
        assert await first.try_to_take()
        await frozen.lead(write_down, "by the first")
        assert not await second.try_to_take()
        with pytest.raises(NotLeading):
            await other.lead(write_down, "too early")
        await until_taken(second)
        await other.lead(write_down, "by the second")
        first._until = leases.boot_time() + 60  # it has slept, and by its own clock it still leads
        assert first.held
        with pytest.raises(NotLeading):
            await frozen.lead(write_down, "stale")
        assert await other.ask(words) == "by the second"
        assert not await first.try_to_take()


async def test_nobody_takes_over_in_the_middle_of_a_transaction(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "SECONDS", 1.5)
    async with two_desks(tmp_path, postgres_url) as (slow, other):
        first, second = lead(slow), lead(other)
        await first.try_to_take()
        order = []

        def slowly(work: Work) -> None:
            work.stores.facts.set("words", "slow")
            work.stores.facts.read("words")
            asyncio.run(asyncio.sleep(2))
            order.append("committed")

        writing = asyncio.create_task(slow.lead(slowly))
        await until_taken(second)
        order.append("taken over")
        await writing
        assert order == ["committed", "taken over"]


async def test_rows_are_claimed_once_and_in_order(tmp_path: Path, postgres_url: str) -> None:
    async with two_desks(tmp_path, postgres_url) as (here, there):

        def take_in(work: Work) -> None:
            work.stores.inbox.take_in(Received(n, f"chat {n % 3}", "{}") for n in range(12))

        def triage(work: Work, holder: str) -> None:
            for row in work.stores.inbox.claim_untriaged(holder):
                work.stores.inbox.mark_triaged([row.position], holder)

        def claim(work: Work, holder: str) -> list[tuple[str, int]]:
            return [(row.chat_key, row.position) for row in work.stores.inbox.claim_turns(holder)]

        def finish(work: Work, position: int, holder: str) -> None:
            work.stores.inbox.mark_done(position, holder)

        await here.ask(take_in)
        await here.ask(triage, here.name)
        seen: dict[str, list[int]] = {}
        while True:
            claims = await asyncio.gather(here.ask(claim, here.name), there.ask(claim, there.name))
            if not any(claims):
                break
            for desk, rows in zip((here, there), claims, strict=True):
                for chat, position in rows:
                    seen.setdefault(chat, []).append(position)
                    with pytest.raises(ClaimLost):
                        await desk.ask(finish, position, "somebody else")
                    await desk.ask(finish, position, desk.name)
        assert {chat: len(rows) for chat, rows in seen.items()} == {"chat 0": 4, "chat 1": 4, "chat 2": 4}
        assert all(rows == sorted(rows) for rows in seen.values())


async def test_a_second_process_takes_over(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "SECONDS", 2.0)
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.5)
    monkeypatch.setattr(leases, "MARGIN", 0.5)
    async with opened(tmp_path, url=postgres_url) as clinic:
        assert clinic.afterglow.lease.held
        await clinic.enrols(clinic.ana)
        desk = app.open_desk(clinic.settings, Clinic(phone=PHONE, name="Test clinic"), clinic.clock)
        running = app.running(
            desk, clinic.clock, token=clinic.simulator.token, api_url=clinic.address, world=app.SIMULATED,
            poll_seconds=1, pace=UNLIMITED,
        )  # fmt: skip
        async with running as second:
            assert not second.lease.held
            await clinic.ana.says("handled by either")
            # The first one freezes: it neither prolongs its lease nor does anything else.
            clinic.afterglow.lease.try_to_take = second.lease.give_up  # type: ignore[assignment,method-assign]
            await clinic.people.act(2001, "text", text="I am going to kill myself tonight")
            for _ in range(200):
                if "patient P-0001" in await clinic.nurse.all_texts() and second.lease.held:
                    break
                await asyncio.sleep(0.05)
            assert second.lease.held
            assert "patient P-0001" in await clinic.nurse.all_texts()
        desk.close()


async def test_only_the_holder_keeps_incidents_and_the_next_one_goes_on(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "SECONDS", 4.0)
    monkeypatch.setattr(leases, "MARGIN", 0.5)
    async with opened(tmp_path, url=postgres_url) as clinic:
        desk = app.open_desk(clinic.settings, Clinic(phone=PHONE, name="Test clinic"), clinic.clock)
        running = app.running(
            desk, clinic.clock, token=clinic.simulator.token, api_url=clinic.address, world=app.SIMULATED,
            poll_seconds=1, pace=UNLIMITED,
        )  # fmt: skip
        async with running as second:
            holder = app.auditor_of(clinic.afterglow, Watch(tmp_path / "here" / "health"))
            other = app.auditor_of(second, Watch(tmp_path / "there" / "health"))
            staff = desk.act_now(lambda work: [person.id for person in work.stores.rota.in_order()])
            desk.act_now(lambda work: work.stores.rota.set([]))
            assert await other.look() == ()
            assert (tmp_path / "there" / "health").exists()  # its own sign of life
            assert desk.act_now(open_kinds) == []
            await until_held(clinic.afterglow.lease)  # on a busy machine two seconds may run out
            await holder.look()
            await other.look()
            assert desk.act_now(open_kinds) == [IncidentKind.NOBODY_ON_CALL]

            clinic.afterglow.lease.try_to_take = second.lease.give_up  # type: ignore[assignment,method-assign]
            await until_held(second.lease)
            desk.act_now(lambda work: work.stores.rota.set(staff))
            await holder.look()
            assert desk.act_now(open_kinds) == [IncidentKind.NOBODY_ON_CALL]  # it leads no more
            await other.look()
            assert desk.act_now(open_kinds) == []
        desk.close()
