"""Every system call that writes while an answer is handled is killed once: all of it is there afterwards, or none."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from bot.clinical.terms import Rule
from bot.services.work import Work
from bot.simulator.client import PeopleClient
from storage.tables.post import InboxState
from tests.chaos.evidence import DANGER, Story, every_alert_told, intact, nothing_lost
from tests.chaos.kills import settled
from tests.chaos.verdict import Verdict
from tests.support import load
from tests.support.bot_process import bot_process, open_desk
from tests.support.load import Member
from tests.support.processes import Process
from tests.support.telegram import telegram

CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink")
CROWD = 400
MISSING = "strace is missing; on Debian: apt install strace"


async def prove(folder: Path, *, most: int) -> Verdict:
    """`most` bounds how many kills there are for each kind of call."""
    verdict = Verdict("every writing system call of one answer killed once (strace)")
    if shutil.which("strace") is None:
        verdict.broken.append(MISSING)
        return verdict
    desk = open_desk(folder)
    load.employ(desk)
    members = load.enrol(desk, CROWD)
    story = Story(members, endangered={member.code for member in members})
    half = 0
    async with telegram() as (address, people):
        await people.add_many(load.FIRST, CROWD)
        await people.add_many(load.NURSE, 2)
        fresh = iter(members)
        for call in CALLS:
            killed = 0
            while killed < most:
                member = next(fresh)
                died = await _one_answer(address, folder, people, story, member, call, killed + 1)
                half += desk.act_now(is_half_written, member.patient)
                if not died:
                    break  # this answer has no further call of this kind
                killed += 1
            verdict.figures[f"kills at {call}"] = killed
        async with bot_process(address, folder, unlimited=True):
            await settled(people, desk)
        verdict.must_be("half-written answers", half, 0)
        nothing_lost(verdict, desk, story)
        every_alert_told(verdict, desk, story, (await people.deliveries())[0])
        intact(verdict, desk)
    desk.close()
    return verdict


async def _one_answer(
    address: str, folder: Path, people: PeopleClient, story: Story, member: Member, call: str, number: int
) -> bool:
    """A bot that dies at its so-manieth call of this kind after the tap; False when there was no such call."""
    async with bot_process(address, folder, unlimited=True) as process:
        await asyncio.sleep(0.3)  # what the start itself has to write is written
        async with injected(process, f"{call}:signal=SIGKILL:when={number}"):
            story.taps = [member.answers("urge", DANGER)]
            await story.goes_on(people, 1)
            return await _ends(process, people, member)


async def _ends(process: Process, people: PeopleClient, member: Member, seconds: float = 30) -> bool:
    """True when the process died; False when nurse and patient have been told and nothing more is written."""
    seen, told = 0, set[int]()
    async with asyncio.timeout(seconds):
        while process.returncode is None:
            delivered, seen = await people.deliveries(seen, wait=0.2)
            told |= {load.NURSE for entry in delivered if entry.chat == load.NURSE and member.code in entry.text}
            told |= {entry.chat for entry in delivered if entry.chat == member.number}
            if told == {load.NURSE, member.number}:
                await asyncio.sleep(0.5)
                break
    return process.returncode is not None


@asynccontextmanager
async def injected(process: Process, fault: str) -> AsyncIterator[None]:
    """strace on a running process, with a fault at certain system calls of each of its threads."""
    tracer = await asyncio.create_subprocess_exec(
        "strace", "-f", "-q", "-p", str(process.pid), "-e", f"trace={fault.partition(':')[0]}", "-e",
        f"inject={fault}", "-o", "/dev/null", stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        await _traced(process)
        yield
    finally:
        if tracer.returncode is None:
            tracer.terminate()
        await tracer.wait()


async def _traced(process: Process, seconds: float = 10) -> None:
    """Returns when every thread is watched."""
    for _ in range(int(seconds / 0.02)):
        if process.returncode is not None or is_traced(process.pid):
            return
        await asyncio.sleep(0.02)


def is_traced(pid: int) -> bool:
    threads = Path(f"/proc/{pid}/task").iterdir()
    return all("TracerPid:\t0" not in (thread / "status").read_text(encoding="ascii") for thread in threads)


def is_half_written(work: Work, patient_id: UUID) -> bool:
    """An answer goes with its inbox row; an alert goes with its finding, its page and the patient's crisis letter."""
    stores = work.stores
    stored = [row for row in stores.responses.of(patient_id) if row.item == "urge"]
    done = [row for row in stored if stores.inbox.get(row.source).state == InboxState.DONE]
    alerts, findings = stores.alerts.of(patient_id), stores.findings.of(patient_id, Rule.SUICIDAL_THOUGHTS)
    letters = stores.outbox.of_patient(patient_id)
    pages = [letter for letter in letters if letter.kind == "alert.page"]
    crisis = [letter for letter in letters if letter.kind == "crisis"]
    whole = bool(alerts) == bool(findings) == bool(pages) == bool(crisis)
    return len(stored) > 1 or len(alerts) > 1 or len(done) != len(stored) or (bool(stored) and not alerts) or not whole
