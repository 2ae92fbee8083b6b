"""Every system call that writes while an answer is handled is killed once: all of it is there afterwards, or none.

Among them are those of a checkpoint, which copies SQLite's log into its file: each answer here meets a full log.
"""

import asyncio
import re
import shutil
import sqlite3
from collections import Counter
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
CROWD = 1000
FULL_LOG = 1000  # frames, after which SQLite's next commit copies the log into the file
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
    file, half = desk.database.file, 0
    assert file is not None
    async with telegram() as (address, people):
        await people.add_many(load.FIRST, CROWD)
        await people.add_many(load.NURSE, 2)
        fresh, met = iter(members), Counter[str]()
        for call in CALLS:
            for number in range(1, most + 1):
                member = next(fresh)
                where = await _one_answer(address, file, people, story, member, call, number)
                half += desk.act_now(is_half_written, member.patient)
                if where is None:
                    break  # this answer has no further call of this kind
                met[f"{call} of {where}"] += 1
        verdict.figures |= {f"kills at {where}": times for where, times in met.items()}
        if sum(times for where, times in met.items() if where.startswith("pwrite64")) < most:  # all were met
            verdict.must("kills met a checkpoint", hold=bool(met[f"pwrite64 of {file.name}"]))
        async with bot_process(address, folder, unlimited=True):
            await settled(people, desk)
        verdict.must_be("half-written answers", half, 0)
        nothing_lost(verdict, desk, story)
        every_alert_told(verdict, desk, story, (await people.deliveries())[0])
        intact(verdict, desk)
    desk.close()
    return verdict


async def _one_answer(
    address: str, file: Path, people: PeopleClient, story: Story, member: Member, call: str, number: int
) -> str | None:
    """A bot that dies at its so-manieth call of this kind after the tap: on which file; None without such a call."""
    log = file.with_name("strace")
    async with bot_process(address, file.parent, unlimited=True) as process:
        await asyncio.sleep(0.3)  # what the start itself has to write is written
        await asyncio.to_thread(_fill_log, file)
        async with injected(process, f"{call}:signal=SIGKILL:when={number}", log):
            story.taps = [member.answers("urge", DANGER)]
            await story.goes_on(people, 1)
            died = await _ends(process, people, member)
    return _last_file(log.read_text(encoding="utf-8")) if died else None


def _fill_log(file: Path) -> None:
    """The same few pages again and again, so that a checkpoint has much to read and little to write."""
    connection = sqlite3.connect(file, isolation_level=None, timeout=15)
    for pragma in ("wal_autocheckpoint=0", "synchronous=OFF"):
        connection.execute(f"PRAGMA {pragma}")
    for number in range(FULL_LOG):
        connection.execute("INSERT OR REPLACE INTO facts VALUES ('proof', ?, CURRENT_TIMESTAMP)", (str(number),))
    connection.close()


def _last_file(log: str) -> str:
    """The file of the last call that strace has seen."""
    names = re.findall(r"^\d+ +\w+\(\d+<([^>]+)>|^\d+ +\w+\(\"([^\"]+)\"", log, flags=re.MULTILINE)
    name = Path(next(filter(None, names[-1]))).name if names else "?"
    return "a temporary file" if name.startswith("etilqs") else name


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
async def injected(process: Process, fault: str, log: Path = Path("/dev/null")) -> AsyncIterator[None]:
    """strace on a running process, with a fault at certain system calls of each of its threads."""
    tracer = await asyncio.create_subprocess_exec(
        "strace", "-f", "-q", "-y", "-s", "0", "-p", str(process.pid), "-e", f"trace={fault.partition(':')[0]}", "-e",
        f"inject={fault}", "-o", str(log), stderr=asyncio.subprocess.PIPE,
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
