"""The disk fails or is full while people answer: nothing is lost, somebody is told, and the bot goes on by itself."""

import asyncio
import os
import shutil
import subprocess  # nosec B404
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from random import Random

from bot.simulator.client import PeopleClient
from tests.chaos.evidence import Story, every_alert_told, intact, nothing_lost
from tests.chaos.kills import settled
from tests.chaos.syscalls import MISSING, injected
from tests.chaos.verdict import Verdict
from tests.support import load
from tests.support.bot_process import bot_process, open_desk
from tests.support.processes import Process
from tests.support.telegram import telegram

DANGER_SHARE = 0.1
DISK = 256 * 2**20  # bytes of the small disk that is filled up
FILLER = "filler"

Fault = Callable[[Process, Path], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def full(_process: Process, folder: Path) -> AsyncIterator[None]:
    """Every byte that is or becomes free is taken at once, until the body ends."""
    stop = asyncio.Event()

    async def fill() -> None:
        with (folder / FILLER).open("wb", buffering=0) as file:
            while not stop.is_set():
                for size in (2**20, 4096, 1):
                    try:
                        while file.write(b"\0" * size):
                            pass
                    except OSError:
                        continue
                await asyncio.sleep(0.05)

    filling = asyncio.create_task(fill())
    try:
        yield
    finally:
        stop.set()
        await filling
        (folder / FILLER).unlink()


def refused(fault: str) -> Fault:
    return lambda process, _folder: injected(process, fault)


FAULTS: dict[str, Fault] = {
    "disk full": full,
    "every write fails (EIO)": refused("pwrite64:error=EIO"),
    "every flush fails (EIO)": refused("fdatasync:error=EIO"),
    "every second write fails (ENOSPC)": refused("pwrite64:error=ENOSPC:when=1+2"),
}


async def prove(folder: Path, *, answers: int, seconds: float, seed: int) -> Verdict:
    verdict = Verdict(f"disk full, writes and flushes that fail, each for {seconds:.0f} s (seed {seed})")
    if shutil.which("strace") is None:
        verdict.broken.append(MISSING)
        return verdict
    for name, fault in FAULTS.items():
        place = folder / name.split("(", maxsplit=1)[0].strip().replace(" ", "-")
        with small_disk(place) as is_small:
            if fault is full and not is_small:
                verdict.figures[f"{name}: left out"] = "a small disk can only be mounted by root"
                continue
            await _one_fault(verdict, name, fault, place, answers // len(FAULTS), seconds, seed)
    return verdict


async def _one_fault(
    verdict: Verdict, name: str, fault: Fault, folder: Path, answers: int, seconds: float, seed: int
) -> None:
    random, part = Random(seed), Verdict(name)
    desk = open_desk(folder)
    load.employ(desk)
    members = load.enrol(desk, -(-answers // len(load.ITEMS)))
    story = Story.of(members, DANGER_SHARE, random)
    random.shuffle(story.taps)
    async with telegram() as (address, people):
        await people.add_many(load.FIRST, len(members))
        await people.add_many(load.ADMIN, 3)
        async with bot_process(address, folder, unlimited=True) as process:
            await story.goes_on(people, len(story.taps) // 4)
            await asyncio.sleep(1)
            before = int((await people.ledger())["deliveries"])
            async with fault(process, folder):
                await _taps_on(people, story, len(story.taps) // 2, seconds)
                during, _ = await people.deliveries(before)
            await story.goes_on(people, len(story.taps))
            await settled(people, desk)
            part.must("the process went on by itself", hold=process.returncode is None)
        nothing_lost(part, desk, story)
        every_alert_told(part, desk, story, (await people.deliveries())[0])
        intact(part, desk)
    part.must("the administrator was told meanwhile", hold=any(entry.chat == load.ADMIN for entry in during))
    desk.close()
    verdict.figures |= {f"{name}: {what}": value for what, value in part.figures.items()}
    verdict.broken += [f"{name}: {problem}" for problem in part.broken]


async def _taps_on(people: PeopleClient, story: Story, taps: int, seconds: float) -> None:
    steps = 20
    for _ in range(steps):
        await story.goes_on(people, -(-taps // steps))
        await asyncio.sleep(seconds / steps)


@contextmanager
def small_disk(place: Path) -> Iterator[bool]:
    """A disk of its own in that folder where this process may mount one; else False, and a plain folder."""
    place.mkdir()
    if os.geteuid() != 0 or _run("mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(place)):
        yield False
        return
    try:
        yield True
    finally:
        _run("umount", str(place))


def _run(*command: str) -> int:
    return subprocess.run(command, check=False, capture_output=True).returncode  # nosec B603
