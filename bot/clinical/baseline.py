"""The reviewed baseline: what a clinician has signed as usual for a patient with chronic thoughts of suicide.

About half of these patients report an urge of 1 to 3 on most days. Judged like anybody's, they alarm so often that
patients learn to tap 0 and nurses to tap «Take it». So the usual becomes a NOTE, and *more than usual* stands out.

The path of it, for who calls this:

1. `propose` says what could be signed today, or why nothing can (the card shows either).
2. A clinician signs after discussing the safety plan and means; the `Baseline` is stored as signed.
3. `judge_answer` and `judge_unanswered` take the place of those in `safety`, wherever an answer is judged (triage too);
   a NOTE with reason `USUAL` is answered with the short help line and the four `Compared` buttons, `judge_compared`.
4. `judge_change` is asked when a check-in is over, `judge_overdue` once a day.
5. `ended_by` is asked of every R0 finding and `ENDING_EVENTS` of every dated event: a yes ends the baseline for good
   (set `ended_on`); a new one must be signed, with days answered since then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import ceil
from statistics import fmean

from bot.clinical import safety
from bot.clinical.diary import Diary
from bot.clinical.safety import History
from bot.clinical.terms import Finding, Level, Rule

ANSWERED_DAYS = 10  # at least, before anything can be signed
LOOK_BACK = timedelta(days=28)
PERCENTILE = 0.9
HIGHEST_CEILING = 4  # an urge of 5 is the medium tier, and that is never damped
HIGHEST_ITEM9 = 2  # "nearly every day" is never damped
VALID = timedelta(days=28)
OVERDUE = timedelta(days=7)
RISE, MEAN_RISE, MEAN_DAYS = 2, 1.5, 5
USUAL = "r0.usual"
ENDING_EVENTS = frozenset({"attempt", "admission", "discharge"})


@dataclass(frozen=True, slots=True)
class Baseline:
    """As signed. `ceiling` is an urge of 1 to 4, `mean` the mean urge it came from, `item9` a PHQ-9 item of 0 to 3."""

    signed_on: date
    ceiling: int
    mean: float
    item9: int
    ended_on: date | None = None

    def holds(self, day: date) -> bool:
        return self.ended_on is None and self.signed_on <= day <= self.signed_on + VALID


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a clinician could sign today, with the days that it rests on."""

    ceiling: int
    mean: float
    item9: int
    answered: int

    def signed(self, day: date) -> Baseline:
        return Baseline(day, self.ceiling, self.mean, self.item9)


class Ineligible(StrEnum):
    """Why nothing can be signed; texts are below "baseline."."""

    TOO_FEW_DAYS = "too_few_days"
    INTENT = "intent"
    NO_URGE = "no_urge"


class Compared(StrEnum):
    """The patient's own comparison below a usual answer."""

    SAME = "same"
    WORSE = "worse"
    DIFFERENT = "different"
    NOT_SAFE = "not_safe"


def propose(diary: Diary, today: date, ended_on: date | None = None) -> Proposal | Ineligible:
    """From the last 28 days, after `ended_on` when an earlier baseline ended. Answers by others do not count."""
    first = max(today - LOOK_BACK, ended_on or date.min)

    def recent(instrument: str, item: str) -> list[int]:
        return [value for day, value in diary.values(instrument, item) if first < day <= today]

    urges = sorted(recent("daily", "urge"))
    if len(urges) < ANSWERED_DAYS:
        return Ineligible.TOO_FEW_DAYS
    if _any_intent(diary, today):
        return Ineligible.INTENT
    ceiling = min(urges[ceil(PERCENTILE * len(urges)) - 1], HIGHEST_CEILING)
    if not ceiling:
        return Ineligible.NO_URGE
    return Proposal(ceiling, fmean(urges), (recent("phq9", "item9") or [0])[-1], len(urges))


def _any_intent(diary: Diary, today: date) -> bool:
    """Every answer counts here, also a corrected one and somebody else's."""
    return any(
        response.item == "intent" and response.value
        for check_in in diary.check_ins
        if today - safety.INTENT_IS_NEWS <= check_in.day <= today
        for response in check_in.responses
    )


def judge_answer(
    instrument: str, item: str, value: int | None, known: Mapping[str, int | None], history: History, day: date,
    baseline: Baseline | None,
) -> Finding | None:  # fmt: skip
    """`safety.judge_answer` for a patient who may have a baseline: damps the usual, and nothing else.

    An urge up to the ceiling is a NOTE while its intent is not known yet; a skipped intent takes that back (YELLOW).
    """
    finding = safety.judge_answer(instrument, item, value, known, history, day)
    if baseline is None or not baseline.holds(day):
        return finding
    urge = known.get("daily.urge") or 0
    if (instrument, item, value) == ("daily", "intent", None) and urge <= baseline.ceiling:
        return safety.judge_answer("daily", "urge", urge, known, history, day)
    return _damped(finding, baseline, known) if finding is not None else None


def _damped(finding: Finding, baseline: Baseline, known: Mapping[str, int | None]) -> Finding:
    values = finding.values
    match finding.reason:
        case "r0.urge" if int(values["urge"]) <= baseline.ceiling and known.get("daily.intent", 0) == 0:
            return Finding(finding.rule, Level.NOTE, USUAL, finding.day, {**values, "ceiling": baseline.ceiling})
        case "r0.item9" if int(values["value"]) <= min(baseline.item9, HIGHEST_ITEM9):
            lower = Level.NOTE if finding.level == Level.YELLOW else Level.YELLOW
            return Finding(finding.rule, lower, "r0.item9_usual", finding.day, {**values, "usual": baseline.item9})
    return finding


def judge_unanswered(urge: int, waited: timedelta, day: date, baseline: Baseline | None) -> Finding | None:
    """`safety.judge_unanswered`; and a usual urge whose intent stays open for 30 minutes is not damped any more."""
    finding = safety.judge_unanswered(urge, waited, day)
    if finding is None and baseline is not None and baseline.holds(day) and 0 < urge <= baseline.ceiling:
        return _yellow("r0.unanswered", day, urge=urge) if waited >= safety.UNANSWERED_ORANGE else None
    return finding


def judge_compared(answer: Compared, day: date) -> Finding | None:
    """«Same as usual» is no finding; «worse» and «different» are YELLOW and followed up; «not safe» is RED."""
    match answer:
        case Compared.WORSE | Compared.DIFFERENT:
            return _yellow(f"r0.{answer}_than_usual", day)
        case Compared.NOT_SAFE:
            return Finding(Rule.SUICIDAL_THOUGHTS, Level.RED, "r0.not_safe", day)
    return None


def judge_change(baseline: Baseline, diary: Diary, today: date) -> Finding | None:
    """More than usual: an urge two above the ceiling today, or five answered days 1.5 above the signed mean."""
    if not baseline.holds(today):
        return None
    urges = [(day, urge) for day, urge in diary.values("daily", "urge") if day <= today][-MEAN_DAYS:]
    if not urges:
        return None
    mean = fmean(urge for _, urge in urges)
    rise = len(urges) == MEAN_DAYS and mean >= baseline.mean + MEAN_RISE
    if not rise and urges[-1][1] < baseline.ceiling + RISE:
        return None
    return _yellow(
        "r0.above_usual", urges[-1][0], urge=urges[-1][1], ceiling=baseline.ceiling, recent=round(mean, 1),
        usual=round(baseline.mean, 1),
    )  # fmt: skip


def judge_overdue(baseline: Baseline, today: date) -> Finding | None:
    """It ran out a week ago and nobody has looked again: the patient alarms at every answer, and should not have to."""
    if baseline.ended_on is not None or today <= baseline.signed_on + VALID + OVERDUE:
        return None
    return _yellow("r0.baseline_overdue", today, days=(today - baseline.signed_on).days)


def ended_by(finding: Finding) -> bool:
    """RED, and ORANGE for intent, end a baseline; so do `ENDING_EVENTS`."""
    if finding.rule != Rule.SUICIDAL_THOUGHTS:
        return False
    return finding.level == Level.RED or (finding.reason == "r0.intent" and finding.level.at_least(Level.ORANGE))


def _yellow(reason: str, day: date, **values: float | int | str) -> Finding:
    return Finding(Rule.SUICIDAL_THOUGHTS, Level.YELLOW, reason, day, dict(values))
