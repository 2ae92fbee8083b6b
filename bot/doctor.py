"""`afterglow doctor`: looks at everything that must be in place before patients depend on it, and says what to do."""

import asyncio
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from telegram.error import InvalidToken, TelegramError
from telegram.ext import ExtBot

from bot import app
from bot.clinical.crisis import CrisisLines
from bot.clinical.rules import BadLimit, Limits
from bot.clock import SystemClock
from bot.delivery.transport import AiohttpRequest
from bot.services.work import Work
from bot.settings import Clinic, Settings, SettingsError
from storage.errors import StorageError

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
    try:
        Limits().with_overrides(clinic.limits)
        yield _good("alert limits", "as in docs/clinical.md" if not clinic.limits else f"changed: {clinic.limits}")
        app.knowledge(clinic)
        yield _good("instruments", str(clinic.instruments or "the shipped ones"))
        yield _good("protocols", f"{clinic.protocol}, from {clinic.protocols or 'the shipped ones'}")
    except (BadLimit, SettingsError) as error:
        yield _bad("clinic file", str(error))


def _database(settings: Settings, clinic: Clinic) -> Iterator[Check]:
    try:
        desk = app.open_desk(settings, clinic, SystemClock())
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
        for ask in (_audit, _rota, _waiting):
            yield desk.act_now(ask)
    finally:
        desk.close()
    mode = stat.S_IMODE(settings.key_file.stat().st_mode)
    if mode & 0o077:
        yield _bad("master key", f"others may read {settings.key_file}: run `chmod 600` on it")
    else:
        yield _good("master key", f"{settings.key_file}. Keep a copy apart from the backups: without it nothing opens.")


def _audit(work: Work) -> Check:
    broken = work.stores.audit.first_broken()
    if broken is not None:
        return _bad("audit trail", f"entry {broken} was changed or removed after it was written")
    return _good("audit trail", "whole")


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
