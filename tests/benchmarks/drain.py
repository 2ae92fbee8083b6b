"""(d) How fast a burst leaves under Telegram's limits, and without them."""

import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from bot.simulator.client import PeopleClient
from bot.simulator.faults import PER_SECOND
from tests.benchmarks.table import Row, milliseconds, times
from tests.benchmarks.throughput import AT_ONCE, LATENCY, bare_bot
from tests.support import load
from tests.support.bot_process import bot_process, open_desk
from tests.support.processes import Process
from tests.support.telegram import telegram

LIMITED, UNLIMITED = 900, 4000


class Drain(NamedTuple):
    rate: float  # messages a second from the first to the last
    refused: int  # with 429
    cpu: float  # seconds of the process for each message


async def _drained(people: PeopleClient, process: Process, messages: int) -> Drain:
    seen, moments = 0, list[float]()
    cpu = process.cpu_seconds()
    while len(moments) < messages:
        delivered, seen = await people.deliveries(seen, wait=1)
        moments += [entry.at for entry in delivered if entry.chat >= load.FIRST]
    refused = (await people.ledger())["refused"].get("sendmessage 429", 0)
    used = (process.cpu_seconds() - cpu) / messages
    return Drain((messages - 1) / (moments[-1] - moments[0]), refused, used)


async def ours(messages: int, *, limits: bool) -> Drain:
    with tempfile.TemporaryDirectory() as name:
        desk = open_desk(Path(name))
        load.employ(desk)
        async with telegram(limits=limits, latency=LATENCY) as (address, people):
            await people.add_many(load.FIRST, messages)
            async with bot_process(address, Path(name), unlimited=not limits) as process:
                await asyncio.sleep(1)
                load.enrol(desk, messages, due_at=datetime.now(UTC) + timedelta(seconds=1))
                return await _drained(people, process, messages)


async def stock(messages: int, *options: str, limits: bool) -> Drain:
    async with telegram(limits=limits, latency=LATENCY) as (address, people):
        await people.add_many(load.FIRST, messages)
        async with bare_bot(address, "--burst", str(messages), *options) as process:
            return await _drained(people, process, messages)


async def measure(scale: float) -> list[Row]:
    limited, unlimited = max(90, int(LIMITED * scale)), max(200, int(UNLIMITED * scale))
    own, theirs = await ours(limited, limits=True), await stock(limited, limits=True)
    free = await ours(unlimited, limits=False)
    floods = {width: await stock(unlimited // 2, "--flood", "--at-once", str(width), limits=False) for width in AT_ONCE}
    width, best = max(floods.items(), key=lambda entry: entry[1].rate)
    return [
        Row(f"{limited} due at once: share of the {PER_SECOND}/s that are permitted", f"{own.rate / PER_SECOND:.0%}",
            f"{theirs.rate / PER_SECOND:.0%} (its rate limiter)", times(own.rate, theirs.rate)),
        Row("refused with 429 meanwhile", str(own.refused), str(theirs.refused)),
        Row(f"sends/s without limits; stock transport, {width} at once", f"{free.rate:.0f}/s", f"{best.rate:.0f}/s",
            times(free.rate, best.rate)),
        Row("processor time for each send (ours renders, seals and stores it)", milliseconds(free.cpu),
            milliseconds(best.cpu), times(free.cpu, best.cpu)),
    ]  # fmt: skip
