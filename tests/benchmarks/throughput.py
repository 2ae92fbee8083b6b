"""(b) Answers received, stored, judged and replied to per second by one process; Telegram's limits are lifted."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.simulator.client import PeopleClient
from tests.benchmarks.table import Row, times
from tests.support import load
from tests.support.bot_process import bot_process, open_desk
from tests.support.load import Member
from tests.support.processes import Process, started
from tests.support.telegram import telegram

LATENCY = 0.05
PATIENCE = 120.0  # seconds without any reply after which something is wrong, also on a machine that does other work
AT_ONCE = (16, 32, 64)  # updates side by side in the bare bot; its best counts


async def waves(people: PeopleClient, members: list[Member]) -> float:
    """Answers per second over a whole check-in of everybody: each next tap follows the reply to the one before."""
    seconds, answers = 0.0, 0
    for taps in load.good_days(members):
        seen = int((await people.ledger())["deliveries"])
        began = last = await people.taps(taps)
        waiting = {number for number, _ in taps}
        while waiting:
            delivered, seen = await people.deliveries(seen, wait=PATIENCE)
            if not delivered:
                raise RuntimeError(f"{len(waiting)} of {len(taps)} taps were not replied to")
            waiting -= {entry.chat for entry in delivered}
            last = max([last, *(entry.at for entry in delivered)])
        seconds += last - began
        answers += len(taps)
    return answers / seconds


@asynccontextmanager
async def bare_bot(address: str, *options: str) -> AsyncIterator[Process]:
    async with started("tests.benchmarks.stock", "--api", address, *options) as process:
        await process.line()
        yield process


async def ours(patients: int) -> float:
    with tempfile.TemporaryDirectory() as name:
        desk = open_desk(Path(name))
        load.employ(desk)
        members = load.enrol(desk, patients)
        desk.close()
        async with telegram(latency=LATENCY) as (address, people):
            await people.add_many(load.FIRST, patients)
            async with bot_process(address, Path(name), unlimited=True):
                rate = await waves(people, members)
        desk = open_desk(Path(name))
        stored = load.count(desk, "responses")
        desk.close()
    assert stored == patients * len(load.ITEMS), f"{stored} answers are stored"
    return rate


async def bare(patients: int, *options: str) -> float:
    async with telegram(latency=LATENCY) as (address, people):
        await people.add_many(load.FIRST, patients)
        async with bare_bot(address, *options):
            return await waves(people, load.strangers(patients))


async def measure(scale: float) -> list[Row]:
    patients = max(20, int(1000 * scale))
    stock = {width: await bare(patients // 2, "--at-once", str(width)) for width in AT_ONCE}
    own = await ours(patients)
    on_ours = {width: await bare(patients, "--at-once", str(width), "--our-transport") for width in (64, 256)}
    rows = []
    for name, found in (("bare bot, stock transport", stock), ("bare bot, our transport", on_ours)):
        width, best = max(found.items(), key=lambda entry: entry[1])
        rows.append(
            Row(f"answers/s; {name}, {width} updates at once", f"{own:.0f}/s", f"{best:.0f}/s", times(own, best))
        )
    return rows
