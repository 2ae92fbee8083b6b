"""(f) The same answers with one, two and four processes on PostgreSQL."""

import tempfile
from pathlib import Path

from tests.benchmarks.table import Row, times
from tests.benchmarks.throughput import LATENCY, waves
from tests.chaos.fleet import fleet
from tests.support import load
from tests.support.bot_process import open_desk
from tests.support.postgres import Postgres, postgres
from tests.support.telegram import telegram

PATIENTS = 1000
SIZES = (1, 2, 4)


async def answers_a_second(folder: Path, server: Postgres, size: int, patients: int) -> float:
    database = server.new_database()
    desk = open_desk(folder, server.url(database))
    load.employ(desk)
    members = load.enrol(desk, patients)
    async with telegram(latency=LATENCY) as (address, people):
        await people.add_many(load.FIRST, patients)
        async with fleet(address, folder, server, database, size):
            rate = await waves(people, members)
    stored = load.count(desk, "responses")
    desk.close()
    assert stored == patients * len(load.ITEMS), f"{stored} answers are stored"
    return rate


async def measure(scale: float) -> list[Row]:
    patients = max(20, int(PATIENTS * scale))
    with tempfile.TemporaryDirectory() as name, postgres(Path(name) / "server") as server:
        rates = {size: await answers_a_second(Path(name), server, size, patients) for size in SIZES}
    one = rates[1]
    return [
        Row(f"answers/s, {size} process{'es' if size > 1 else ''}", f"{rate:.0f}/s",
            f"{one:.0f}/s, one process" if size > 1 else "", times(rate, one) if size > 1 else "")
        for size, rate in rates.items()
    ]  # fmt: skip
