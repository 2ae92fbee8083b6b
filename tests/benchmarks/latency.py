"""(a) From a tap that reports danger to the moment at which Telegram takes its alert, under Telegram's own limits."""

import asyncio
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from bot.simulator.client import PeopleClient
from tests.benchmarks.table import Row, percentile, spread, times
from tests.benchmarks.throughput import LATENCY, bare_bot
from tests.support import load
from tests.support.bot_process import bot_process, open_desk
from tests.support.load import Member
from tests.support.telegram import telegram

BURST = 10_000
TAPS, EVERY = 200, 0.25  # so many people in danger, one every so many seconds on average
PATIENCE = 20.0  # seconds after the last tap at which waiting ends
SEED = 7


async def taps_to_alerts(people: PeopleClient, members: Sequence[Member], every: float) -> tuple[list[float], int]:
    """Seconds from each tap to its alert, and how many alerts did not come in time."""
    random, tapped = Random(SEED), dict[str, float]()
    seen = int((await people.ledger())["deliveries"])
    for member in members:
        tapped[member.code] = await people.taps([member.answers("urge", 9)])
        await asyncio.sleep(random.uniform(0.5, 1.5) * every)
    taken: dict[str, float] = {}
    try:
        async with asyncio.timeout(PATIENCE):
            while len(taken) < len(tapped):
                delivered, seen = await people.deliveries(seen, wait=1)
                for entry in delivered:
                    code = next((word for word in entry.text.split() if word in tapped), None)
                    if entry.chat == load.NURSE and code is not None and not entry.edit:
                        taken.setdefault(code, entry.at)
    except TimeoutError:
        pass
    return [at - tapped[code] for code, at in taken.items()], len(tapped) - len(taken)


async def ours(taps: int, burst: int, *, refusals: bool = False) -> list[float]:
    """With `refusals`, one in ten routine messages is answered with 429."""
    with tempfile.TemporaryDirectory() as name:
        desk = open_desk(Path(name))
        load.employ(desk)
        members = load.enrol(desk, taps)
        load.enrol(desk, burst, due_at=datetime.now(UTC) + timedelta(seconds=2), first=load.FIRST + taps)
        desk.close()
        async with telegram(limits=True, latency=LATENCY) as (address, people):
            await people.add_many(load.FIRST, taps + burst)
            await people.add_many(load.NURSE, 2)
            if refusals:
                chats = list(range(load.FIRST + taps, load.FIRST + taps + burst))
                await people.fault(kind="429", probability=0.1, methods=["sendMessage"], chats=chats)
            async with bot_process(address, Path(name)):
                await asyncio.sleep(6)  # the burst is due and draining
                found, missing = await taps_to_alerts(people, members, EVERY)
    assert not missing, f"{missing} alerts did not come"
    return found


async def stock(taps: int, burst: int) -> tuple[list[float], int]:
    async with telegram(limits=True, latency=LATENCY) as (address, people):
        await people.add_many(load.FIRST, taps + burst)
        await people.add_many(load.NURSE, 2)
        async with bare_bot(address, "--at-once", "32", *(["--burst", str(burst)] if burst else [])):
            await asyncio.sleep(3)
            return await taps_to_alerts(people, load.strangers(taps), EVERY)


async def measure(scale: float) -> list[Row]:
    taps, burst = max(10, int(TAPS * scale)), max(300, int(BURST * scale))
    alone, behind = await ours(taps, 0), await ours(taps, burst)
    refused = await ours(taps, burst, refusals=True)
    stock_alone, _ = await stock(taps, 0)
    stock_behind, missing = await stock(max(10, taps // 10), burst)
    return [
        Row("p50 / p95 / p99, alone", spread(alone), spread(stock_alone),
            times(percentile(alone, 0.99), percentile(stock_alone, 0.99))),
        Row(f"behind {burst} due check-ins", spread(behind), _behind(stock_behind, missing, burst)),
        Row(f"behind {burst}, a tenth of the routine messages answered with 429", spread(refused)),
    ]  # fmt: skip


def _behind(found: list[float], missing: int, burst: int) -> str:
    if missing == 0:
        return spread(found)
    return f"{missing} of {missing + len(found)} not within {PATIENCE:.0f} s; {burst / 30:.0f} s of burst before them"
