"""The second road's sender: lines without content over apprise, in threads, sent and then marked."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

import apprise
import structlog

from bot.delivery.pulse import Pulse
from bot.delivery.waking import woken
from bot.desk import Desk
from bot.services import dispatching
from bot.services.dispatching import Parcel
from bot.texts import load

log = structlog.get_logger()

IDLE_SECONDS = 1.0  # asked so often, not after every commit: an answer must not pay for what is rare
LONGEST_TRY = 30.0  # shorter than `dispatching.UNDER_WAY`: a try is over before it is made again
THREADS = 8  # a channel that hangs holds one of them until its own library gives up

# The library writes addresses, and so passwords, into its log.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)


class Channels:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="second-road")
        self._wake = asyncio.Event()
        self._flying: set[asyncio.Task[None]] = set()
        self.pulse = Pulse()

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.send_due()
                self.pulse.beat()
            except Exception as error:  # the database is away: what is due stays due
                log.error("channels.stopped_short", error=type(error).__name__)
            await woken(self._wake, IDLE_SECONDS)

    async def send_due(self) -> int:
        """Starts what may go now; returns how many lines."""
        if not await self._desk.ask(dispatching.any_due):
            return 0
        parcels = await self._desk.ask(dispatching.take)
        for parcel in parcels:
            task = asyncio.create_task(self._send(parcel))
            self._flying.add(task)
            task.add_done_callback(self._flying.discard)
        return len(parcels)

    async def drained(self) -> bool:
        """True when nothing is due and nothing is under way."""
        # In this order: what was taken while we asked is under way by the time we hear of it.
        return not await self._desk.ask(dispatching.any_due) and not self._flying

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _send(self, parcel: Parcel) -> None:
        taken = await self.say(parcel.urls, words_of(parcel))
        # A crash before this line sends the same words again; it never loses them.
        await self._desk.act(dispatching.arrived if taken else dispatching.failed, parcel.position)
        if not taken:
            log.warning("channels.not_taken", dispatch=parcel.position)

    async def say(self, urls: tuple[str, ...], words: str) -> bool:
        """True when at least one of the addresses has taken it."""
        tries = [asyncio.get_running_loop().run_in_executor(self._threads, _notify, url, words) for url in urls]
        try:
            async with asyncio.timeout(LONGEST_TRY):
                return any(await asyncio.gather(*tries))
        except TimeoutError:
            return False


def words_of(parcel: Parcel) -> str:
    """In the reader's language; never whom it is about."""
    texts = load()
    if parcel.incident is None:
        return texts.say(f"road.{parcel.kind}", parcel.language)
    what = texts.say(f"incident.{parcel.incident.kind}", parcel.language, detail=parcel.incident.detail, who="–")
    return texts.say("road.incident", parcel.language, what=what)


def _notify(url: str, words: str) -> bool:
    """One blocking try. Whatever a channel's code does, it is a failed try and never an error of ours."""
    road = apprise.Apprise()
    try:
        return bool(road.add(url) and road.notify(body=words, title="Afterglow"))
    except Exception as error:
        log.warning("channels.failed", error=type(error).__name__)
        return False
