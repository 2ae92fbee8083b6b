"""Faults on demand: what a Telegram server does on its bad days."""

import asyncio
import time
from collections import defaultdict, deque
from dataclasses import dataclass

PER_SECOND, PER_GROUP_MINUTE = 30, 20
KINDS = ("429", "500", "lose_before", "lose_after", "away", "slow")


@dataclass
class Fault:
    """`times` calls are hit, or all of them for `seconds` (real time)."""

    kind: str
    times: int = 0
    until: float = 0.0
    delay: float = 0.0

    def hits(self) -> bool:
        if self.until:
            return time.monotonic() < self.until
        self.times -= 1
        return self.times >= 0


class Faults:
    def __init__(self, *, limits: bool) -> None:
        self.limits = limits  # Telegram's own limits on how much a bot may send
        self._active: list[Fault] = []
        self._sent: deque[float] = deque()
        self._sent_to: dict[int, deque[float]] = defaultdict(deque)

    def add(self, kind: str, *, times: int = 0, seconds: float = 0.0, delay: float = 0.0) -> None:
        if kind not in KINDS:
            raise ValueError(f"no such fault: {kind}; there are {', '.join(KINDS)}")
        self._active.append(Fault(kind, times, time.monotonic() + seconds if seconds else 0.0, delay))

    def clear(self) -> None:
        self._active.clear()

    async def next(self, *, polling: bool) -> str | None:
        """The fault that hits this call. Polling only suffers from an outage."""
        for fault in list(self._active):
            if polling and fault.kind != "away":
                continue
            if not fault.hits():
                self._active.remove(fault)
            elif fault.kind == "slow":
                await asyncio.sleep(fault.delay)
            else:
                return fault.kind
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
