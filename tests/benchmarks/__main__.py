"""`make bench`: figures beside their baselines, from one run against one local Bot API. Nothing asserts a time."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable

from tests.benchmarks import drain, exports, footprint, latency, processes, throughput, ticks
from tests.benchmarks.table import Row, console, machine, show

BENCHES: dict[str, tuple[str, Callable[[float], Awaitable[list[Row]]]]] = {
    "latency": ("(a) tap that reports danger until its alert is taken by Telegram", latency.measure),
    "exports": ("(g) reports and exports; the same page by matplotlib and reportlab", exports.measure),
    "throughput": ("(b) one process on SQLite, 50 ms reply delay, no sending limits", throughput.measure),
    "ticks": ("(c) a look at the clock; APScheduler with one job for each patient", ticks.measure),
    "drain": ("(d) a burst of check-ins, 50 ms reply delay", drain.measure),
    "footprint": ("(e) start and memory", footprint.measure),
    "processes": ("(f) processes on PostgreSQL, 50 ms reply delay, no sending limits", processes.measure),
}


async def main(names: list[str], scale: float) -> None:
    console.print(machine())
    for name in names:
        title, measure = BENCHES[name]
        show(title, await measure(scale))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("benches", nargs="*", choices=[*BENCHES, []], help="all when none is named")
    parser.add_argument("--scale", type=float, default=1.0, help="0.05 for a quick look, 1 for the documented figures")
    given = parser.parse_args()
    asyncio.run(main(given.benches or list(BENCHES), given.scale))
