"""Long polling: a batch goes into the inbox in one transaction; only after its commit is it confirmed to Telegram."""

import asyncio
import time

import structlog
from telegram.error import Conflict, RetryAfter, TelegramError

from bot.clock import Clock
from bot.delivery.bot import DiaryBot
from bot.delivery.last_resort import LastResort
from bot.delivery.pulse import Pulse
from bot.delivery.updates import Raw, dump, look, update_id
from bot.desk import Desk
from bot.services import incidents, outages
from bot.services.incidents import IncidentKind
from bot.services.work import Work
from storage.errors import Unavailable
from storage.stores.inbox import Received

log = structlog.get_logger()

POLL_SECONDS = 25
BATCH = 100
SOONEST_SECONDS = 0.1
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0  # what waits at Telegram may be danger: it is fetched soon after its return
WANTED = ["message", "edited_message", "callback_query", "my_chat_member"]
STALE_SECONDS = 60.0  # without a successful round for so long, Telegram may hold answers that we do not know
NOTE_SECONDS = 300.0  # how often the time of the last round is written down


class Receiver:
    """Stores updates before they are confirmed, whether fetched or brought by a webhook.

    `last_success` is monotonic time: a silent end of polling must be seen.
    """

    def __init__(
        self, bot: DiaryBot, desk: Desk, clock: Clock, last_resort: LastResort, poll_seconds: int = POLL_SECONDS
    ) -> None:
        self._bot = bot
        self._desk = desk
        self._clock = clock
        self._last_resort = last_resort
        self._poll_seconds = poll_seconds
        # Telegram may restart update ids after an idle week: never resume from max(id) + 1; the inbox knows repeats.
        self._offset = 0
        self.last_success: float | None = None
        self.pulse = Pulse()
        self._caught_up_at: float | None = None
        self._noted_at: float | None = None
        self._answers: set[asyncio.Task[None]] = set()

    def caught_up(self) -> bool:
        """False while Telegram may hold answers that are not in the inbox."""
        return self._caught_up_at is not None and time.monotonic() - self._caught_up_at < STALE_SECONDS

    async def run(self) -> None:
        """Polls, after it has taken back a webhook that would keep everything from us."""
        pause = FIRST_PAUSE
        await self._take_back_webhook()
        while True:
            try:
                await self.poll()
                pause = FIRST_PAUSE
            except RetryAfter as error:
                await asyncio.sleep(_seconds(error))
            except Conflict:  # a webhook, or another process that still polls
                await self._take_back_webhook()
                await asyncio.sleep(FIRST_PAUSE)
            except Exception as error:  # Telegram or the disk is away: what is not stored is not confirmed either
                log.warning("receiver.poll_failed", error=type(error).__name__, again_in=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _take_back_webhook(self) -> None:
        try:
            await self._bot.delete_webhook()
        except Exception as error:  # away, or a server that has no webhooks: polling itself will tell
            log.debug("receiver.webhook_not_deleted", error=type(error).__name__)

    async def poll(self) -> int:
        """One round; returns how many updates came."""
        asked = self._clock.monotonic()
        batch = await self._bot.fetch(self._offset, BATCH, self._poll_seconds, WANTED)
        self.last_success = self._clock.monotonic()
        if batch:
            await self.take_in(batch)
            self._offset = max([self._offset, *(update_id(raw) + 1 for raw in batch)])
        elif self.last_success - asked < SOONEST_SECONDS:
            await asyncio.sleep(SOONEST_SECONDS)  # a server that does not hold the request open is not to be flooded
        await self.note_alive(caught_up=len(batch) < BATCH)
        return len(batch)

    async def note_alive(self, *, caught_up: bool) -> None:
        """Updates came through now. After too long a gap, patients are asked again what they may have answered."""
        now = time.monotonic()
        if self._noted_at is None or now - self._noted_at > NOTE_SECONDS:
            await self._desk.lead(outages.fetched)
            self._noted_at = now
            self._desk.wake()
            await self._prepare_for_the_worst()
        if caught_up:
            self._caught_up_at = now
        self.pulse.beat()

    async def _prepare_for_the_worst(self) -> None:
        self._last_resort.remember(await self._desk.ask(outages.operators))
        if await asyncio.to_thread(self._last_resort.lay_out):
            await self._desk.act(incidents.close, IncidentKind.DISK, "reserve")

    async def take_in(self, batch: list[Raw]) -> None:
        """Stores a batch; when this returns it is on the disk. Then the taps are answered, to stop their spinners."""
        try:
            await self._desk.act(_store, batch)
        except Unavailable as error:
            if not self._last_resort.make_room(error):
                await self._last_resort.answer(batch)
                raise
            await self._desk.act(_store, batch)
            await self._desk.act(incidents.open, IncidentKind.DISK, "reserve")
        for raw in batch:
            callback = look(raw).callback_id
            if callback is not None:
                task = asyncio.create_task(self._stop_spinner(callback))
                self._answers.add(task)
                task.add_done_callback(self._answers.discard)

    async def _stop_spinner(self, callback: str) -> None:
        try:
            await self._bot.stop_spinner(callback)
        except TelegramError as error:
            # Too old, or Telegram is away: the answer itself is stored, and the edited message shows it.
            log.debug("receiver.spinner_not_stopped", error=type(error).__name__)


def _store(work: Work, batch: list[Raw]) -> None:
    work.stores.inbox.take_in(
        Received(update_id(raw), work.stores.chats.key(look(raw).number), dump(raw)) for raw in batch
    )


def _seconds(error: RetryAfter) -> float:
    after = error.retry_after
    return float(after if isinstance(after, int | float) else after.total_seconds())
