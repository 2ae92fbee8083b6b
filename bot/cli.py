"""The command `afterglow`."""

import asyncio
import csv
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, TextIO, TypeVar

import structlog
import typer
from rich.console import Console
from rich.panel import Panel
from rich.progress import track
from rich.table import Table

from bot import app
from bot.clinical import backtest
from bot.clinical.backtest import BadSeries
from bot.clinical.diary import Diary
from bot.clinical.rules import BadLimit, Limits
from bot.clinical.screening import Patterns, screen_rows
from bot.clock import SystemClock
from bot.doctor import Verdict, examine
from bot.exports import fhir, report, tables
from bot.exports.figures import Period, closed, within
from bot.services import care, enrolment
from bot.services.errors import UnknownPatient
from bot.services.work import Knowledge, Work
from bot.settings import Clinic, Settings, SettingsError
from bot.simulator.clock import SimulatorClock
from bot.simulator.server import TOKEN, Simulator
from bot.simulator.world import BOT_NAME
from bot.texts import Texts, load
from storage.errors import StorageError
from storage.tables.people import Role

T = TypeVar("T")

cli = typer.Typer(
    no_args_is_help=True, add_completion=False, help="A symptom diary for the days after a ketamine infusion."
)
console, errors = Console(), Console(stderr=True)

SIMULATOR_FOLDER = "simulator"
MISUSE = 2
MARKS = {Verdict.GOOD: "[green]good[/]", Verdict.LOOK: "[yellow]look[/]", Verdict.BAD: "[bold red]bad[/]"}


def main() -> None:
    try:
        cli()
    except (SettingsError, StorageError, BadLimit, BadSeries) as error:
        errors.print(f"[bold red]This cannot be done.[/] {error}", highlight=False, soft_wrap=True)
        sys.exit(MISUSE)
    except UnknownPatient:
        errors.print("There is no patient with that code. `afterglow export` without a code writes everybody.")
        sys.exit(MISUSE)


@cli.command()
def start() -> None:
    """Run on Telegram when a token is set, else on the simulator."""
    if Settings.read().telegram_token is not None:
        run()
    else:
        simulate()


@cli.command()
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
        async with app.running(desk, clock, token=token, api_url=settings.telegram_api_url, world=app.REAL_TELEGRAM):
            console.print("Afterglow is running. Ctrl-C stops it; nothing is lost by stopping.")
            await _until_stopped()
    finally:
        desk.close()


@cli.command()
def simulate() -> None:
    """Run on the built-in simulator, with a page that shows everybody's phone."""
    settings = simulated(Settings.read())
    clinic = read_clinic(settings) if settings.clinic_file.exists() else Clinic(phone="+1 555 0100")
    set_up_logs(settings)
    asyncio.run(_simulate(settings, clinic))


def simulated(settings: Settings) -> Settings:
    """The same settings with a data folder of the simulator's own."""
    folder = settings.data_dir / SIMULATOR_FOLDER
    return settings.model_copy(update={"data_dir": folder, "database_url": None, "master_key_file": None})


async def _simulate(settings: Settings, clinic: Clinic) -> None:
    clock = SimulatorClock()
    simulator = Simulator(clock, settings.data_dir)
    desk = app.open_desk(settings, clinic, clock)
    try:
        async with AsyncExitStack() as stack:
            address = await stack.enter_async_context(simulator.serve(settings.host, settings.port))
            afterglow = await stack.enter_async_context(
                app.running(desk, clock, token=TOKEN, api_url=address, world=app.SIMULATED, poll_seconds=5)
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


@cli.command()
def invite(role: Annotated[Role, typer.Option(help="admin, nurse or physician")] = Role.ADMIN) -> None:
    """Print a one-time link for a member of the care team."""
    if role == Role.PATIENT:
        raise typer.BadParameter("patients are invited from the chat, with /enrol")
    settings = Settings.read()
    token = act(settings, lambda work: enrolment.invite_staff(work, role))
    name = act(settings, lambda work: work.stores.facts.read("bot.username"))
    if name:
        typer.echo(invite_link(name, token))
    else:
        typer.echo(f"/start {token}")
        errors.print("The bot has not met Telegram yet: send this line to it, or run this again after its first start.")


def invite_link(bot: str, token: str) -> str:
    return f"https://t.me/{bot}?start={token}"


class Format(StrEnum):
    PDF = "pdf"
    CSV = "csv"
    FHIR = "fhir"


@cli.command()
def export(
    patient: Annotated[str | None, typer.Argument(help="the patient's code, as P-0001; none: everybody")] = None,
    kind: Annotated[Format, typer.Option("--format", help="pdf, csv or fhir")] = Format.PDF,
    out: Annotated[Path, typer.Option(help="the folder to write to")] = Path("out"),
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="first diary day")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="last diary day")] = None,
) -> None:
    """Write diaries: the report as PDF, tables as CSV, or a FHIR R4 bundle."""
    settings = Settings.read()
    clinic = read_clinic(settings)
    known, clock, texts = app.knowledge(clinic), SystemClock(), load()
    period = (first.date() if first else date.min, last.date() if last else date.max) if first or last else None
    codes = act(settings, lambda work: [code for _, code, _ in care.roster(work)]) if patient is None else [patient]
    out.mkdir(parents=True, exist_ok=True)
    for code in track(codes, "Exporting", console=errors, disable=len(codes) == 1):
        record = act(settings, partial(care.export, code=code, kind=kind.value))
        for name, data in _exported(record, kind, period, known, texts, clinic, clock.now()).items():
            target = out / name
            target.write_bytes(data)
            typer.echo(target)


def _exported(
    record: Diary, kind: Format, period: Period | None, known: Knowledge, texts: Texts, clinic: Clinic, now: datetime
) -> dict[str, bytes]:
    """File contents by name."""
    shown = within(record, period)
    match kind:
        case Format.CSV:
            tables_of = tables.render(shown, known.library)
            return {f"{record.patient}-{name}.csv": data for name, data in tables_of.items()}
        case Format.FHIR:
            return {f"{record.patient}.fhir.json": fhir.render(shown, known.library, now)}
        case Format.PDF:
            data = report.render(
                record, library=known.library, texts=texts, language=clinic.language, made_at=now, clinic=clinic.name,
                period=period and closed(period, record, now),
            )  # fmt: skip
            return {f"{record.patient}.pdf": data}


@cli.command()
def screen(file: Annotated[str, typer.Argument(help="a CSV with a `text` column, or - for standard input")]) -> None:
    """Screen texts for danger: prints the CSV with `level` and the matching pattern of each row."""
    with open_csv(file) as source:
        rows = csv.DictReader(source)
        if "text" not in (rows.fieldnames or []):
            raise SettingsError(file, read=f"columns {rows.fieldnames}", expected="a column named text")
        writer = csv.DictWriter(sys.stdout, [*(rows.fieldnames or []), "level", "pattern"], lineterminator="\n")
        writer.writeheader()
        for row in screen_rows(rows, Patterns.load()):
            writer.writerow(row)


@cli.command(name="backtest")
def replay_series(
    file: Annotated[str, typer.Argument(help="a CSV with person,day,mood and what else is known, or - for stdin")],
    limits: Annotated[list[str] | None, typer.Option(help="another limit, as in sharp_drop=3; may be repeated")] = None,
    language: Annotated[str, typer.Option(help="en, de or es")] = "en",
) -> None:
    """Replay a series through the alert rules: prints findings as CSV, then the alerts per patient-month."""
    with open_csv(file) as source:
        rows = csv.DictReader(source)
        missing = {"person", "day", "mood"} - set(rows.fieldnames or [])
        if missing:
            raise SettingsError(file, read=f"columns {rows.fieldnames}", expected="person, day and mood")
        days = backtest.read(rows)
    found = backtest.replay(days, Limits().with_overrides(dict(_limit(text) for text in limits or [])))
    texts = load()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["person", "day", "rule", "level", "alert", "explanation"])
    for entry in found:
        seen = entry.finding
        sentence = texts.say(f"finding.{seen.reason}", language, **seen.values)
        writer.writerow([entry.person, entry.label, seen.rule, seen.level, int(entry.is_alert), sentence])
    burden = backtest.load(days, found)
    typer.echo(
        f"\n{burden.alerts} alerts in {burden.months:.1f} patient-months: {burden.per_month:.2f} per patient-month, "
        f"{burden.without_safety:.2f} without suicidal thoughts"
    )


def _limit(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise SettingsError("--limits", read=repr(text), expected="name=number") from None


def open_csv(file: str) -> TextIO:
    if file == "-":
        return sys.stdin
    try:
        return Path(file).open(newline="", encoding="utf-8-sig")
    except OSError as error:
        raise SettingsError(file, read=error.strerror or "an error", expected="a readable file") from None


@cli.command()
def doctor() -> None:
    """Check settings, clinic file, database, keys, staff and rota, and Telegram; says what to do about each."""
    settings = Settings.read()
    on_simulator = settings.telegram_token is None
    table = Table(show_header=False, box=None, pad_edge=False)
    verdicts = []
    for check in examine(simulated(settings) if on_simulator else settings, simulated=on_simulator):
        verdicts.append(check.verdict)
        table.add_row(MARKS[check.verdict], check.name, check.says)
    console.print(table)
    raise typer.Exit(1 if Verdict.BAD in verdicts else 0)


@cli.command()
def migrate() -> None:
    """Bring the database schema to what this program needs."""
    settings = Settings.read()
    act(settings, lambda work: work.stores.patients.count())
    typer.echo("The database is up to date.")


def act(settings: Settings, use_case: Callable[[Work], T]) -> T:
    """One use case on the database of the settings, for a command."""
    clinic = read_clinic(settings)
    if settings.telegram_token is None and settings.database_url is None:
        settings = simulated(settings)
    desk = app.open_desk(settings, clinic, SystemClock())
    try:
        return desk.act_now(use_case)
    finally:
        desk.close()


def read_clinic(settings: Settings) -> Clinic:
    if not settings.clinic_file.exists():
        return Clinic()
    return Clinic.from_file(settings.clinic_file)


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
