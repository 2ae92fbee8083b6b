"""Kill -9 at random moments: what Telegram was told is received is there afterwards, once."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from bot import app
from bot.clock import SystemClock
from bot.services import enrolment
from bot.services.work import Work
from bot.settings import Clinic, Settings
from bot.simulator.client import PeopleClient
from bot.simulator.clock import SimulatorClock
from bot.simulator.server import TOKEN, Simulator
from storage.tables.people import Role

ROOT = Path(__file__).parents[2]
NURSE, PATIENT = 1002, 2001
KILLS, NOTES = 6, 60


@asynccontextmanager
async def bot_process(address: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`afterglow run` as an operator starts it, against the simulator's address."""
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TELEGRAM_TOKEN": TOKEN, "TELEGRAM_API_URL": address,
        "DATA_DIR": str(folder), "CLINIC_FILE": str(folder / "clinic.toml"), "LOG_LEVEL": "error",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", cwd=folder, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def until_said(people: PeopleClient, chat: int, words: str, seconds: float = 40) -> None:
    async with asyncio.timeout(seconds):
        shown = await people.chat(chat)
        while words not in str(shown["messages"]):
            shown = await people.chat(chat, since=shown["version"], wait=1)


def kept(work: Work) -> tuple[list[str], int]:
    patient = work.stores.patients.all()[0]
    notes = [work.stores.notes.text(note) for note in work.stores.notes.of(patient.id)]
    return notes, len(work.stores.alerts.of(patient.id))


async def test_no_answer_is_lost_or_doubled(tmp_path: Path) -> None:
    seed = 20_261_124
    random = Random(seed)
    (tmp_path / "clinic.toml").write_text('phone = "+1 555 0100"\n', encoding="utf-8")
    settings = Settings(_env_file=None, data_dir=tmp_path)
    desk = app.open_desk(settings, Clinic(phone="+1 555 0100"), SystemClock())
    simulator = Simulator(SimulatorClock(), limits=False)
    async with simulator.serve("127.0.0.1", 0) as address, PeopleClient.connect(address) as people:
        token = desk.act_now(enrolment.invite_staff, Role.NURSE)
        async with bot_process(address, tmp_path):
            await people.act(NURSE, "text", text=f"/start {token}")
            await until_said(people, NURSE, "/enrol")
            await people.act(NURSE, "text", text="/enrol")
            await until_said(people, NURSE, "start=")
            link = (await people.chat(NURSE))["messages"][-1]["text"].split()[-1]
            await people.act(PATIENT, "text", text=link)
            for button, expected in (("English", "I agree"), ("I agree", "city"), ("UTC", "16:00"), ("16:00", "Done")):
                await until_said(people, PATIENT, button)
                shown = (await people.chat(PATIENT))["messages"][-1]["buttons"]
                label = next(b["text"] for row in shown for b in row if button in b["text"])
                await people.act(PATIENT, "tap", button=label)
                await until_said(people, PATIENT, expected)
        sent = 0
        for round_ in range(KILLS):
            async with bot_process(address, tmp_path):
                await asyncio.sleep(random.uniform(0.8, 2.5))
                for _ in range(NOTES // KILLS):
                    await people.act(PATIENT, "text", text=f"note {sent}")
                    sent += 1
                    await asyncio.sleep(random.uniform(0, 0.03))
                if round_ == KILLS // 2:
                    await people.act(PATIENT, "text", text="I am going to kill myself tonight")
                await asyncio.sleep(random.uniform(0, 0.3))
        async with bot_process(address, tmp_path):
            await until_said(people, NURSE, "Urgent, now")
            await until_said(people, PATIENT, "Please call now")
            for _ in range(400):
                waiting = await asyncio.to_thread(desk.act_now, lambda work: work.stores.inbox.count_waiting())
                if not waiting and not simulator.world.updates:
                    break
                await asyncio.sleep(0.1)
    notes, alerts = desk.act_now(kept)
    desk.close()
    assert sorted(n for n in notes if n.startswith("note ")) == sorted(f"note {i}" for i in range(sent)), seed
    assert alerts == 1
