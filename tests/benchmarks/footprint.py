"""(e) From start to ready, memory at rest, and its growth under load."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from statistics import median

from tests.benchmarks.table import Row, times
from tests.benchmarks.throughput import bare_bot, waves
from tests.support import load
from tests.support.bot_process import bot_process, open_desk
from tests.support.processes import Process
from tests.support.telegram import telegram

STARTS, PATIENTS = 5, 200
FIRST_DAY = date(2001, 1, 1)
REST, WARM, LOAD = 5.0, 60.0, 600.0  # seconds: at rest, of load before the first look at memory, and after it

Start = Callable[[], AbstractAsyncContextManager[Process]]


async def _start_to_ready(start: Start) -> tuple[float, float]:
    """Median seconds until ready, and MB at rest."""
    seconds, memory = [], 0.0
    for number in range(STARTS):
        began = time.perf_counter()
        async with start() as process:
            seconds.append(time.perf_counter() - began)
            if number == STARTS - 1:
                await asyncio.sleep(REST)
                memory = process.memory()
    return median(seconds), memory


async def _growth(start: Start, answer: Callable[[], Awaitable[object]], scale: float) -> tuple[float, float]:
    """MB after warming up, and after the load."""
    async with start() as process:
        await _load(answer, WARM * min(1, scale))
        warm = process.memory()
        await _load(answer, LOAD * scale)
        return warm, process.memory()


async def _load(answer: Callable[[], Awaitable[object]], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        await answer()


@asynccontextmanager
async def _ours(address: str, folder: Path) -> AsyncIterator[Process]:
    async with bot_process(address, folder, unlimited=True) as process:
        yield process


async def measure(scale: float) -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        desk = open_desk(Path(name))
        load.employ(desk)
        members = load.enrol(desk, PATIENTS)
        async with telegram() as (address, people):
            await people.add_many(load.FIRST, PATIENTS)
            own, rest = await _start_to_ready(lambda: _ours(address, Path(name)))
            theirs, their_rest = await _start_to_ready(lambda: bare_bot(address))
            days = count(1)

            async def whole_check_in() -> None:
                today = await asyncio.to_thread(load.next_day, desk, members, FIRST_DAY + timedelta(days=next(days)))
                await waves(people, today)

            warm, loaded = await _growth(lambda: _ours(address, Path(name)), whole_check_in, scale)
            their_warm, their_loaded = await _growth(
                lambda: bare_bot(address), lambda: waves(people, members), scale / 20
            )
            desk.close()
    return [
        Row("start to ready; a bare bot", f"{own:.2f} s", f"{theirs:.2f} s", times(own, theirs)),
        Row("memory at rest", f"{rest:.0f} MB", f"{their_rest:.0f} MB", times(rest, their_rest)),
        Row(f"memory after {WARM * min(1, scale):.0f} s of answers, and after {LOAD * scale:.0f} s more",
            f"{warm:.0f} -> {loaded:.0f} MB ({loaded / warm - 1:+.0%})",
            f"{their_warm:.0f} -> {their_loaded:.0f} MB ({their_loaded / their_warm - 1:+.0%}; 1/20 of the time)"),
    ]  # fmt: skip
