"""A clock that can be turned forward, never back."""

import time
from datetime import UTC, datetime, timedelta


class SimulatorClock:
    """Runs at the pace of real time, ahead of it by what it was turned."""

    def __init__(self, ahead: timedelta = timedelta(0)) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead.total_seconds()

    def turn_to(self, moment: datetime) -> None:
        """Moves `now` to the moment; a moment that has passed changes nothing."""
        self.ahead = max(self.ahead, moment - datetime.now(UTC))
