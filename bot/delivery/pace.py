"""How fast Telegram lets a bot write, and what is kept free for alerts while a burst drains."""

from collections import defaultdict, deque
from dataclasses import dataclass
from uuid import UUID

from bot.services.letters import Urgency

SEVERAL = 2  # chats that are told to wait within `LATELY`: then it is the bot as a whole that is too fast
LATELY = 5.0
LARGEST_DEBT = 0.1  # seconds that a late start may catch up with
ALERTS_LATELY = 2.0


@dataclass(frozen=True, slots=True)
class Pace:
    """What the Bot API lets through (core.telegram.org/bots/faq): about 30 messages a second, 1 per chat, 20 a minute
    per group. `ordinary` is what letters that are no alert may use of `per_second`; the rest is kept for alerts, and
    `beside_alerts` of it more while alerts go out: one seldom comes alone."""

    per_second: float = 30
    ordinary: float = 28.8
    beside_alerts: float = 5
    chat: float = 1.0  # seconds between two
    card: float = 0.05  # an edit or an alert: short bursts are let through
    group: float = 3.0
    group_minute: int = 19  # alerts to a group wait only for this


TELEGRAMS_PACE = Pace()
UNLIMITED = Pace(float("inf"), float("inf"), 0, 0, 0, 0, 1_000_000)


class Pacer:
    """Keeps count of what was sent; all moments are monotonic seconds."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._recent: deque[float] = deque()  # the last second
        self._next_ordinary = 0.0
        self._last_alert = 0.0
        self._busy: dict[UUID, float] = {}  # chats that must wait, until when
        self._groups: dict[UUID, deque[float]] = defaultdict(deque)
        self._ordinary_waits_until = 0.0
        self._told_to_wait: deque[tuple[float, UUID]] = deque()

    def room(self, now: float) -> float:
        """How many letters may go now."""
        _forget(self._recent, now - 1)
        return self._pace.per_second - len(self._recent)

    def ordinary_room(self, now: float) -> float:
        """How many of them may be no alert. Evenly spread, so that an alert always finds a place within moments."""
        if now < self._ordinary_waits_until or self._pace.ordinary == float("inf"):
            return 0 if now < self._ordinary_waits_until else self.room(now)
        kept = self._pace.beside_alerts if now - self._last_alert < ALERTS_LATELY else 0
        if now < self._next_ordinary or len(self._recent) >= self._pace.ordinary - kept:
            return 0
        return 1 + (now - max(self._next_ordinary, now - LARGEST_DEBT)) * self._pace.ordinary

    def waiting(self, now: float) -> list[UUID]:
        """Chats that nothing may be written to now."""
        self._busy = {chat: until for chat, until in self._busy.items() if until > now}
        return list(self._busy)

    def started(self, chat: UUID, urgency: int, now: float, *, is_group: bool) -> None:
        self._recent.append(now)
        if urgency <= Urgency.ALERT:
            self._last_alert = now
        elif self._pace.ordinary != float("inf"):
            self._next_ordinary = max(self._next_ordinary, now - LARGEST_DEBT) + 1 / self._pace.ordinary
        self._busy[chat] = now + (self._group_pause(chat, urgency, now) if is_group else self._pause(urgency))

    def refused(self, chat: UUID, seconds: float, now: float) -> None:
        """Telegram asks to wait. One chat waits alone; when several are told at once, so does whatever is no alert."""
        self._busy[chat] = now + seconds
        self._told_to_wait.append((now, chat))
        while self._told_to_wait[0][0] < now - LATELY:
            self._told_to_wait.popleft()
        if len({told for _, told in self._told_to_wait}) >= SEVERAL:
            self._ordinary_waits_until = max(self._ordinary_waits_until, now + seconds)

    def next_change(self, now: float, most: float) -> float:
        """Seconds until something that must wait now may go; at most `most`."""
        moments = [*self._busy.values(), self._next_ordinary, self._ordinary_waits_until]
        if self._recent and self.room(now) < 1:
            moments.append(self._recent[0] + 1)
        return min([most, *(moment - now for moment in moments if moment > now)])

    def _pause(self, urgency: int) -> float:
        if urgency == Urgency.CRISIS:
            return 0.0  # crisis may burst over the per-chat pace
        return self._pace.chat if urgency >= Urgency.PROMPT else self._pace.card

    def _group_pause(self, chat: UUID, urgency: int, now: float) -> float:
        sent = self._groups[chat]
        _forget(sent, now - 60)
        sent.append(now)
        if len(sent) >= self._pace.group_minute:
            return sent[0] + 60 - now
        return self._pace.card if urgency <= Urgency.ALERT else self._pace.group


def _forget(moments: deque[float], before: float) -> None:
    while moments and moments[0] <= before:
        moments.popleft()
