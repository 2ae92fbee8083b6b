"""`afterglow doctor`: looks at everything that must be in place before patients depend on it, and says what to do."""

import asyncio
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path

from telegram.error import InvalidToken, TelegramError
from telegram.ext import ExtBot

from bot import app
from bot.clinical.crisis import CrisisLines
from bot.clinical.rules import BadLimit, Limits
from bot.clock import SystemClock
from bot.delivery.auditor import ROOM
from bot.delivery.transport import AiohttpRequest
from bot.services import incidents, keeping, roads
from bot.services.work import Work
from bot.settings import Clinic, Settings, SettingsError
from bot.texts import DEFAULT_LANGUAGE, load
from storage.backup.restore import CANDIDATE, put_aside
from storage.backup.snapshot import reading
from storage.engine import Database
from storage.errors import StorageError
from storage.verify import audit_trail

LITTLE_ROOM = 5 * ROOM
BACKUP_IS_LATE = timedelta(days=2)  # one night may be made up for
KEY_IS_OLD = timedelta(days=400)  # a year (docs/operations.md), and some days to do it
SQLITE_SOUND = (3, 51, 3)  # the first without the WAL-reset bug
LEAST_ON_ROTA = 2  # with one person only, an alert at night has nobody to climb to


class Verdict(StrEnum):
    GOOD = "good"
    LOOK = "look"  # works, but somebody should know
    BAD = "bad"  # patients must not depend on it yet


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    verdict: Verdict
    says: str


def examine(settings: Settings, *, simulated: bool) -> Iterator[Check]:
    """Every check, in the order in which to repair; what an earlier one makes pointless is left out."""
    try:
        clinic = Clinic.from_file(settings.clinic_file) if settings.clinic_file.exists() else None
        if clinic is None:
            yield _look(
                "clinic file", f"{settings.clinic_file} is not there: defaults are used. Copy clinic.toml.example."
            )
        else:
            yield _good("clinic file", f"{settings.clinic_file}: {clinic.name}")
    except SettingsError as error:
        yield _bad("clinic file", str(error))
        return
    clinic = clinic or Clinic()
    yield from _clinic(clinic, simulated=simulated)
    yield from _database(settings, clinic)
    yield (
        asyncio.run(_telegram(settings))
        if not simulated
        else _look("Telegram", "no TELEGRAM_TOKEN: `afterglow start` runs on the simulator")
    )


def _clinic(clinic: Clinic, *, simulated: bool) -> Iterator[Check]:
    if clinic.phone:
        yield _good("clinic phone", clinic.phone)
    else:
        say = _look if simulated else _bad
        yield say(
            "clinic phone", "set `phone` in the clinic file: it is the first number that a patient in danger sees"
        )
    lines = CrisisLines.load()
    known = lines.for_country(clinic.country)
    if known.lines:
        names = ", ".join(f"{line.name} {line.number}" for line in known.lines)
        yield _good(
            "crisis lines", f"{clinic.country}: {names}; emergency {known.emergency}. Call them once a quarter."
        )
    else:
        yield _look(
            "crisis lines", f"none known for {clinic.country}: patients see {known.emergency} and your own line"
        )
    yield from checked_lines(lines, SystemClock().now().date())
    try:
        Limits().with_overrides(clinic.limits)
        yield _good("alert limits", "as in docs/clinical.md" if not clinic.limits else f"changed: {clinic.limits}")
        app.knowledge(clinic)
        yield _good("instruments", str(clinic.instruments or "the shipped ones"))
        yield _good("protocols", f"{clinic.protocol}, from {clinic.protocols or 'the shipped ones'}")
    except (BadLimit, SettingsError) as error:
        yield _bad("clinic file", str(error))


def checked_lines(lines: CrisisLines, today: date) -> Iterator[Check]:
    """Numbers change: the shipped table is looked at again within a year."""
    if outdated := lines.outdated(today):
        yield _look(
            "crisis lines", f"last checked over a year ago for {', '.join(outdated)}: call the numbers, and install a "
            "newer release",
        )  # fmt: skip


def _database(settings: Settings, clinic: Clinic) -> Iterator[Check]:
    try:
        desk = app.open_desk(settings, clinic, SystemClock(), beside=True)
    except (StorageError, SettingsError, OSError) as error:
        yield _bad("database", str(error))
        return
    try:
        where = "PostgreSQL" if not desk.database.is_sqlite else str(desk.database.file)
        schema = f"{where}, schema {desk.database.schema_version()}"
        if desk.database.is_newer():
            yield _look("database", f"{schema}: a newer Afterglow made it, and this one can work with it. Upgrade it.")
        else:
            yield _good("database", schema)
        if desk.database.is_sqlite:
            yield sqlite_itself(sqlite3.sqlite_version_info)
        with reading(desk.database) as connection:
            trail = audit_trail(connection, desk.clock.now())
        yield (_good if trail.whole else _bad)(trail.name, trail.says)
        for ask in (_rota, second_road, _waiting, open_incidents, last_backup):
            yield desk.act_now(ask)
        yield left_by_restores(desk.database)
        yield desk.act_now(partial(master_key, file=settings.key_file))
    finally:
        desk.close()
    yield from (disk(name, folder) for name, folder in (("disk", settings.data_dir), ("backup disk", settings.backups)))


def sqlite_itself(version: tuple[int, ...]) -> Check:
    says = ".".join(str(part) for part in version)
    if version >= SQLITE_SOUND:
        return _good("SQLite", says)
    sound = ".".join(str(part) for part in SQLITE_SOUND)
    return _look(
        "SQLite", f"{says}: before {sound}, several processes that checkpoint at once may, rarely, damage a file. Here "
        "only the bot does, so let no other program write to it. A newer Python or system brings a newer SQLite.",
    )  # fmt: skip


def master_key(work: Work, file: Path) -> Check:
    since = work.stores.facts.since(app.MASTER)
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        return _bad("master key", f"others may read {file}: run `chmod 600` on it")
    if since is not None and work.now - since > KEY_IS_OLD:
        days = (work.now - since).days
        return _look("master key", f"in use for {days} days: run `afterglow keys rotate`, then copy {file} anew")
    return _good("master key", f"{file}. Keep a copy apart from the backups: without it nothing opens.")


def disk(name: str, folder: Path) -> Check:
    there = next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())
    free = shutil.disk_usage(there).free
    says = f"{free / 1e9:.1f} GB free for {folder}"
    if free < ROOM:
        return _bad(name, f"{says}: make room, or answers cannot be stored")
    return _look(name, f"{says}: make room soon") if free < LITTLE_ROOM else _good(name, says)


def last_backup(work: Work) -> Check:
    last = keeping.last_backup(work)
    if last is None:
        say = _look if keeping.has_patients(work) else _good
        return say("backup", "none was made yet: the first comes in the night, or run `afterglow backup`")
    age = work.now - last
    says = f"the last was made {age.days} days and {age.seconds // 3600} hours ago"
    if age > BACKUP_IS_LATE:
        return _bad("backup", f"{says}: is the bot running, and is there room? Run `afterglow backup`")
    return _good("backup", says)


def open_incidents(work: Work) -> Check:
    texts = load()
    said = [
        f"{texts.say(f'incident.{one.kind}', DEFAULT_LANGUAGE, detail=one.detail, who=one.who or '?')} "
        f"(since {one.opened_at:%Y-%m-%d %H:%M} UTC)"
        for one in incidents.all_open(work)
    ]
    return _look("incidents", " ".join(said)) if said else _good("incidents", "none is open")


def left_by_restores(database: Database) -> Check:
    """What holds patient data and keys beside the database; the bot removes it in time."""
    left = [name for name, _ in put_aside(database)]
    half = database.file.with_name(database.file.name + CANDIDATE) if database.file is not None else None
    if half is not None and half.exists():
        left.append(f"{half.name} (of a restore that did not end)")
    if not left:
        return _good("restores", "nothing is left of any")
    return _look(
        "restores", f"{', '.join(left)}: patient data and keys. The bot removes them when they are older than key "
        "backups may be; remove them now if nothing in them is needed any more.",
    )  # fmt: skip


def second_road(work: Work) -> Check:
    on_rota = list(work.stores.rota.in_order())
    reachable = roads.covered(work, on_rota)
    said = []
    if missing := [work.stores.people.name(person) for person in on_rota if person not in reachable]:
        said.append(f"{', '.join(missing)}: no channel beside Telegram (/oncall, My second road).")
    if not work.knowledge.roads.operator:
        said.append("OPERATOR_CHANNELS is not set: nobody hears of a database that takes nothing.")
    return _look("second road", " ".join(said)) if said else _good("second road", "everybody has a channel")


def _rota(work: Work) -> Check:
    names = [work.stores.people.name(person) for person in work.stores.rota.in_order()]
    if not names:
        return _bad(
            "staff and rota", "nobody is on the rota: run `afterglow invite --role nurse`, then /oncall in the chat"
        )
    if len(names) < LEAST_ON_ROTA:
        return _look("staff and rota", f"only {names[0]} is on the rota: an alert has nobody to climb to")
    return _good("staff and rota", " → ".join(names))


def _waiting(work: Work) -> Check:
    dead, broken = len(work.stores.inbox.dead()), len(work.stores.outbox.broken())
    if dead or broken:
        return _look(
            "post", f"{dead} updates and {broken} letters are buried: see `afterglow inbox` and `afterglow outbox`"
        )
    return _good("post", f"{work.stores.inbox.count_waiting()} updates wait, nothing is stuck")


async def _telegram(settings: Settings) -> Check:
    if settings.telegram_token is None:
        return _bad("Telegram", "TELEGRAM_TOKEN is not set")
    token, address = settings.telegram_token.get_secret_value(), settings.telegram_api_url
    bot: ExtBot[None] = ExtBot(token, base_url=f"{address}/bot", request=AiohttpRequest())
    try:
        await bot.initialize()
        return _good("Telegram", f"@{bot.username} at {address}")
    except InvalidToken:
        return _bad("Telegram", f"{address} does not know this token: copy it again from BotFather")
    except TelegramError as error:
        return _bad(
            "Telegram", f"{address} cannot be reached ({type(error).__name__}): check the network and the proxy"
        )
    finally:
        await bot.shutdown()


def _check(verdict: Verdict) -> Callable[[str, str], Check]:
    return lambda name, says: Check(name, verdict, says)


_good, _look, _bad = _check(Verdict.GOOD), _check(Verdict.LOOK), _check(Verdict.BAD)
