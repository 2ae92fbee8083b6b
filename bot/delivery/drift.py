"""Two clocks beside each other: the wall clock, which somebody may set, and elapsed time, which nobody can."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MOST_DRIFT = timedelta(seconds=5)  # between two looks, half a second apart; more is a jump
BELIEVED_AFTER = 15 * 60.0  # seconds after which a new time that stays is believed


@dataclass(frozen=True, slots=True)
class Reading:
    """`steady`: the wall clock can be trusted. `latest` is the later of both clocks: by it no escalation is late."""

    steady: bool
    latest: datetime


class TwoClocks:
    """While the wall clock has jumped, routine work that ends something waits; escalations follow `latest`."""

    def __init__(self) -> None:
        self._anchor: tuple[datetime, float] | None = None
        self._jumped_at: float | None = None

    def read(self, wall: datetime, monotonic: float) -> Reading:
        if self._anchor is None:
            self._anchor = wall, monotonic
        since, then = self._anchor
        elapsed = since + timedelta(seconds=monotonic - then)
        if abs(wall - elapsed) > MOST_DRIFT:
            if self._jumped_at is None:
                self._jumped_at = monotonic
            if monotonic - self._jumped_at < BELIEVED_AFTER:
                return Reading(steady=False, latest=max(wall, elapsed))
        # Small steps of an honest clock add up over weeks, so each steady look begins anew.
        self._anchor, self._jumped_at = (wall, monotonic), None
        return Reading(steady=True, latest=wall)
