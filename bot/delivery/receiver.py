"""Long polling: a batch goes into the inbox in one transaction; only after its commit is it confirmed to Telegram."""

import asyncio

import structlog
from telegram.error import RetryAfter, TelegramError

from bot.clock import Clock
from bot.delivery.bot import DiaryBot
from bot.delivery.pulse import Pulse
from bot.delivery.updates import Raw, dump, look, update_id
from bot.desk import Desk
from bot.services.work import Work
from storage.stores.post import Received

log = structlog.get_logger()

POLL_SECONDS = 25
BATCH = 100
SOONEST_SECONDS = 0.1
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
WANTED = ["message", "edited_message", "callback_query", "my_chat_member"]


class Receiver:
    """Fetches updates and stores them. `last_success` is monotonic time: a silent end of polling must be seen."""

    def __init__(self, bot: DiaryBot, desk: Desk, clock: Clock, poll_seconds: int = POLL_SECONDS) -> None:
        self._bot = bot
        self._desk = desk
        self._clock = clock
        self._poll_seconds = poll_seconds
        # Telegram may restart update ids after an idle week: never resume from max(id) + 1; the inbox knows repeats.
        self._offset = 0
        self.last_success: float | None = None
        self.pulse = Pulse()
        self._answers: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self.poll()
                pause = FIRST_PAUSE
            except RetryAfter as error:
                await asyncio.sleep(_seconds(error))
            except Exception as error:  # Telegram or the disk is away: what is not stored is not confirmed either
                log.warning("receiver.poll_failed", error=type(error).__name__, again_in=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def poll(self) -> int:
        """One round; returns how many updates came."""
        asked = self._clock.monotonic()
        batch = await self._bot.fetch(self._offset, BATCH, self._poll_seconds, WANTED)
        self.last_success = self._clock.monotonic()
        if batch:
            await self.take_in(batch)
            self._offset = max(update_id(raw) for raw in batch) + 1
        elif self.last_success - asked < SOONEST_SECONDS:
            await asyncio.sleep(SOONEST_SECONDS)  # a server that does not hold the request open is not to be flooded
        self.pulse.beat()
        return len(batch)

    async def take_in(self, batch: list[Raw]) -> None:
        """Stores a batch; when this returns it is on the disk. Then the taps are answered, to stop their spinners."""
        await self._desk.act(_store, batch)
        for raw in batch:
            callback = look(raw).callback_id
            if callback is not None:
                task = asyncio.create_task(self._stop_spinner(callback))
                self._answers.add(task)
                task.add_done_callback(self._answers.discard)

    async def _stop_spinner(self, callback: str) -> None:
        try:
            await self._bot.answer_callback_query(callback)
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
