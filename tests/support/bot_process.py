"""Afterglow as a process, as `afterglow run` starts it, with the sender's pace as a choice of the proof."""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from bot import app
from bot.clock import SystemClock
from bot.delivery.pace import TELEGRAMS_PACE, UNLIMITED
from bot.desk import Desk
from bot.settings import Clinic, Settings
from bot.simulator.server import TOKEN
from tests.support.nursery import IN_CHARGE
from tests.support.processes import Process, started

CLINIC = Clinic(phone="+1 555 0100", name="Test clinic")


def settings(folder: Path, database_url: str | None = None) -> Settings:
    return Settings(_env_file=None, data_dir=folder, database_url=database_url)


def open_desk(folder: Path, database_url: str | None = None) -> Desk:
    return app.open_desk(settings(folder, database_url), CLINIC, SystemClock())


@asynccontextmanager
async def bot_process(
    address: str, folder: Path, *, unlimited: bool = False, database_url: str | None = None,
    wait: bool = True,
) -> AsyncIterator[Process]:  # fmt: skip
    """The bot on a Telegram at that address, killed when the body ends. `wait` gives it when it is ready."""
    environment = {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_API_URL": address, "DATA_DIR": str(folder)}
    environment |= {"DATABASE_URL": database_url} if database_url else {}
    options = ["--unlimited"] if unlimited else []
    nursery = IN_CHARGE.get()
    async with (
        nursery.bear(environment, unlimited=unlimited) if nursery is not None
        else started("tests.support.bot_process", *options, environment=environment)
    ) as process:  # fmt: skip
        if wait:
            await process.line()
        yield process


async def _run(*, unlimited: bool) -> None:
    chosen, clock = Settings(_env_file=None), SystemClock()
    desk = app.open_desk(chosen, CLINIC, clock)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    try:
        async with app.running(
            desk, clock, token=TOKEN, api_url=chosen.telegram_api_url, world=app.REAL_TELEGRAM,
            pace=UNLIMITED if unlimited else TELEGRAMS_PACE,
        ):  # fmt: skip
            sys.stdout.write(f"ready {getattr(desk, 'name', '')}\n")
            sys.stdout.flush()
            await stopped.wait()
    finally:
        desk.close()


def live(*, unlimited: bool) -> None:
    """The whole life of this process."""
    logging.getLogger("telegram").setLevel(logging.CRITICAL)  # an outage is what is being tried
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger("error"),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    asyncio.run(_run(unlimited=unlimited))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unlimited", action="store_true")
    live(unlimited=parser.parse_args().unlimited)
