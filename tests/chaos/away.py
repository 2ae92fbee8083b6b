"""Telegram is away for minutes: danger takes the second road meanwhile, and Telegram as soon as it is back."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random

from bot.desk import Desk
from bot.services.work import Work
from bot.simulator.client import PeopleClient
from tests.chaos.evidence import Story, nothing_lost
from tests.chaos.fleet import fleet
from tests.chaos.kills import settled
from tests.chaos.verdict import Verdict
from tests.support import load
from tests.support.bot_process import CLINIC, bot_process, open_desk
from tests.support.load import Member
from tests.support.postgres import postgres
from tests.support.road import Road
from tests.support.telegram import telegram

SECOND_ROAD, RETURN = 90.0, 15.0  # seconds within which somebody is told
DANGER = "I've got the pills ready"
SENDING = ["sendmessage", "editmessagetext", "answercallbackquery"]
BEFORE, DURING, ANSWERING = 0, 1, slice(2, 12)  # who reports danger when, and who only answers

Death = Callable[[], Awaitable[None]]  # kills the process that sends, and starts another


async def prove(folder: Path, *, minutes: float, seed: int) -> Verdict:
    verdict = Verdict(f"Telegram away for {minutes:g} min, its sender killed halfway (seed {seed})")
    parts = {
        "SQLite": _on_sqlite(folder / "one", minutes, Random(seed)),
        "PostgreSQL": _on_postgres(folder, minutes, Random(seed)),
    }
    for name, part in zip(parts, await asyncio.gather(*parts.values()), strict=True):
        verdict.figures |= {f"{name}: {what}": value for what, value in part.figures.items()}
        verdict.broken += [f"{name}: {problem}" for problem in part.broken]
    return verdict


async def _on_sqlite(folder: Path, minutes: float, random: Random) -> Verdict:
    desk = open_desk(folder)
    try:
        async with telegram() as (address, people), _one_process(address, folder) as dies:
            return await _outage(desk, people, dies, minutes, random)
    finally:
        desk.close()


@asynccontextmanager
async def _one_process(address: str, folder: Path) -> AsyncIterator[Death]:
    async with AsyncExitStack() as stack:
        running = [await stack.enter_async_context(bot_process(address, folder))]

        async def dies() -> None:
            await running.pop().kill()
            running.append(await stack.enter_async_context(bot_process(address, folder)))

        yield dies


async def _on_postgres(folder: Path, minutes: float, random: Random) -> Verdict:
    with postgres(folder / "server") as server:
        database = server.new_database()
        desk = open_desk(folder / "two", server.url(database))
        try:
            async with telegram() as (address, people), fleet(address, folder / "two", server, database, 2) as ships:

                async def dies() -> None:
                    holder = ships.holder(desk)
                    assert holder is not None, "nobody holds the lease"
                    await ships.sink(holder)
                    await ships.launch()

                return await _outage(desk, people, dies, minutes, random)
        finally:
            desk.close()


async def _outage(desk: Desk, people: PeopleClient, dies: Death, minutes: float, random: Random) -> Verdict:
    part = Verdict("one engine")
    async with Road.opened() as road:
        load.employ(desk)
        desk.act_now(_give_nurse_a_road, road.address)
        members = load.enrol(desk, ANSWERING.stop)
        await people.add_many(load.FIRST, len(members))
        await people.add_many(load.ADMIN, 3)
        story = Story.of(members[ANSWERING], 0, random)
        story.spoken = {members[BEFORE].code, members[DURING].code}
        await people.fault(kind="away", methods=SENDING)  # the report itself comes through, and nothing after it
        began = time.monotonic()
        await people.act(members[BEFORE].number, "text", text=DANGER)
        await _until(lambda: bool(desk.act_now(_alerts)))
        await people.fault(kind="away")
        calling = asyncio.create_task(_until(lambda: bool(road.said)))
        await _sleep_until(began + minutes * 30)
        await dies()
        await people.act(members[DURING].number, "text", text=DANGER)  # waits at Telegram, as the answers do
        await story.goes_on(people, len(story.taps))
        await _sleep_until(began + minutes * 60)
        part.must("somebody was called over the second road", hold=calling.done())
        called = await calling - began
        part.figures |= {"calls over the second road": len(road.said), "away for": f"{minutes * 60:.0f} s"}
        _within(part, "second road", called, SECOND_ROAD)
        await _return(part, people, members)
        await settled(people, desk)
        nothing_lost(part, desk, story)
        await _no_flood(part, people, members[BEFORE])
    return part


async def _return(part: Verdict, people: PeopleClient, members: list[Member]) -> None:
    """Telegram is there again: the page, the patient's numbers, and the page of what had waited at Telegram."""
    seen = int((await people.ledger())["deliveries"])
    wanted = {
        "page": (load.NURSE, members[BEFORE].code),
        "the patient's numbers": (members[BEFORE].number, CLINIC.phone),
        "page of danger reported meanwhile": (load.NURSE, members[DURING].code),
    }
    await people.no_faults()
    back = time.monotonic()
    while wanted and time.monotonic() - back < 4 * RETURN:
        delivered, seen = await people.deliveries(seen, wait=1)
        for what, (chat, word) in list(wanted.items()):
            if any(entry.chat == chat and word in entry.text for entry in delivered):
                _within(part, f"after Telegram's return: {what}", time.monotonic() - back, RETURN)
                del wanted[what]
    part.must("everything arrived after Telegram's return", hold=not wanted)


async def _no_flood(part: Verdict, people: PeopleClient, member: Member) -> None:
    """One page says what is true now, not one for each step that was missed; the next step may be due meanwhile."""
    delivered, _ = await people.deliveries()
    pages = [e for e in delivered if e.chat == load.NURSE and not e.edit and member.code in e.text]
    part.must(f"no more pages of it to the nurse than two ({len(pages)})", hold=1 <= len(pages) <= 2)


def _within(part: Verdict, what: str, seconds: float, most: float) -> None:
    part.figures[what] = f"{seconds:.1f} s"
    if seconds > most:
        part.broken.append(f"{what}: {seconds:.1f} s, more than {most:.0f} s")


def _give_nurse_a_road(work: Work, address: str) -> None:
    nurse = work.stores.rota.in_order()[0]
    work.stores.roads.add_channel(nurse.id, address, by=None)


def _alerts(work: Work) -> int:
    return len(work.stores.alerts.all_open())


async def _until(holds: Callable[[], bool], seconds: float = 600) -> float:
    """When it began to hold."""
    async with asyncio.timeout(seconds):
        while True:
            if await asyncio.to_thread(holds):
                return time.monotonic()
            await asyncio.sleep(0.1)


async def _sleep_until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))
