"""R6: side effects and more, judged at the answer itself."""

from datetime import date

from bot.clinical.diary import Diary
from bot.clinical.rules.limits import Limits
from bot.clinical.terms import Finding, Level, Rule

EMERGENCIES = ("chest_pain", "breathing", "fainting")
STILL_THERE = ("confusion", "dissociation")  # the day after an infusion
CALL_TODAY = ("urinary", "psychotic")
INSTRUMENTS = ("side_effects", "next_day", "monthly")
YES_NO = ("drove", "use_outside")


def is_grave(instrument: str, item: str, value: int | None) -> bool:
    """Whether this answer is RED or ORANGE, whatever the limits."""
    grave = (*EMERGENCIES, *CALL_TODAY, *(STILL_THERE if instrument == "next_day" else ()))
    return bool(value) and instrument in INSTRUMENTS and item in grave


def judge_side_effect(
    instrument: str, item: str, value: int | None, day: date, limits: Limits | None = None
) -> Finding | None:
    limits = limits or Limits()
    if not value or instrument not in INSTRUMENTS:
        return None
    values: dict[str, float | int | str] = {"item": item, "value": value}
    if item in EMERGENCIES:
        return Finding(Rule.SIDE_EFFECTS, Level.RED, "r6.emergency", day, values)
    if item in CALL_TODAY:
        return Finding(Rule.SIDE_EFFECTS, Level.ORANGE, "r6.call", day, values)
    if instrument == "next_day" and item in STILL_THERE:
        return Finding(Rule.SIDE_EFFECTS, Level.ORANGE, "r6.still_there", day, values)
    reason = _look_soon(item, value, limits)
    return Finding(Rule.SIDE_EFFECTS, Level.YELLOW, reason, day, values) if reason else None


def _look_soon(item: str, value: int, limits: Limits) -> str | None:
    match item:
        case "use_outside":
            return "r6.use_outside"
        case "craving":
            return "r6.craving" if value >= limits.craving else None
        case "short_nights":
            return "r6.short_nights" if value >= limits.short_nights else None
    return "r6.severe" if value >= limits.severe and item not in YES_NO else None


def side_effects_of(diary: Diary, day: date, limits: Limits) -> list[Finding]:
    """All of them on one diary day, for looking back."""
    found = [
        judge_side_effect(response.instrument, response.item, response.value, day, limits)
        for check_in in diary.check_ins
        if check_in.day == day
        for response in check_in.responses
    ]
    return [finding for finding in found if finding is not None]
