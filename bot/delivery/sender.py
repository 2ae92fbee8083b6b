"""The most urgent due letter first: rendered in the reader's language, sent, then marked as sent."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import structlog
from telegram import BotCommandScopeChat
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError

from bot.chat.letters import bare, render
from bot.chat.letters.content import Content
from bot.chat.menus import Menu
from bot.delivery.bot import DiaryBot
from bot.delivery.lease import Lease
from bot.delivery.pulse import Pulse
from bot.delivery.waking import woken
from bot.desk import Desk
from bot.services import membership, receipts
from bot.services.letters import Urgency
from bot.services.work import Work
from storage.stores.post import MAX_ATTEMPTS
from storage.tables.people import ChatState
from storage.tables.post import LetterState

log = structlog.get_logger()

IN_FLIGHT = 16  # measured in docs/reliability.md: more requests at once are slower, not faster
IDLE_SECONDS = 5.0
RETRY_AFTER_ERROR = timedelta(seconds=2)
LONGEST_RETRY = timedelta(minutes=2)
LONGEST_URGENT_RETRY = timedelta(seconds=8)  # an alert is there within seconds of Telegram's return


@dataclass(frozen=True, slots=True)
class Pace:
    """What the Bot API lets through (core.telegram.org/bots/faq): about 30 messages a second, 1 per chat, 20 a minute
    per group. Seconds of pause; a crisis letter waits for no chat's pause."""

    per_second: float = 28
    chat: float = 1.0
    group: float = 3.0
    card: float = 0.05  # an edit or an alert: short bursts are let through


TELEGRAMS_PACE = Pace()
UNLIMITED = Pace(float("inf"), 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Ready:
    """A letter as it will be sent."""

    position: int
    chat: UUID
    number: int
    is_group: bool
    urgency: int
    content: Content
    edit: int | None  # the message to edit; None sends a new one


class Sender:
    def __init__(self, bot: DiaryBot, desk: Desk, pace: Pace, lease: Lease) -> None:
        self._bot = bot
        self._lease = lease
        self._limits = pace
        self._desk = desk
        self._wake = asyncio.Event()
        self.pulse = Pulse()
        self._busy: dict[UUID, float] = {}  # chats that must wait, until when (monotonic seconds)
        self._recent: deque[float] = deque()
        self._not_before = 0.0
        self._flying: dict[asyncio.Task[None], UUID] = {}

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
                await woken(self._wake, self._pause())

    async def send_due(self) -> int:
        """Starts as many sends as may go now; returns how many."""
        room = int(min(IN_FLIGHT - len(self._flying), self._allowance()))
        if room <= 0:
            await asyncio.sleep(0.02)
            return 0
        now = time.monotonic()
        self._busy = {chat: until for chat, until in self._busy.items() if until > now}
        ready = await self._desk.lead(_take, [*self._busy, *self._flying.values()], room)
        for letter in ready:
            self._busy[letter.chat] = now + self._pace(letter)
            self._recent.append(now)
            task = asyncio.create_task(self._send(letter))
            self._flying[task] = letter.chat
            task.add_done_callback(self._landed)
        return len(ready)

    async def drained(self) -> bool:
        """True when nothing is due and nothing is under way."""
        return not self._flying and not await self._desk.ask(_anything_due)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flying.pop(task, None)
        self._wake.set()

    def _pace(self, letter: Ready) -> float:
        if letter.urgency == Urgency.CRISIS:
            return 0.0  # crisis may burst over the per-chat pace
        if letter.is_group:
            return self._limits.group
        return self._limits.chat if letter.urgency >= Urgency.PROMPT else self._limits.card

    def _allowance(self) -> float:
        now = time.monotonic()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        return 0 if now < self._not_before else self._limits.per_second - len(self._recent)

    def _pause(self) -> float:
        now = time.monotonic()
        return min([IDLE_SECONDS, *(until - now for until in self._busy.values() if until > now)])

    async def _send(self, letter: Ready) -> None:
        if not self._lease.held:
            return  # the letter waits for whoever leads now
        try:
            message = await deliver(self._bot, letter)
            await self._desk.lead(_sent, letter, message)
        except RetryAfter as error:
            after = error.retry_after
            seconds = float(after if isinstance(after, int | float) else after.total_seconds())
            self._busy[letter.chat] = time.monotonic() + seconds
        except ChatMigrated as error:
            await self._desk.act(_migrated, letter.chat, error.new_chat_id)
        except Forbidden:
            await self._desk.act(_refused, letter, ChatState.BLOCKED)
        except BadRequest as error:
            log.warning("sender.refused", letter=letter.position, why=error.message)
            if letter.content.photo is not None and "chat not found" not in error.message.lower():
                await self._desk.lead(_again, letter.position)
            else:
                await self._desk.act(_unacceptable, letter, error.message)
        except TelegramError as error:
            # Nobody knows whether it arrived: it is sent again, under the same alert code.
            log.warning("sender.not_sent", letter=letter.position, error=type(error).__name__)
            await self._desk.lead(_again, letter.position)
        except Exception as error:  # a letter that we cannot make must not hold up the others, nor vanish
            log.error("sender.broken", letter=letter.position, error=type(error).__name__)
            await self._desk.lead(_broken, letter.position)


async def deliver(bot: DiaryBot, letter: Ready) -> int | None:
    """One call to Telegram. Returns the number of the message that now shows the letter."""
    content, number, silent = letter.content, letter.number, letter.content.silent
    if letter.edit is not None:
        try:
            return await bot.edit(number, letter.edit, content.text, content.buttons)
        except BadRequest as error:
            if "not modified" in error.message.lower():
                return letter.edit
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


def _take(work: Work, waiting: list[UUID], limit: int) -> list[Ready]:
    ready: list[Ready] = []
    taken: set[UUID] = set()
    for letter in work.stores.outbox.due(work.now, not_to=waiting, limit=4 * limit):
        if letter.chat_id in taken or len(ready) >= limit:
            continue
        if letter.expires_at is not None and letter.expires_at <= work.now:
            letter.state = LetterState.EXPIRED
            continue
        chat = work.stores.chats.get(letter.chat_id)
        try:
            content = render(work, letter)
        except Exception as error:
            log.error("sender.cannot_render", letter=letter.position, kind=letter.kind, error=type(error).__name__)
            if letter.urgency > Urgency.ALERT:
                _broken(work, letter.position)
                continue
            content = bare(work, letter)  # an alert that cannot be shown in full is still an alert
        if content is not None and letter.attempts:  # a picture that failed goes as text: its caption says the same
            content = replace(content, photo=None)
        if content is None:  # what it would say is not true any more
            letter.state = LetterState.REPLACED
            continue
        card = work.stores.outbox.card(letter.chat_id, letter.card) if letter.card and not letter.fresh else None
        ready.append(
            Ready(
                letter.position, chat.id, work.stores.chats.number(chat), chat.is_group, letter.urgency, content,
                card.message_id if card and not card.has_picture else None,
            )
        )  # fmt: skip
        taken.add(letter.chat_id)
    return ready


def _sent(work: Work, ready: Ready, message: int | None) -> None:
    letter = work.stores.outbox.get(ready.position)
    work.stores.outbox.mark_sent(
        letter, message_id=message, said=ready.content.text, has_picture=ready.content.photo is not None
    )
    if letter.kind in ("check_in.prompt", "check_in.reminder") and letter.subject_id is not None:
        check_in = work.stores.check_ins.get(letter.subject_id)
        check_in.delivered_at = check_in.delivered_at or work.now
    if letter.kind in ("alert.page", "alert.team"):
        receipts.page_arrived(work, letter.subject_id)


def _refused(work: Work, ready: Ready, state: ChatState) -> None:
    letter = work.stores.outbox.get(ready.position)
    letter.state = LetterState.REFUSED
    membership.lost(work, work.stores.chats.get(ready.chat), state, f"letter:{ready.position}")


def _unacceptable(work: Work, ready: Ready, why: str) -> None:
    letter = work.stores.outbox.get(ready.position)
    letter.state = LetterState.REFUSED
    if "chat not found" in why.lower():
        membership.lost(work, work.stores.chats.get(ready.chat), ChatState.GONE, f"letter:{ready.position}")
    work.stores.audit.record("letter.refused", actor=None, subject=letter.subject_id, detail=letter.kind)


def _migrated(work: Work, chat_id: UUID, number: int) -> None:
    work.stores.chats.move(work.stores.chats.get(chat_id), number)


def _again(work: Work, position: int) -> None:
    letter = work.stores.outbox.get(position)
    letter.attempts += 1
    longest = LONGEST_URGENT_RETRY if letter.urgency <= Urgency.ALERT else LONGEST_RETRY
    letter.due_at = work.now + min(RETRY_AFTER_ERROR * 2 ** min(letter.attempts - 1, 6), longest)


def _broken(work: Work, position: int) -> None:
    """Ours to repair: tried a few times, then set aside where `afterglow doctor` shows it."""
    letter = work.stores.outbox.get(position)
    if letter.attempts + 1 < MAX_ATTEMPTS:
        _again(work, position)
        return
    letter.state = LetterState.BROKEN
    work.stores.audit.record("letter.broken", actor=None, subject=letter.subject_id, detail=letter.kind)


def _anything_due(work: Work) -> bool:
    return bool(work.stores.outbox.due(work.now, limit=1))
