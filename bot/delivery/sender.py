"""The most urgent due letter first: rendered in the reader's language, sent, then marked as sent."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Concatenate, ParamSpec
from uuid import UUID

import structlog
from telegram import BotCommandScopeChat
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError

from bot.chat.menus import Menu
from bot.delivery import outgoing
from bot.delivery.bot import DiaryBot
from bot.delivery.lease import Lease
from bot.delivery.outgoing import Ready
from bot.delivery.pace import Pace, Pacer
from bot.delivery.pulse import Pulse
from bot.delivery.waking import woken
from bot.desk import Desk
from bot.services.work import Work
from storage.errors import NotLeading, Unavailable
from storage.tables.people import ChatState

log = structlog.get_logger()

IN_FLIGHT = 48  # requests at once: at Telegram's usual 50 ms, thirty times what its limits let through
KEPT_FOR_ALERTS = 8  # of them
AT_ONCE = 24  # letters made in one transaction: more would only delay the first of them
IDLE_SECONDS = 5.0

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Taken:
    """What Telegram has taken and nobody has marked yet."""

    letter: Ready
    message: int | None
    marked: asyncio.Future[None]


class Sender:
    def __init__(self, bot: DiaryBot, desk: Desk, pace: Pace, lease: Lease) -> None:
        self._bot = bot
        self._desk = desk
        self._lease = lease
        self._pacer = Pacer(pace)
        self._wake = asyncio.Event()
        self.pulse = Pulse()
        self._flying: dict[asyncio.Task[None], UUID] = {}
        self._taken: list[Taken] = []
        self._marking: asyncio.Task[None] | None = None

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        while True:
            self._wake.clear()
            try:
                started = await self.send_due()
                self.pulse.beat()
            except Exception as error:  # the database is away: letters wait, nothing is lost
                log.error("sender.stopped_short", error=type(error).__name__)
                await asyncio.sleep(1)
                continue
            if not started:
                await woken(self._wake, self._pacer.next_change(time.monotonic(), IDLE_SECONDS))

    async def send_due(self) -> int:
        """Starts as many sends as may go now; returns how many."""
        now = time.monotonic()
        room = int(min(IN_FLIGHT - len(self._flying), AT_ONCE, self._pacer.room(now)))
        ordinary = int(min(IN_FLIGHT - KEPT_FOR_ALERTS - len(self._flying), self._pacer.ordinary_room(now)))
        if room <= 0:
            return 0
        waiting = [*self._pacer.waiting(now), *self._flying.values()]
        ready = await self._desk.lead(outgoing.take, waiting, room, max(0, ordinary))
        now = time.monotonic()
        for letter in ready:
            self._pacer.started(letter.row.chat_id, letter.row.urgency, now, is_group=letter.row.is_group)
            task = asyncio.create_task(self._send(letter))
            self._flying[task] = letter.row.chat_id
            task.add_done_callback(self._landed)
        return len(ready)

    async def drained(self) -> bool:
        """True when nothing is due and nothing is under way."""
        return not self._flying and not await self._desk.ask(outgoing.anything_due)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flying.pop(task, None)
        self._wake.set()

    async def _send(self, letter: Ready) -> None:
        if not self._lease.held:
            return  # the letter waits for whoever leads now
        try:
            await self._deliver_and_mark(letter)
        except (NotLeading, Unavailable) as error:
            # What became of it could not be written: it goes out again, under the same alert code.
            log.warning("sender.not_marked", letter=letter.row.position, error=type(error).__name__)
        except Exception as error:  # a letter that we cannot make must not hold up the others, nor vanish
            log.error("sender.broken", letter=letter.row.position, error=type(error).__name__)
            await self._desk.lead(outgoing.broken, letter.row.position)

    async def _deliver_and_mark(self, letter: Ready) -> None:
        try:
            message = await deliver(self._bot, letter)
        except RetryAfter as error:
            after = error.retry_after
            seconds = float(after if isinstance(after, int | float) else after.total_seconds())
            self._pacer.refused(letter.row.chat_id, seconds, time.monotonic())
        except ChatMigrated as error:
            await self._lead(outgoing.moved, letter.row.chat_id, error.new_chat_id)
        except Forbidden:
            await self._lead(outgoing.refused, letter, ChatState.BLOCKED)
        except BadRequest as error:
            log.warning("sender.refused", letter=letter.row.position, why=error.message)
            if "chat not found" in error.message.lower():
                await self._lead(outgoing.refused, letter, ChatState.GONE)
            elif letter.content.photo is not None:
                await self._desk.lead(outgoing.again, letter.row.position)
            else:
                await self._lead(outgoing.unacceptable, letter)
        except TelegramError as error:
            # Nobody knows whether it arrived: it is sent again, under the same alert code.
            log.warning("sender.not_sent", letter=letter.row.position, error=type(error).__name__)
            await self._desk.lead(outgoing.again, letter.row.position)
        else:
            await self._mark(letter, message)

    async def _mark(self, letter: Ready, message: int | None) -> None:
        """Returns when it is marked. What Telegram takes while one transaction runs is marked together by the next."""
        taken = Taken(letter, message, asyncio.get_running_loop().create_future())
        self._taken.append(taken)
        if self._marking is None or self._marking.done():
            self._marking = asyncio.create_task(self._mark_all())
        await taken.marked

    async def _mark_all(self) -> None:
        while self._taken:
            batch, self._taken = self._taken, []
            await self._mark_together(batch)

    async def _mark_together(self, batch: Sequence[Taken]) -> None:
        try:
            if await self._desk.lead(outgoing.sent, [(taken.letter, taken.message) for taken in batch]):
                self._desk.wake()
        except Exception as error:
            if len(batch) == 1:
                _settle(batch[0].marked, error)
                return
            for taken in batch:  # each alone, so that one that cannot be marked takes no other with it
                await self._mark_together([taken])
        else:
            for taken in batch:
                _settle(taken.marked)

    async def _lead(self, use_case: Callable[Concatenate[Work, P], None], *args: P.args, **kwargs: P.kwargs) -> None:
        """For what may leave letters to others behind."""
        await self._desk.lead(use_case, *args, **kwargs)
        self._desk.wake()


def _settle(marked: asyncio.Future[None], error: Exception | None = None) -> None:
    if marked.done():
        return  # whoever waited was stopped
    if error is not None:
        marked.set_exception(error)
    else:
        marked.set_result(None)


async def deliver(bot: DiaryBot, letter: Ready) -> int | None:
    """One call to Telegram. Returns the number of the message that now shows the letter."""
    content, number, silent = letter.content, letter.number, letter.content.silent
    if letter.row.edits is not None:
        try:
            return await bot.edit(number, letter.row.edits, content.text, content.buttons)
        except BadRequest as error:
            if "not modified" in error.message.lower():
                return letter.row.edits
            if "not found" not in error.message.lower() and "can't be edited" not in error.message.lower():
                raise
    if content.document is not None:
        data = await asyncio.to_thread(content.document)
        return await bot.hand_over(number, data, content.filename or "document", content.text, silent=silent)
    if content.photo is not None:
        data = await asyncio.to_thread(content.photo)
        return await bot.show(number, data, content.text, content.buttons, silent=silent, spoiler=content.spoiler)
    sent = await bot.say(number, content.text, content.buttons, silent=silent, protect=content.protect)
    if content.pin and sent is not None:
        await _pin(bot, number, sent)
    if content.menu:
        await _offer(bot, number, content.menu)
    return sent


async def _offer(bot: DiaryBot, chat: int, menu: Menu) -> None:
    try:
        await bot.set_my_commands(menu, scope=BotCommandScopeChat(chat))
    except Exception as error:  # the message itself has arrived and must not go out again; commands work when typed
        log.warning("sender.no_menu", error=type(error).__name__)


async def _pin(bot: DiaryBot, chat: int, message: int) -> None:
    try:
        await bot.pin_chat_message(chat, message, disable_notification=True)
    except Exception as error:  # the message itself has arrived and must not go out again
        log.warning("sender.not_pinned", error=type(error).__name__)
