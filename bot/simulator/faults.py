"""Faults on demand: what a Telegram server does on its bad days."""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Collection
from dataclasses import dataclass
from random import Random

PER_SECOND, PER_GROUP_MINUTE = 30, 20
KINDS = ("429", "500", "lose_before", "lose_after", "away", "slow")
POLLING = "getupdates"


@dataclass(slots=True)
class Fault:
    """`times` calls are hit, or all for `seconds` (real time); with neither, all until the faults are cleared."""

    kind: str
    times: int = 0
    until: float = 0.0
    delay: float = 0.0
    retry_after: int = 1
    probability: float = 1.0
    methods: Collection[str] = ()
    chats: Collection[int] = ()

    def concerns(self, method: str, chat: int) -> bool:
        """Polling suffers from an outage, and otherwise only from a fault that names it."""
        if self.methods:
            return method in self.methods and (not self.chats or chat in self.chats)
        return (method != POLLING or self.kind == "away") and (not self.chats or chat in self.chats)


class Faults:
    def __init__(self, *, limits: bool, seed: int = 1) -> None:
        self.limits = limits  # Telegram's own limits on how much a bot may send
        self.latency = 0.0  # seconds that every reply takes, also those to polling
        self._random = Random(seed)  # nosec B311 - chance that can be repeated
        self._active: list[Fault] = []
        self._sent: deque[float] = deque()
        self._sent_to: dict[int, deque[float]] = defaultdict(deque)

    def add(
        self, kind: str, *, times: int = 0, seconds: float = 0.0, delay: float = 0.0, retry_after: int = 1,
        probability: float = 1.0, methods: Collection[str] = (), chats: Collection[int] = (),
    ) -> None:  # fmt: skip
        if kind not in KINDS:
            raise ValueError(f"no such fault: {kind}; there are {', '.join(KINDS)}")
        until = time.monotonic() + seconds if seconds else 0.0
        names = frozenset(method.lower() for method in methods)
        self._active.append(Fault(kind, times, until, delay, retry_after, probability, names, frozenset(chats)))

    def clear(self) -> None:
        self._active.clear()

    def seed(self, number: int) -> None:
        self._random.seed(number)

    async def next(self, method: str, chat: int) -> Fault | None:
        """The fault that hits this call."""
        for fault in list(self._active):
            if fault.until and time.monotonic() >= fault.until:
                self._active.remove(fault)
                continue
            if not fault.concerns(method, chat):
                continue
            if fault.probability < 1 and self._random.random() >= fault.probability:
                continue
            if fault.times:
                fault.times -= 1
                if not fault.times:
                    self._active.remove(fault)
            if fault.kind != "slow":
                return fault
            await asyncio.sleep(fault.delay)
        return None

    def too_many(self, chat: int) -> int:
        """Seconds to wait before this chat may be written to; 0 when it may now."""
        now = time.monotonic()
        if not self.limits:
            return 0
        own = self._sent_to[chat]
        _forget(self._sent, now - 1)
        _forget(own, now - 60)
        if len(self._sent) >= PER_SECOND:
            return 1
        if chat < 0 and len(own) >= PER_GROUP_MINUTE:
            return max(1, int(61 - (now - own[0])))
        self._sent.append(now)
        own.append(now)
        return 0


def _forget(moments: deque[float], before: float) -> None:
    while moments and moments[0] <= before:
        moments.popleft()
