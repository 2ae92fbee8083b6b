"""Every number of the alert rules, by name; a clinic or a patient may have others. Origins: docs/alert-rules.md."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any


class BadLimit(ValueError):
    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"limit {name!r}: {why}")


@dataclass(frozen=True, slots=True)
class Limits:
    """Moods are 0 to 10, PHQ-9 0 to 27. Whole numbers count answered days unless a name or comment says otherwise."""

    # What a patient is compared with
    before_days: int = 7  # the last so many answered days before the first infusion
    before_answers: int = 3
    reference_days: int = 7  # calendar days 1 to 7 after an infusion
    reference_answers: int = 4
    typical_sd: float = 1.3  # day-to-day deviation of mood that the patient's own is shrunk towards
    typical_weight: float = 4.0  # as if so many days had been seen of it

    # R1 loss of response
    minimum_gain: float = 3.0  # below it there was no response to lose
    loss_days: int = 3  # so many of the last `loss_window` below the limit
    loss_window: int = 5
    loss_of_gain: float = 0.5  # the part of the gain that is gone
    loss_margin: float = 2.0  # never closer to the reference than this
    loss_sd: float = 1.0  # nor than so many of the patient's own deviations
    loss_margin_without_before: float = 2.5
    loss_sd_without_before: float = 1.5
    minimum_reference: float = 5.0  # without a "before": a reference below it has nothing to lose
    no_response_gain: float = 1.0
    worse_by: float = 1.5  # first week so far below "before"
    phq9_worse: float = 5.0  # so far above the total before treatment

    # R2 drop below the own reference: one-sided EWMA
    ewma_weight: float = 0.2
    ewma_width: float = 2.5  # L, empirical for autocorrelated moods
    ewma_minimum: float = 1.25  # never closer to the reference than this
    ewma_autocorrelation: float = 0.3  # from one day's mood to the next
    ewma_sd_low: float = 1.0
    ewma_sd_high: float = 2.5
    ewma_days: int = 2  # in a row below the limit

    # R3 sharp drop
    sharp_drop: float = 4.0  # below the median of the last seven
    sharp_drop_sd: float = 2.5  # and so many deviations of the last 14
    sharp_answers: int = 4  # at least, for a median
    very_low: float = 1.0  # a mood at or below it twice in a row
    very_low_drop: float = 2.0  # so far below the median of the last 14: not her usual low
    long_low: float = 2.0  # mean of 14 calendar days

    # R4 PHQ-9
    phq9_rise_note: float = 5.0  # clinically relevant rise
    phq9_reliable_change: float = 6.0
    phq9_moderate: float = 10.0
    phq9_response: float = 0.5  # the part of the first total that must be gone

    # R5 silence, in missed check-ins
    missed_gentle: int = 2
    missed_near: int = 3  # within `near_days` of an infusion or discharge
    missed_else: int = 4
    missed_after_danger: int = 1  # within `danger_days` of ORANGE or RED of R0
    near_days: int = 14  # calendar days
    danger_days: int = 7  # calendar days

    # R6 side effects and more
    severe: int = 3  # of 3
    craving: int = 7  # of 10
    short_nights: int = 2  # of the last 7
    elated_mood: float = 9.0  # at or above it `elated_days` in a row, from a median below `elated_before`
    elated_days: int = 3
    elated_before: float = 6.0

    # R7 fading over infusions
    fading: float = 1.5  # below the median of the first references
    fading_references: int = 3

    # After closing
    clear_days: int = 5  # in a row without the condition
    quiet_days: int = 28  # calendar days

    def with_overrides(self, overrides: Mapping[str, float]) -> "Limits":
        """Raises `BadLimit` for a name that does not exist and a value that the rules cannot work with."""
        kinds = {field.name: field.type for field in fields(self)}
        for name, value in overrides.items():
            if name not in kinds:
                raise BadLimit(name, f"there is no such limit; there are {', '.join(sorted(kinds))}")
            if not 0 <= value < float("inf"):
                raise BadLimit(name, f"{value} is not a number of 0 or more")
            if kinds[name] is int and (value < 1 or value != int(value)):
                raise BadLimit(name, f"{value} is not a whole number of 1 or more")
            if name in ("ewma_weight", "ewma_autocorrelation") and not 0 < value < 1:
                raise BadLimit(name, f"{value} is not between 0 and 1")
        changes: dict[str, Any] = {
            name: int(value) if kinds[name] is int else value for name, value in overrides.items()
        }
        return replace(self, **changes)
