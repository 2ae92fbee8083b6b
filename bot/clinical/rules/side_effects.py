"""R6: side effects and more, judged at the answer itself."""

from datetime import date

from bot.clinical.diary import Diary
from bot.clinical.terms import Finding, Level, Rule

EMERGENCIES = ("chest_pain", "breathing", "fainting")
STILL_THERE = ("confusion", "dissociation")  # the day after an infusion
CALL_TODAY = ("urinary", "psychotic")
SEVERE = 3
STRONG_CRAVING = 7


def judge_side_effect(instrument: str, item: str, value: int | None, diary: Diary, day: date) -> Finding | None:
    if not value or instrument not in ("side_effects", "next_day", "monthly"):
        return None
    values: dict[str, float | int | str] = {"item": item, "value": value}
    if item in EMERGENCIES:
        return Finding(Rule.SIDE_EFFECTS, Level.RED, "r6.emergency", day, values)
    if (instrument == "next_day" and item in STILL_THERE) or item in CALL_TODAY:
        return Finding(Rule.SIDE_EFFECTS, Level.ORANGE, "r6.call", day, values)
    severe = instrument in ("side_effects", "next_day") and value >= SEVERE
    if severe or item == "use_outside" or (item == "craving" and value >= STRONG_CRAVING):
        return Finding(Rule.SIDE_EFFECTS, Level.YELLOW, "r6.severe", day, values)
    return None
