"""`make chaos`: kills, faults and outages; afterwards nothing is lost. Ends with 1 when something is."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import SystemRandom

from tests.chaos import away, disk, kills, postgres, syscalls
from tests.chaos.verdict import Verdict, console
from tests.support.nursery import nursery

Proof = Callable[[Path, argparse.Namespace], Awaitable[Verdict]]

PROOFS: dict[str, Proof] = {
    "kills": lambda folder, given: kills.prove(folder, kills=given.kills, answers=given.answers, seed=given.seed),
    "syscalls": lambda folder, given: syscalls.prove(folder, most=given.most),
    "disk": lambda folder, given: disk.prove(
        folder, answers=given.answers // 10, seconds=given.seconds, seed=given.seed
    ),
    "fleet": lambda folder, given: postgres.prove_kills(
        folder, kills=given.kills // 2, alerts=given.answers, seed=given.seed
    ),
    "takeover": lambda folder, given: postgres.prove_takeover(folder, alerts=given.answers // 10, seed=given.seed),
    "away": lambda folder, given: away.prove(folder, minutes=given.minutes, seed=given.seed),
    "restart": lambda folder, given: postgres.prove_restart(folder, alerts=given.answers // 10, seed=given.seed),
}

MOSTLY_WAITS = ("away",)  # runs beside the others


async def main(given: argparse.Namespace) -> bool:
    async with nursery():
        return await _all_hold(list(given.proofs or PROOFS), given)


async def _all_hold(names: list[str], given: argparse.Namespace) -> bool:
    waits = [name for name in names if name in MOSTLY_WAITS]
    beside = [asyncio.create_task(_holds(name, given)) for name in waits]
    one_by_one = [await _holds(name, given) for name in names if name not in waits]
    return all([*one_by_one, *await asyncio.gather(*beside)])


async def _holds(name: str, given: argparse.Namespace) -> bool:
    with tempfile.TemporaryDirectory(prefix=f"afterglow-{name}-") as folder:
        verdict = await PROOFS[name](Path(folder), given)
        verdict.show()
        return not verdict.broken


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make chaos ARGS=…", description=__doc__)
    parser.add_argument("proofs", nargs="*", choices=[*PROOFS, []], help="all when none is named")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--answers", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=20, help="how long each outage lasts")
    parser.add_argument("--minutes", type=float, default=10, help="how long Telegram is away, at least 2")
    parser.add_argument("--most", type=int, default=1000, help="kills at most for each kind of system call")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6), help="repeats a run's choices")
    chosen = parser.parse_args()
    console.print(f"seed {chosen.seed}")
    sys.exit(0 if asyncio.run(main(chosen)) else 1)
