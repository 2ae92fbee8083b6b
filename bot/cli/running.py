"""Running the bot: on Telegram, or on the simulator."""

import asyncio
import logging
import signal
import sys
from contextlib import AsyncExitStack

import structlog
from rich.panel import Panel

from bot import app
from bot.cli.common import console, read_clinic, simulated
from bot.cli.people import invite_link
from bot.clock import SystemClock
from bot.delivery.auditor import Watch
from bot.delivery.web import Webhook
from bot.services import enrolment
from bot.services.work import Work
from bot.settings import Clinic, Settings, SettingsError
from bot.simulator.clock import SimulatorClock
from bot.simulator.server import TOKEN, Simulator
from bot.simulator.world import BOT_NAME
from bot.upkeep import Upkeep
from storage.tables.people import Role


def start() -> None:
    """Run on Telegram when a token is set, else on the simulator."""
    if Settings.read().telegram_token is not None:
        run()
    else:
        simulate()


def run() -> None:
    """Run on Telegram. Needs TELEGRAM_TOKEN and the clinic's own phone line; never falls back to the simulator."""
    settings = Settings.read()
    if settings.telegram_token is None:
        raise SettingsError(
            "TELEGRAM_TOKEN", read="nothing", expected="the token of your bot, in the environment or .env"
        )
    clinic = read_clinic(settings)
    if not clinic.phone:
        raise SettingsError(f"{settings.clinic_file} phone", read="nothing", expected="the clinic's own phone line")
    set_up_logs(settings)
    asyncio.run(_run(settings, clinic, settings.telegram_token.get_secret_value()))


async def _run(settings: Settings, clinic: Clinic, token: str) -> None:
    clock = SystemClock()
    desk = app.open_desk(settings, clinic, clock)
    try:
        async with app.running(
            desk, clock, token=token, api_url=settings.telegram_api_url, world=app.REAL_TELEGRAM,
            upkeep=Upkeep.of(desk, settings), web=_web(settings),
            watch=Watch(settings.health_file, settings.heartbeat_url),
        ):  # fmt: skip
            console.print("Afterglow is running. Ctrl-C stops it; nothing is lost by stopping.")
            await _until_stopped()
    finally:
        desk.close()


def _web(settings: Settings) -> app.Web | None:
    """None when nobody needs to reach this process: neither Telegram nor whoever watches over it."""
    if settings.webhook_url is None:
        return app.Web(settings.host, settings.port) if "port" in settings.model_fields_set else None
    if settings.webhook_secret is None:
        raise SettingsError("WEBHOOK_SECRET", read="nothing", expected="a long random word, for WEBHOOK_URL is set")
    webhook = Webhook(settings.webhook_url, settings.webhook_secret.get_secret_value())
    return app.Web(settings.host, settings.port, webhook)


def simulate() -> None:
    """Run on the built-in simulator, with a page that shows everybody's phone."""
    settings = simulated(Settings.read())
    clinic = read_clinic(settings) if settings.clinic_file.exists() else Clinic(phone="+1 555 0100")
    set_up_logs(settings)
    asyncio.run(_simulate(settings, clinic))


async def _simulate(settings: Settings, clinic: Clinic) -> None:
    clock = SimulatorClock()
    simulator = Simulator(clock, settings.data_dir)
    desk = app.open_desk(settings, clinic, clock)
    try:
        async with AsyncExitStack() as stack:
            address = await stack.enter_async_context(simulator.serve(settings.host, settings.port))
            afterglow = await stack.enter_async_context(
                app.running(
                    desk,
                    clock,
                    token=TOKEN,
                    api_url=address,
                    world=app.SIMULATED,
                    poll_seconds=5,
                    upkeep=Upkeep.of(desk, settings),
                    watch=Watch(settings.health_file),
                )
            )
            simulator.attach(afterglow)
            await asyncio.to_thread(_welcome, address, desk.act_now(_first_link))
            await _until_stopped()
    except OSError as error:
        raise SettingsError("PORT", read=str(settings.port), expected=f"a free port ({error.strerror})") from None
    finally:
        desk.close()


def _first_link(work: Work) -> str | None:
    """A link for the administrator while there is none."""
    return None if work.stores.people.admins() else enrolment.invite_staff(work, Role.ADMIN)


def _welcome(address: str, token: str | None) -> None:
    lines = [f"Open [bold]{address}[/] in a browser: everybody's phone, and a clock to turn."]
    if token is not None:
        lines += [
            "1. Paste the link below in the Administrator's phone, then tap Invite a nurse.",
            "2. Paste the nurse's link in the Nurse's phone; there, type /enrol.",
            "3. Paste the patient's link in Patient A's phone, and be the patient.",
            "4. In the Nurse's phone, type P-0001 and tap Infusion given. Then turn the clock.",
        ]
    lines.append("Ctrl-C stops it; starting again continues where it was.")
    console.print(Panel("\n".join(lines), title="Afterglow on the simulator", expand=False))
    if token is not None:  # outside of the panel, so that it is copied in one piece
        console.print(invite_link(BOT_NAME, token), soft_wrap=True, highlight=False)


def set_up_logs(settings: Settings) -> None:
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.getLogger("apscheduler").setLevel(logging.WARNING)


async def _until_stopped() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
