"""When nothing can be stored: a reserve on the disk is freed; failing that, the numbers go to whoever writes.

These are the only messages without a row. Whoever gets one is told that nobody has read what was written.
"""

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import structlog
from telegram.error import TelegramError

from bot.delivery.bot import DiaryBot
from bot.delivery.updates import Raw, language, look
from bot.services.work import Knowledge
from bot.texts import load
from storage.errors import Unavailable

log = structlog.get_logger()

BALLAST = 16 * 1024 * 1024  # bytes; room for some ten thousand answers and alerts
ROOM = 8 * BALLAST  # what must be free before the reserve is laid out again
PAUSE_SECONDS = 600.0  # between two such messages to one chat


class LastResort:
    def __init__(self, bot: DiaryBot, knowledge: Knowledge, database: Path | None) -> None:
        self._bot = bot
        self._knowledge = knowledge
        self._ballast = database.with_name("ballast") if database is not None else None
        self._operators: tuple[tuple[int, str], ...] = ()
        self._told: dict[int, float] = {}

    def remember(self, operators: Sequence[tuple[int, str]]) -> None:
        """Chat and language of each operator: when they are needed, they cannot be looked up any more."""
        self._operators = tuple(operators)

    def lay_out(self) -> bool:
        """Puts the reserve on the disk; True when it was not there. Nothing happens when there is no room for it."""
        if self._ballast is None or self._ballast.exists() or shutil.disk_usage(self._ballast.parent).free < ROOM:
            return False
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, BALLAST)
        return True

    def make_room(self, error: Unavailable) -> bool:
        """Frees the reserve when the disk is full; True when it is worth another try."""
        if self._ballast is None or not error.disk_is_full or not self._ballast.exists():
            return False
        self._ballast.unlink()
        log.error("disk.full", freed=BALLAST)
        return True

    async def answer(self, batch: Sequence[Raw]) -> None:
        """Nothing of this batch could be stored. Telegram keeps it and will bring it again."""
        for number, spoken in self._operators:
            await self._say(number, "last_resort.operator", spoken)
        for raw in batch:
            seen = look(raw)
            if seen.number and not seen.is_group:
                await self._say(seen.number, "last_resort.help", language(raw) or self._knowledge.clinic.language)

    async def _say(self, number: int, key: str, spoken: str) -> None:
        now = time.monotonic()
        if now - self._told.get(number, -PAUSE_SECONDS) < PAUSE_SECONDS:
            return
        self._told[number] = now
        clinic = self._knowledge.clinic
        emergency = self._knowledge.crisis_lines.for_country(clinic.country).emergency
        text = load().say(key, spoken, phone=clinic.phone or emergency, emergency=emergency)
        try:
            await self._bot.say(number, text, (), silent=False, protect=False)
        except TelegramError as error:
            log.error("last_resort.not_sent", error=type(error).__name__)
