"""The composition root: the only place where objects are built, and handlers, ticks and jobs are listed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, time
from functools import partial
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from telegram import BotCommandScopeAllGroupChats, BotCommandScopeChat

from bot.chat import application as chat_application
from bot.chat.handlers import ROUTES
from bot.chat.handlers.routes import register
from bot.chat.menus import PATIENT_COMMANDS, STAFF_COMMANDS, menu
from bot.clinical.crisis import CrisisLines
from bot.clinical.data import BadFile
from bot.clinical.library import Library, Unknown
from bot.clinical.screening import Patterns
from bot.clock import Clock
from bot.delivery.auditor import RECEIVER, Auditor, Watch, health_route
from bot.delivery.bot import DiaryBot
from bot.delivery.channels import Channels
from bot.delivery.last_resort import LastResort
from bot.delivery.lease import Lease, listen
from bot.delivery.pace import TELEGRAMS_PACE, Pace
from bot.delivery.receiver import Receiver
from bot.delivery.sender import Sender
from bot.delivery.ticker import Ticker
from bot.delivery.transport import AiohttpRequest
from bot.delivery.triage import Triage
from bot.delivery.web import Webhook, keep_webhook, serving, webhook_route
from bot.delivery.worker import Worker
from bot.desk import Desk
from bot.services import care, versions
from bot.services.work import Knowledge, Work
from bot.settings import Clinic, Roads, Settings, SettingsError
from bot.texts import DEFAULT_LANGUAGE, LANGUAGES
from bot.texts import load as load_texts
from bot.upkeep import Upkeep, migrate, shelf_of
from storage.crypto import MasterKeys
from storage.engine import Database, RunningLock
from storage.errors import WrongWorld
from storage.stores.keys import INDEX_SUBJECT
from storage.stores.people import CHATS_SUBJECT

log = structlog.get_logger()

RETRY_START_SECONDS = 5.0
REAL_TELEGRAM, SIMULATED = "Telegram", "the simulator"
MASTER = "master"  # the fact since when the present master key wraps
SETTLE_ROUNDS = 10_000


def open_desk(settings: Settings, clinic: Clinic, clock: Clock, *, beside: bool = False) -> Desk:
    """The database, migrated, with everything the services know. Raises `SettingsError` or `StorageError`.

    `beside` for a command: a bot may be running on the same file, and is not to be disturbed.
    """
    database = Database(settings.database, MasterKeys.from_file(settings.key_file), checkpoints=not beside)
    migrate(database, shelf_of(settings, clinic), clock.now())
    desk = Desk(database, knowledge(clinic, settings.roads), clock)
    desk.act_now(_make_shared_keys)
    desk.act_now(versions.remember)
    return desk


def knowledge(clinic: Clinic, roads: Roads | None = None) -> Knowledge:
    """Raises `SettingsError` when a file of the clinic's own cannot be used."""
    for name, folder in (("instruments", clinic.instruments), ("protocols", clinic.protocols)):
        if folder is not None and not folder.is_dir():
            raise SettingsError(name, read=str(folder), expected="a folder with TOML files")
    try:
        library = Library.load(clinic.instruments, clinic.protocols)
        library.protocol(clinic.protocol)
    except BadFile as error:
        raise SettingsError(error.key, read=error.read, expected=error.expected) from None
    except Unknown as error:
        raise SettingsError("protocol", read=repr(clinic.protocol), expected=str(error)) from None
    return Knowledge(clinic, library, Patterns.load(), CrisisLines.load(), roads or Roads())


def _make_shared_keys(work: Work) -> None:
    """Made once, before anything runs side by side: two processes must not each make their own."""
    for subject in (INDEX_SUBJECT, CHATS_SUBJECT):
        work.stores.keys.key_for(subject)
    if work.stores.facts.read("database.id") is None:  # by which backups know what they are of
        work.stores.facts.set("database.id", uuid4().hex)
    if work.stores.facts.read(MASTER) != work.stores.keys.master:
        work.stores.facts.set(MASTER, work.stores.keys.master)


def claim_world(work: Work, world: str) -> None:
    """A database belongs to the real Telegram or to the simulator for good."""
    known = work.stores.facts.read("world")
    if known is not None and known != world:
        raise WrongWorld(known, world)
    work.stores.facts.set("world", world)


@dataclass
class Afterglow:
    """The running bot, in its parts."""

    desk: Desk
    receiver: Receiver
    worker: Worker
    sender: Sender
    ticker: Ticker
    channels: Channels
    bot: DiaryBot
    lease: Lease
    auditor: Auditor | None = None
    port: int | None = None  # where this process serves HTTP

    async def next_due(self, until: datetime) -> datetime | None:
        return await self.ticker.next_due(until)

    async def settle(self) -> None:
        """Returns when nothing is due, waiting or under way: updates fetched, handled, ticked, letters sent."""
        for _ in range(SETTLE_ROUNDS):
            self.worker.wake()
            self.sender.wake()
            self.channels.wake()
            quiet = await self._quiet()  # asked first: what was handled before may have made something due
            moved = await self.ticker.tick()
            if quiet and not moved and await self._drained():
                return
            await asyncio.sleep(0.01)

    async def _drained(self) -> bool:
        return await self.channels.drained() and await self.sender.drained()

    async def _quiet(self) -> bool:
        info = await self.bot.get_webhook_info()
        waiting = await self.desk.ask(lambda work: work.stores.inbox.count_waiting())
        return info.pending_update_count == 0 and waiting == 0


@dataclass(frozen=True, slots=True)
class Web:
    """Where this process serves HTTP; without a webhook, updates are fetched."""

    host: str
    port: int
    webhook: Webhook | None = None


@asynccontextmanager
async def running(
    desk: Desk,
    clock: Clock,
    *,
    token: str,
    api_url: str,
    world: str,
    poll_seconds: int = 25,
    pace: Pace = TELEGRAMS_PACE,
    upkeep: Upkeep | None = None,
    web: Web | None = None,
    watch: Watch | None = None,
) -> AsyncIterator[Afterglow]:
    """The bot at work while the body runs. Storage, ticks and letters do not wait for Telegram to be reachable."""
    async with AsyncExitStack() as stack:
        if desk.database.file is not None:
            stack.enter_context(RunningLock(desk.database.file))
            await desk.ask(lambda work: work.stores.inbox.release_all())
        await desk.act(claim_world, world)
        bot = DiaryBot(
            token, base_url=f"{api_url}/bot", base_file_url=f"{api_url}/file/bot", request=AiohttpRequest(),
            get_updates_request=AiohttpRequest(connections=2),
        )  # fmt: skip
        stack.push_async_callback(bot.shutdown)
        afterglow = _built(bot, desk, clock, poll_seconds, pace)
        webhook = web.webhook if web is not None else None
        if watch is not None:
            afterglow.auditor = auditor_of(afterglow, watch)
        if web is not None:
            routes = [webhook_route(afterglow.receiver, webhook)] if webhook is not None else []
            routes += [health_route(afterglow.auditor)] if afterglow.auditor is not None else []
            afterglow.port = await stack.enter_async_context(serving(web.host, web.port, routes))
        await afterglow.lease.try_to_take()
        tasks = [asyncio.create_task(part) for part in _parts(afterglow, upkeep, webhook)]
        try:
            yield afterglow
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            afterglow.channels.close()
            await afterglow.lease.give_up()


def _built(bot: DiaryBot, desk: Desk, clock: Clock, poll_seconds: int, pace: Pace) -> Afterglow:
    application = chat_application.build(bot, desk)
    register(application, ROUTES)
    lease = Lease(desk)
    desk.guard = lease.guard
    last_resort = LastResort(bot, desk.knowledge, desk.database.file)
    receiver = Receiver(bot, desk, clock, last_resort, poll_seconds)
    worker, sender = Worker(application, desk, Triage(desk)), Sender(bot, desk, pace, lease)
    desk.on_commit(worker.wake)
    desk.on_commit(sender.wake)
    return Afterglow(desk, receiver, worker, sender, Ticker(desk, receiver.caught_up), Channels(desk), bot, lease)


def auditor_of(afterglow: Afterglow, watch: Watch) -> Auditor:
    parts = ("sender", "ticker", "channels", RECEIVER)  # the receiver's pulse is the webhook's, too
    leading = {name: getattr(afterglow, name).pulse for name in parts}
    return Auditor(
        afterglow.desk, afterglow.lease, afterglow.channels, watch,
        everywhere={"worker": afterglow.worker.pulse}, leading=leading,
    )  # fmt: skip


def _parts(afterglow: Afterglow, upkeep: Upkeep | None, webhook: Webhook | None) -> list[Coroutine[Any, Any, None]]:
    """What runs in every process; behind the lease, what runs in one of them."""
    desk, receiver = afterglow.desk, afterglow.receiver
    alone: list[Callable[[], Coroutine[Any, Any, None]]] = [
        receiver.run,
        afterglow.sender.run,
        afterglow.ticker.run,
        afterglow.channels.run,
        partial(_keep_calendar, desk, upkeep),
    ]
    if webhook is not None:
        alone[0] = partial(keep_webhook, afterglow.bot, receiver, webhook)
    if upkeep is not None:
        alone.append(upkeep.run)
    everywhere = [_introduce(afterglow), afterglow.worker.run(), afterglow.lease.run(alone)]
    if afterglow.auditor is not None:
        everywhere.append(afterglow.auditor.run())
    return everywhere if desk.database.is_sqlite else [*everywhere, listen(desk)]


async def _introduce(afterglow: Afterglow) -> None:
    """Learns the bot's own name, without which commands cannot be told apart; updates are stored meanwhile."""
    while True:
        try:
            await afterglow.worker.application.initialize()
            break
        except Exception as error:  # Telegram is away, or its answer cannot be read
            log.warning("telegram.not_reachable", error=type(error).__name__, again_in=RETRY_START_SECONDS)
            await asyncio.sleep(RETRY_START_SECONDS)
    await afterglow.desk.act(_remember_name, afterglow.bot.username)
    await _offer_commands(afterglow.bot, afterglow.desk)


def _remember_name(work: Work, username: str) -> None:
    """Invitations link to the bot by name, also when Telegram is away."""
    work.stores.facts.set("bot.username", username)


async def _offer_commands(bot: DiaryBot, desk: Desk) -> None:
    texts = load_texts()
    try:
        for language in LANGUAGES:
            code = None if language == DEFAULT_LANGUAGE else language
            await bot.set_my_commands(menu(PATIENT_COMMANDS, texts, language), language_code=code)
            await bot.set_my_commands(
                menu(STAFF_COMMANDS, texts, language), scope=BotCommandScopeAllGroupChats(), language_code=code
            )
        for number, language in await desk.ask(care.staff_chats):
            await bot.set_my_commands(menu(STAFF_COMMANDS, texts, language), scope=BotCommandScopeChat(number))
    except Exception as error:  # a convenience: without it, commands still work when typed
        log.warning("commands.not_offered", error=type(error).__name__)


async def _keep_calendar(desk: Desk, upkeep: Upkeep | None) -> None:
    """What happens at a time of day. Nothing here is needed for an alert."""
    clinic = desk.knowledge.clinic
    scheduler = AsyncIOScheduler(timezone=ZoneInfo(clinic.zone))

    def daily(at: time, job: Callable[..., object], *arguments: object) -> None:
        trigger = CronTrigger(hour=at.hour, minute=at.minute)
        scheduler.add_job(job, trigger, arguments, coalesce=True, misfire_grace_time=None, max_instances=1)

    daily(clinic.digest_at, desk.lead, care.send_digest)
    if upkeep is not None:
        daily(clinic.keeping.backup_at, upkeep.nightly)
    scheduler.start()
    try:
        await asyncio.Event().wait()
    finally:
        scheduler.shutdown(wait=False)
