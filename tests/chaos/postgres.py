"""Four processes on PostgreSQL: killed, frozen, and their server restarted, while people in danger answer."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bot.delivery.sender import IN_FLIGHT
from bot.desk import Desk
from bot.simulator.client import PeopleClient
from bot.simulator.ledger import Delivery
from tests.chaos.evidence import DANGER, Story, every_alert_told, nothing_lost
from tests.chaos.fleet import Fleet, fleet, watch
from tests.chaos.kills import settled
from tests.chaos.verdict import Verdict
from tests.support import load
from tests.support.bot_process import open_desk
from tests.support.load import Member
from tests.support.postgres import Postgres, postgres
from tests.support.telegram import telegram

PROCESSES = 4
TAKEOVER = 15.0  # seconds
REFUSED, LOST = 0.05, 0.03  # shares of the calls that are answered with 429, and whose reply is lost
HANDFUL = 40
NURSES = 10  # who take turns: one chat alone could not take ten thousand pages in the time of a proof


@dataclass
class Scene:
    server: Postgres
    people: PeopleClient
    desk: Desk
    fleet: Fleet
    story: Story


@asynccontextmanager
async def at_sea(folder: Path, alerts: int) -> AsyncIterator[Scene]:
    """Four processes, so many patients who are about to report danger, and somebody on call."""
    with postgres(folder / "server") as server:
        database = server.new_database()
        desk = open_desk(folder, server.url(database))
        load.employ(desk)
        members = load.enrol(desk, alerts)
        watch(desk)
        story = Story(members, [member.answers("urge", DANGER) for member in members])
        async with (
            telegram() as (address, people),
            fleet(address, folder, server, database, PROCESSES) as ships,
        ):
            await people.add_many(load.FIRST, alerts)
            await people.add_many(load.ADMIN, 3)
            yield Scene(server, people, desk, ships, story)
        desk.close()


async def prove_kills(folder: Path, *, kills: int, alerts: int, seed: int) -> Verdict:
    verdict, random = (
        Verdict(f"PostgreSQL: {PROCESSES} processes, {alerts} alerts, {kills} kills (seed {seed})"),
        Random(seed),
    )
    async with at_sea(folder, alerts) as scene:
        await scene.people.fault(seed=seed)
        await scene.people.fault(kind="429", probability=REFUSED)
        await scene.people.fault(kind="lose_after", probability=LOST)
        nurses = load.hire(scene.desk, NURSES)
        await scene.people.add_many(nurses[0], len(nurses))
        began, per_kill = time.monotonic(), -(-alerts // kills)
        for kill in range(kills):
            load.put_on_call(scene.desk, nurses[kill % NURSES])
            await _taps(scene, per_kill, random)
            await scene.fleet.sink(random.choice(scene.fleet.ships))
            await scene.fleet.launch()
        await settled(scene.people, scene.desk, 1800)
        verdict.figures["whole run"] = f"{time.monotonic() - began:.0f} s"
        await _nothing_lost(verdict, scene)
        await _repeats(verdict, scene, kills)
    return verdict


async def _taps(scene: Scene, count: int, random: Random) -> None:
    while count > 0:
        handful = min(count, random.randint(1, HANDFUL))
        await scene.story.goes_on(scene.people, handful)
        count -= handful
        await asyncio.sleep(random.uniform(0, 0.3))


async def _nothing_lost(verdict: Verdict, scene: Scene) -> None:
    deliveries, _ = await scene.people.deliveries()
    nothing_lost(verdict, scene.desk, scene.story)
    every_alert_told(verdict, scene.desk, scene.story, deliveries)
    verdict.must_be("letters marked by a process whose turn was over", scene.fleet.stale_marks(scene.desk), 0)


async def _repeats(verdict: Verdict, scene: Scene, kills: int) -> None:
    """Pages that reached staff more often than they were written."""
    ledger, (deliveries, _) = await scene.people.ledger(), await scene.people.deliveries()
    written = load.count(scene.desk, "outbox", "kind = 'alert.page' AND fresh AND state = 'sent'")
    repeats = sum(is_page(entry) for entry in deliveries) - written
    verdict.figures |= {"replies lost": ledger["lost_replies"], "refused": sum(ledger["refused"].values()),
                        "pages repeated": repeats}  # fmt: skip
    allowed = ledger["lost_replies"] + IN_FLIGHT * kills
    verdict.must(f"repeats are at most replies lost + in flight at each kill ({allowed})", hold=0 <= repeats <= allowed)


def is_page(entry: Delivery) -> bool:
    return load.is_staff(entry.chat) and not entry.edit and f"{load.CODE}-" in entry.text


async def prove_takeover(folder: Path, *, alerts: int, seed: int) -> Verdict:
    """The holder is frozen, later woken; the next holder is killed. Somebody else goes on in time."""
    verdict, random = Verdict(f"PostgreSQL: the holder frozen, and killed (seed {seed})"), Random(seed)
    async with at_sea(folder, alerts) as scene:
        await _taps(scene, alerts // 4, random)
        for act in ("frozen", "killed"):
            holder = scene.fleet.holder(scene.desk)
            assert holder is not None, "nobody holds the lease"
            if act == "frozen":
                scene.fleet.freeze(holder)
            else:
                await scene.fleet.sink(holder)
            seconds = await _until_told(scene, scene.story.members[-1 if act == "frozen" else -2])
            verdict.figures[f"holder {act}: next alert taken after"] = f"{seconds:.1f} s"
            verdict.must(f"holder {act}: takeover within {TAKEOVER:.0f} s", hold=seconds <= TAKEOVER)
            if act == "frozen":
                await _taps(scene, alerts // 4, random)
                scene.fleet.thaw(holder)
                await asyncio.sleep(5)
        await scene.story.goes_on(scene.people, len(scene.story.taps))
        await settled(scene.people, scene.desk)
        await _nothing_lost(verdict, scene)
    return verdict


async def _until_told(scene: Scene, member: Member, seconds: float = 60) -> float:
    """Seconds from this person's tap until somebody of the team has the page."""
    tap = member.answers("urge", DANGER)
    scene.story.taps.remove(tap)
    scene.story.taps.insert(0, tap)
    seen, began = int((await scene.people.ledger())["deliveries"]), time.monotonic()
    await scene.story.goes_on(scene.people, 1)
    while time.monotonic() - began < seconds:
        delivered, seen = await scene.people.deliveries(seen, wait=1)
        if any(is_page(entry) and member.code in entry.text.split() for entry in delivered):
            break
    return time.monotonic() - began


async def prove_restart(folder: Path, *, alerts: int, seed: int) -> Verdict:
    verdict, random = Verdict(f"PostgreSQL: the server restarted under load (seed {seed})"), Random(seed)
    async with at_sea(folder, alerts) as scene:
        for _ in range(2):
            await _taps(scene, alerts // 4, random)
            await scene.server.restart()
        await _taps(scene, len(scene.story.taps), random)
        await settled(scene.people, scene.desk)
        await _nothing_lost(verdict, scene)
        verdict.must(
            "every process went on by itself", hold=all(s.process.returncode is None for s in scene.fleet.ships)
        )
    return verdict
