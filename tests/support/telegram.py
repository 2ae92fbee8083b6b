"""The simulator as a process of its own, so that neither the bot nor the one who measures shares its event loop."""

import argparse
import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.simulator.client import PeopleClient
from bot.simulator.clock import SimulatorClock
from bot.simulator.server import Simulator
from tests.support.processes import started


@asynccontextmanager
async def telegram(*, limits: bool = False, latency: float = 0.0) -> AsyncIterator[tuple[str, PeopleClient]]:
    """A local Telegram in a process; gives its address and the people on it."""
    options = ["--limits"] if limits else []
    async with started("tests.support.telegram", *options) as process:
        address = await process.line()
        async with PeopleClient.connect(address) as people:
            await people.fault(latency=latency)
            yield address, people


async def _serve(*, limits: bool) -> None:
    simulator = Simulator(SimulatorClock(), limits=limits)
    async with simulator.serve("127.0.0.1", 0) as address:
        sys.stdout.write(address + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)  # until whoever started this process ends


if __name__ == "__main__":
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # a bot that is killed breaks its connections
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limits", action="store_true")
    asyncio.run(_serve(limits=parser.parse_args().limits))
