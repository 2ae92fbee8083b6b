"""The bot is killed again and again at random moments while people answer; afterwards every answer is there, once."""

import asyncio
import time
from pathlib import Path
from random import Random

from bot.desk import Desk
from bot.simulator.client import PeopleClient
from tests.chaos.evidence import Story, every_alert_told, intact, nothing_lost
from tests.chaos.verdict import Verdict
from tests.support import load
from tests.support.bot_process import bot_process, open_desk
from tests.support.processes import Process
from tests.support.telegram import telegram

DANGER_SHARE = 0.05
LONGEST_LIFE = 1.5  # seconds that a process lives at most after its start


async def prove(folder: Path, *, kills: int, answers: int, seed: int) -> Verdict:
    verdict = Verdict(f"kill -9, {kills} times over {answers} answers on SQLite (seed {seed})")
    random, desk = Random(seed), open_desk(folder)
    load.employ(desk)
    members = load.enrol(desk, -(-answers // len(load.ITEMS)))
    story = Story.of(members, DANGER_SHARE, random)
    async with telegram() as (address, people):
        await people.add_many(load.FIRST, len(members))
        await people.add_many(load.NURSE, 2)
        began = time.monotonic()
        async with bot_process(address, folder, unlimited=True):
            start = time.monotonic() - began
        per_life = -(-len(story.taps) // kills)
        for _ in range(kills):
            async with bot_process(address, folder, unlimited=True, wait=False) as process:
                await _live(process, people, story, per_life, random, start + random.uniform(-0.5, LONGEST_LIFE))
        async with bot_process(address, folder, unlimited=True):
            await settled(people, desk)
        verdict.figures |= {"kills": kills, "start to ready": f"{start:.2f} s",
                            "whole run": f"{time.monotonic() - began:.0f} s"}  # fmt: skip
        nothing_lost(verdict, desk, story)
        every_alert_told(verdict, desk, story, (await people.deliveries())[0])
        intact(verdict, desk)
    desk.close()
    return verdict


async def _live(
    process: Process, people: PeopleClient, story: Story, taps: int, random: Random, seconds: float
) -> None:
    """One life: its share of the taps, in handfuls, then the end."""
    ends = time.monotonic() + max(0.1, seconds)
    left = taps
    while time.monotonic() < ends:
        handful = min(left, random.randint(1, 10))
        await story.goes_on(people, handful)
        left -= handful
        await asyncio.sleep(random.uniform(0, 0.2))
    await story.goes_on(people, left)
    await asyncio.sleep(random.uniform(0, 0.05))
    await process.kill()


async def settled(people: PeopleClient, desk: Desk, seconds: float = 600) -> None:
    """Returns when Telegram holds nothing, the inbox holds nothing, and every due letter has gone."""
    async with asyncio.timeout(seconds):
        while True:
            at_telegram = (await people.ledger())["waiting"]
            if not at_telegram and not await asyncio.to_thread(_waiting, desk):
                return
            await asyncio.sleep(0.3)


def _waiting(desk: Desk) -> int:
    return desk.act_now(lambda work: work.stores.inbox.count_waiting() + len(work.stores.outbox.due(work.now, limit=1)))
