"""(c) What a look at the clock costs, by how many patients are enrolled and how many are due."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.delivery.ticker import Ticker
from bot.desk import Desk
from tests.benchmarks.table import Row, milliseconds, times
from tests.support import load
from tests.support.bot_process import open_desk

ENROLLED, DUE = 100_000, 1_000
JOBS = 1_000  # the baseline is measured with so many and extrapolated: adding jobs takes too long
LOOKS = 100


async def ours(enrolled: int, due: int) -> tuple[float, float]:
    """Seconds of a tick when nothing is due, and of the ticks that prompt everybody who is due."""
    with tempfile.TemporaryDirectory() as name:
        desk = open_desk(Path(name))
        load.employ(desk)
        load.enrol(desk, enrolled - due, due_at=datetime.now(UTC) + timedelta(hours=6))
        try:
            ticker = Ticker(desk, lambda: True)
            idle = median([await _timed(ticker.tick) for _ in range(LOOKS)])
            load.enrol(desk, due, due_at=datetime.now(UTC) - timedelta(seconds=1), first=load.FIRST + enrolled)
            return idle, await _timed(lambda: _until_idle(desk, ticker))
        finally:
            desk.close()


async def _until_idle(desk: Desk, ticker: Ticker) -> None:
    while await ticker.tick():
        pass


async def _timed(act: Callable[[], Any]) -> float:
    began = time.perf_counter()
    await act()
    return time.perf_counter() - began


async def prompt(patient: str) -> None:
    """What a job of the baseline does: nothing, so that only the scheduler is measured."""


async def apscheduler(jobs: int, due: int) -> tuple[float, float, float]:
    """One persistent job per patient: seconds to add them, of a look with nothing due, and of one with `due` due."""
    with tempfile.TemporaryDirectory() as name:
        store = SQLAlchemyJobStore(url=f"sqlite:///{name}/jobs.sqlite")
        scheduler = AsyncIOScheduler(jobstores={"default": store}, timezone="UTC")
        scheduler.start(paused=True)
        try:
            adding = await _timed(lambda: _add(scheduler, jobs, datetime.now(UTC) + timedelta(hours=6)))
            scheduler.state = 1  # running, without the timer that would look by itself
            idle = median([_look(scheduler) for _ in range(LOOKS)])
            scheduler.state = 2
            await _add(scheduler, due, datetime.now(UTC) - timedelta(milliseconds=1))
            scheduler.state = 1
            return adding, idle, _look(scheduler)
        finally:
            scheduler.shutdown(wait=False)


async def _add(scheduler: AsyncIOScheduler, jobs: int, at: datetime) -> None:
    for number in range(jobs):
        scheduler.add_job(
            prompt, "interval", days=1, start_date=at, args=[str(number)], misfire_grace_time=None, coalesce=True
        )


def _look(scheduler: AsyncIOScheduler) -> float:
    began = time.perf_counter()
    scheduler._process_jobs()
    return time.perf_counter() - began


async def measure(scale: float) -> list[Row]:
    enrolled, due = max(1000, int(ENROLLED * scale)), max(50, int(DUE * scale))
    few_idle, few_due = await ours(due, due)
    idle, working = await ours(enrolled, due)
    jobs = max(200, int(JOBS * scale))
    adding, jobs_idle, jobs_due = await apscheduler(jobs, max(1, due * jobs // enrolled))
    await asyncio.sleep(0)
    return [
        Row(f"a tick, {enrolled} enrolled, nothing due", milliseconds(idle), milliseconds(jobs_idle),
            times(idle, jobs_idle)),
        Row(f"the same, {due} enrolled", milliseconds(few_idle)),
        Row(f"{due} due of {enrolled}: all prompted", milliseconds(working),
            f"{milliseconds(jobs_due * enrolled / jobs)}, jobs that do nothing (from {jobs} jobs)",
            times(working, jobs_due * enrolled / jobs)),
        Row(f"{due} due of {due}: all prompted", milliseconds(few_due)),
        Row(f"adding {enrolled} jobs", "none to add", f"{adding * enrolled / jobs:.0f} s (from {jobs} jobs)"),
    ]  # fmt: skip
