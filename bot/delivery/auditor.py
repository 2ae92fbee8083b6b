"""The house watches itself. Only when all its promises hold does the sign of life go out; silence is the alarm."""

import asyncio
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.delivery.channels import Channels
from bot.delivery.lease import Lease
from bot.delivery.pulse import Pulse
from bot.desk import Desk
from bot.services import auditing
from bot.services.auditing import Lateness
from bot.services.incidents import IncidentKind
from bot.texts import load

log = structlog.get_logger()

FIRST_LOOK_SECONDS, LOOK_SECONDS = 5.0, 60.0
LONGEST_LOOK = 30.0
STALE_SECONDS = 3 * LOOK_SECONDS  # an older verdict is none: the auditor itself stands still
HEARTBEAT_SECONDS = 10.0  # for the operator's address to answer
CALL_AGAIN_SECONDS = 15 * 60.0  # to the operator, while no incident can be written
BAD_ANSWER = 400
ROOM = 200 * 1024 * 1024  # bytes that must be free on the disk of the data
RECEIVER = "receiver"


@dataclass(frozen=True, slots=True)
class Watch:
    """Where the sign of life goes: a file that is touched, and the operator's dead man's switch."""

    file: Path
    heartbeat_url: str | None = None


class Auditor:
    """`everywhere` beats in each process, `leading` only where the lease is held.

    Incidents are the leader's to open and close. A process that does not lead tells of itself by its sign of life.
    """

    def __init__(
        self, desk: Desk, lease: Lease, channels: Channels, watch: Watch, *,
        everywhere: Mapping[str, Pulse], leading: Mapping[str, Pulse],
    ) -> None:  # fmt: skip
        self._desk = desk
        self._lease = lease
        self._channels = channels
        self._watch = watch
        self._everywhere, self._leading = everywhere, leading
        self._seen: dict[str, int] = {}
        self._late = Lateness()
        self._wrong: tuple[str, ...] = ()
        self._looked_at: float | None = None
        self._called_at: float | None = None

    @property
    def wrong(self) -> tuple[str, ...]:
        """What was wrong at the last look, or that there was none for too long."""
        if self._looked_at is None or time.monotonic() - self._looked_at > STALE_SECONDS:
            return ("nobody has looked",)
        return self._wrong

    async def run(self) -> None:
        await asyncio.sleep(FIRST_LOOK_SECONDS)
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> tuple[str, ...]:
        """One look at everything; returns what is wrong. Never raises."""
        still = self._standing_still()
        try:
            async with asyncio.timeout(LONGEST_LOOK):
                self._wrong = await self._judge(still)
        except Exception as error:  # no incident can be written either: the operator is called without one
            log.error("auditor.cannot_write", error=type(error).__name__)
            self._wrong = (IncidentKind.DATABASE.value,)
            await self._call_operator()
        self._looked_at = time.monotonic()
        if self._wrong:
            log.error("auditor.wrong", what=self._wrong)
        else:
            await self._give_a_sign()
        return self._wrong

    async def _judge(self, still: set[str]) -> tuple[str, ...]:
        self._watch.file.parent.mkdir(parents=True, exist_ok=True)
        has_room = shutil.disk_usage(self._watch.file.parent).free >= ROOM
        if not self._lease.held:
            return tuple(sorted(still)) + (() if has_room else (IncidentKind.DISK.value,))
        now = await self._desk.ask(auditing.lateness)
        late, self._late = now.since(self._late), now
        polls = RECEIVER not in still
        return await self._desk.act(auditing.judge, late, still - {RECEIVER}, polls=polls, has_room=has_room)

    async def _call_operator(self) -> None:
        roads = self._desk.knowledge.roads.operator
        now = time.monotonic()
        if not roads or (self._called_at is not None and now - self._called_at < CALL_AGAIN_SECONDS):
            return
        texts, language = load(), self._desk.knowledge.clinic.language
        what = texts.say(f"incident.{IncidentKind.DATABASE}", language, detail="", who="–")
        if await self._channels.say(roads, texts.say("road.incident", language, what=what)):
            self._called_at = now

    def _standing_still(self) -> set[str]:
        """The parts that have not got around since the last look."""
        watched = {**self._everywhere, **(self._leading if self._lease.held else {})}
        still = {name for name, pulse in watched.items() if self._seen.get(name) == pulse.beats}
        self._seen = {name: pulse.beats for name, pulse in watched.items()}
        return still

    async def _give_a_sign(self) -> None:
        try:
            await asyncio.to_thread(self._watch.file.touch)
        except OSError as error:
            log.error("auditor.no_sign", error=type(error).__name__)
            self._wrong = ("health file",)
            return
        if self._watch.heartbeat_url is None:
            return
        try:
            timeout = aiohttp.ClientTimeout(total=HEARTBEAT_SECONDS)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(self._watch.heartbeat_url) as answer,
            ):
                if answer.status >= BAD_ANSWER:
                    log.warning("auditor.heartbeat_not_taken", status=answer.status)
        except (aiohttp.ClientError, ValueError, TimeoutError) as error:
            log.warning("auditor.heartbeat_not_taken", error=type(error).__name__)


def health_route(auditor: Auditor) -> Route:
    """200 while everything holds, 503 with what does not; no health data either way."""

    async def tell(_request: Request) -> JSONResponse:
        wrong = auditor.wrong
        return JSONResponse({"ok": not wrong, "wrong": list(wrong)}, status_code=503 if wrong else 200)

    return Route("/healthz", tell)
