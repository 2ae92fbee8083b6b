"""The house watches itself. Only when all its promises hold does the sign of life go out; silence is the alarm."""

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.delivery.lease import Lease
from bot.delivery.pulse import Pulse
from bot.desk import Desk
from bot.services import auditing
from bot.services.auditing import Lateness

log = structlog.get_logger()

FIRST_LOOK_SECONDS, LOOK_SECONDS = 5.0, 60.0
HEARTBEAT_SECONDS = 10.0  # for the operator's address to answer
ROOM = 200 * 1024 * 1024  # bytes that must be free on the disk of the data
RECEIVER = "receiver"


@dataclass(frozen=True, slots=True)
class Watch:
    """Where the sign of life goes: a file that is touched, and the operator's dead man's switch."""

    file: Path
    heartbeat_url: str | None = None


class Auditor:
    """`everywhere` beats in each process, `leading` only where the lease is held."""

    def __init__(
        self, desk: Desk, lease: Lease, watch: Watch, *, everywhere: Mapping[str, Pulse], leading: Mapping[str, Pulse]
    ) -> None:
        self._desk = desk
        self._lease = lease
        self._watch = watch
        self._everywhere, self._leading = everywhere, leading
        self._seen: dict[str, int] = {}
        self._late = Lateness()
        self.wrong: tuple[str, ...] | None = None  # None: nobody has looked yet

    async def run(self) -> None:
        await asyncio.sleep(FIRST_LOOK_SECONDS)
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> tuple[str, ...]:
        """One look at everything; returns what is wrong. Never raises."""
        still = self._standing_still()
        try:
            self.wrong = await self._judge(still)
        except Exception as error:  # nothing can be written: no incident either, so the missing sign of life must do
            log.error("auditor.cannot_write", error=type(error).__name__)
            self.wrong = ("database",)
        if self.wrong:
            log.error("auditor.wrong", what=self.wrong)
        else:
            await self._give_a_sign()
        return self.wrong

    async def _judge(self, still: set[str]) -> tuple[str, ...]:
        now = await self._desk.ask(auditing.lateness)
        late, self._late = self._late.still(now), now
        self._watch.file.parent.mkdir(parents=True, exist_ok=True)
        has_room = shutil.disk_usage(self._watch.file.parent).free >= ROOM
        polls = RECEIVER not in still
        return await self._desk.act(auditing.judge, late, still - {RECEIVER}, polls=polls, has_room=has_room)

    def _standing_still(self) -> set[str]:
        """The parts that have not got around since the last look."""
        watched = {**self._everywhere, **(self._leading if self._lease.held else {})}
        still = {name for name, pulse in watched.items() if self._seen.get(name) == pulse.beats}
        self._seen = {name: pulse.beats for name, pulse in watched.items()}
        return still

    async def _give_a_sign(self) -> None:
        await asyncio.to_thread(self._watch.file.touch)
        if self._watch.heartbeat_url is None:
            return
        try:
            timeout = aiohttp.ClientTimeout(total=HEARTBEAT_SECONDS)
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(self._watch.heartbeat_url):
                pass
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("auditor.heartbeat_not_taken", error=type(error).__name__)


def health_route(auditor: Auditor) -> Route:
    """200 while everything holds, 503 with what does not; no health data either way."""

    async def tell(_request: Request) -> JSONResponse:
        wrong = auditor.wrong
        if wrong is None:
            return JSONResponse({"ok": False, "wrong": ["nobody has looked yet"]}, status_code=503)
        return JSONResponse({"ok": not wrong, "wrong": list(wrong)}, status_code=503 if wrong else 200)

    return Route("/healthz", tell)
