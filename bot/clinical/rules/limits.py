"""Every number of the alert rules, by name, with its origin. A clinic or a patient may have others."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace


class BadLimit(ValueError):
    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"limit {name!r}: {why}")


@dataclass(frozen=True, slots=True)
class Limits:
    """Moods are 0 to 10, PHQ-9 0 to 27; days are answered days unless a name says otherwise."""

    minimum_gain: float = 3.0  # R1: below this gain there was no response to lose
    loss_days: float = 3  # R1: so many of the last `loss_window` below the limit
    loss_window: float = 5
    loss_margin: float = 2.0  # R1: never closer to the reference than this
    loss_margin_without_before: float = 2.5  # R1: for those enrolled in maintenance
    ewma_weight: float = 0.2  # R2: lambda of the moving average
    ewma_width: float = 2.5  # R2: L, empirical for autocorrelated moods
    ewma_minimum: float = 1.25  # R2: never closer to the mean than this
    sharp_drop: float = 4.0  # R3: below the median of the previous seven
    sharp_drop_sd: float = 2.5  # R3: and this many standard deviations of the last 14
    very_low: float = 1.0  # R3: a mood at or below this twice in a row
    phq9_rise_note: float = 5.0  # R4: clinically relevant rise
    phq9_reliable_change: float = 6.0  # R4: reliable change
    phq9_moderate: float = 10.0  # R4: lower end of "moderate"
    fading: float = 1.5  # R7: below the median of the first three references

    def with_overrides(self, overrides: Mapping[str, float]) -> "Limits":
        """Raises `BadLimit` for a name that does not exist or a value that is negative."""
        known = {field.name for field in fields(self)}
        for name, value in overrides.items():
            if name not in known:
                raise BadLimit(name, f"there is no such limit; there are {', '.join(sorted(known))}")
            if not value >= 0:
                raise BadLimit(name, f"{value} is not a number of 0 or more")
        return replace(self, **dict(overrides))
