"""(g) The report of a year and of five, and everything of many patients: seconds and peak memory, each in a process of
its own that has imported all it needs; the same page by matplotlib and reportlab beside it."""

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from bot.clinical.diary import Diary
from bot.clinical.library import Library
from bot.exports import report, typesetting
from bot.texts import load
from tests.benchmarks import stored
from tests.benchmarks.table import Row, milliseconds
from tests.support import diaries

MADE_AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
PATIENTS = 1000
KINDS = ("csv", "pdf", "fhir")
ROUNDS = 5  # reports after the first, in each process
TURNS = 5  # processes of each side
LIBRARY = Library.load(None)
TEXTS = load()
Render = Callable[[Diary], bytes]


def ours(diary: Diary) -> bytes:
    return report.render(diary, library=LIBRARY, texts=TEXTS, language="en", made_at=MADE_AT, clinic="Clinic")


def our_page(diary: Diary) -> bytes:
    """The summary page alone, as PDF/A and PDF/UA."""
    return typesetting.pdf("report.typ", _view(diary, whole=False), MADE_AT)


def _view(diary: Diary, *, whole: bool) -> dict[str, object]:
    """The words and numbers that both sides set."""
    return report.view(
        diary, library=LIBRARY, texts=TEXTS, language="en", made_at=MADE_AT, clinic="Clinic", whole=whole
    )


def theirs(*, whole: bool) -> Render:
    from tests.benchmarks import report_by_others  # noqa: PLC0415 - seconds of import that our process must not pay

    def render(diary: Diary) -> bytes:
        return report_by_others.render(_view(diary, whole=whole), whole=whole)

    return render


def reports(render: Render, people: list[Diary]) -> dict[str, float]:
    """The first one pays for fonts and caches; the later ones are of other patients."""
    walls, cpus = [], []
    for diary in people:
        wall, cpu = perf_counter(), process_time()
        render(diary)
        walls.append(perf_counter() - wall)
        cpus.append(process_time() - cpu)
    later = slice(1, None)
    return {
        "first": walls[0], "first_cpu": cpus[0], "later": median(walls[later]), "later_cpu": median(cpus[later]),
    }  # fmt: skip


def everything(kind: str, folder: Path) -> dict[str, float]:
    """`afterglow export` of everybody in a database, as an operator runs it: start and reading included."""
    settings = {"DATA_DIR": str(folder), "DATABASE_URL": f"sqlite:///{folder / 'afterglow.sqlite'}"}
    began = perf_counter()
    subprocess.run(
        [sys.executable, "-m", "bot", "export", "--format", kind, "--out", str(folder / kind)],
        env=os.environ | settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": perf_counter() - began, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024,
    }  # fmt: skip


def _case(name: str, folder: str) -> dict[str, float]:
    if name in KINDS:
        return everything(name, Path(folder))
    whose, span = name.split("-")
    people = [diaries.one_year(number) for number in range(1, ROUNDS + 2)]
    if span == "five":
        people = [diaries.five_years(number) for number in range(1, 4)]
    whole = span != "page"
    own = ours if whole else our_page
    return reports(own if whose == "ours" else theirs(whole=whole), people)


async def _apart(name: str, folder: str = "") -> dict[str, float]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.exports", name, folder, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await child.communicate()
    measured: dict[str, float] = json.loads(said)
    return measured


async def _in_turns(span: str, turns: int) -> tuple[dict[str, float], dict[str, float]]:
    """Medians of both sides' processes, one after the other by turns, so that a busy minute hits both."""
    mine, base = [], []
    for _ in range(turns):
        mine.append(await _apart(f"ours-{span}"))
        base.append(await _apart(f"theirs-{span}"))
    return _middle(mine), _middle(base)


def _middle(runs: list[dict[str, float]]) -> dict[str, float]:
    return {name: median(run[name] for run in runs) for name in runs[0]}


async def measure(scale: float) -> list[Row]:
    rows = []
    for span, what in (("page", "page of a year"), ("year", "report of a year"), ("five", "report of five years")):
        mine, base = await _in_turns(span, TURNS if scale >= 1 else 1)
        for which, said in (("first", f"first {what} in a warm process"), ("later", f"next {what}")):
            faster = [base[name] / mine[name] for name in (which, f"{which}_cpu")]
            rows.append(
                Row(
                    f"{said} (of which processor)",
                    f"{milliseconds(mine[which])} ({milliseconds(mine[f'{which}_cpu'])})",
                    f"{milliseconds(base[which])} ({milliseconds(base[f'{which}_cpu'])})",
                    "{:.1f} x faster ({:.1f} x)".format(*faster),
                )
            )
        rows.append(Row("peak memory", f"{mine['peak']:.0f} MB", f"{base['peak']:.0f} MB"))
    patients = max(int(PATIENTS * scale), 10)
    with tempfile.TemporaryDirectory() as folder:
        stored.fill(Path(folder), patients)
        for kind in KINDS:
            made = await _apart(kind, folder)
            said = f"{made['seconds']:.0f} s ({made['cpu']:.0f} s), {made['peak']:.0f} MB at most"
            rows.append(Row(f"`afterglow export --format {kind}`: {patients} patients, a year each", said))
    return rows


def _peak() -> float:
    """MB; the kernel's other figure is inherited from the process that started this one."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    found = _case(sys.argv[1], sys.argv[2])
    sys.stdout.write(json.dumps({"peak": _peak(), **found}))
