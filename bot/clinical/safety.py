"""R0, suicidal thoughts: tiers of urge and intent, levels of every answer, and the follow-up questions.

Tiers adapted from NCT05793541; docs/clinical.md, "R0". Never says "no risk": absence of a finding is not safety.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from bot.clinical.screening import Match
from bot.clinical.terms import Finding, Level, Rule

HIGH, MEDIUM = 8, 5
INTENT_IS_NEWS = timedelta(days=14)
SKIP_IS_NEWS = timedelta(days=14)  # after a finding of R0
ASQ_PAUSE = timedelta(days=7)
ASQ_RISE = 2
# An attempt is asked "ever" the first time, and "since we last asked" afterwards.
ASQ_FIRST, ASQ_AGAIN = "asq:asq1,asq2,asq3,asq4ever,asq5", "asq:asq1,asq2,asq3,asq4,asq5"
UNANSWERED_RED, UNANSWERED_ORANGE = timedelta(minutes=5), timedelta(minutes=30)


JUDGED = (("daily", "urge"), ("daily", "intent"), ("phq9", "item9"))
PRESSED = {"unsafe": "not_safe", "call": "call_me", "alone": "alone"}


class Tier(StrEnum):
    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class History:
    """What earlier days said, as far as R0 needs it."""

    last_intent_on: date | None = None
    last_r0_on: date | None = None
    last_urge: int | None = None
    last_asq_on: date | None = None
    skipped_last_time: bool = False  # the urge, on the answered day before


def tier(urge: int, intent: int | None) -> Tier:
    """Exactly one tier for each urge and intent from 0 to 10; None: intent is not known (yet)."""
    known = intent or 0
    if known >= HIGH or (urge >= HIGH and known > 0):
        return Tier.HIGH
    if known >= MEDIUM or urge >= MEDIUM:
        return Tier.MEDIUM
    return Tier.LOW if urge > 0 or known > 0 else Tier.NONE


LEVELS = {Tier.LOW: Level.YELLOW, Tier.MEDIUM: Level.ORANGE, Tier.HIGH: Level.RED}


def is_judged(instrument: str, item: str, value: int | None) -> bool:
    """Whether this answer can be a finding, whatever else is known; any other needs no look before its turn.

    A 0 is none on any of these scales: no urge, no intent, safe, no plan.
    """
    return value != 0 and (instrument in ("safety", "asq") or (instrument, item) in JUDGED)


def reads_history(instrument: str, item: str) -> bool:
    """Whether earlier days matter to what an answer to this item says."""
    return (instrument, item) == ("daily", "intent")


def judge_answer(
    instrument: str, item: str, value: int | None, known: Mapping[str, int | None], history: History, day: date
) -> Finding | None:
    """Judges one answer by itself; `known` has the other answers of the check-in by "instrument.item"."""
    match instrument, item:
        case "daily", "urge":
            return _urge(value, day)
        case "daily", "intent":
            return _intent(value, known.get("daily.urge"), history, day)
        case "phq9", "item9" if value:
            return _finding(Level.ORANGE if value >= 2 else Level.YELLOW, "item9", day, value=value)  # noqa: PLR2004
        case "safety", "safe_now" if value != 0:
            return _finding(Level.RED, "not_safe", day) if value == 2 else _finding(Level.ORANGE, "unsure", day)  # noqa: PLR2004
        case "safety", "plan" if value == 1:
            return _finding(Level.RED, "plan", day)
        case "asq", _:
            return _asq(item, value, day)
    return None


def _urge(value: int | None, day: date) -> Finding | None:
    if not value:
        return None
    # Without its intent, an urge of 8 or more is ORANGE at once; silence for five minutes makes it RED.
    return _finding(Level.ORANGE if value >= MEDIUM else Level.YELLOW, "urge", day, urge=value)


def _intent(value: int | None, urge: int | None, history: History, day: date) -> Finding | None:
    if not value:
        return None
    level = LEVELS[tier(urge or 0, value)]
    news = history.last_intent_on is None or day - history.last_intent_on > INTENT_IS_NEWS
    if news:
        level = Level.highest(level, Level.ORANGE)
    return _finding(level, "intent", day, urge=urge or 0, intent=value)


def _asq(item: str, value: int | None, day: date) -> Finding | None:
    """Refusing to answer counts as yes."""
    if value == 0:
        return None
    levels = {"asq3": Level.ORANGE, "asq4": Level.RED, "asq5": Level.RED}
    return _finding(levels.get(item, Level.NOTE), item, day)


def judge_help(day: date) -> Finding:
    return _finding(Level.ORANGE, "help", day)


def remark_mistake(day: date) -> Finding:
    """Changes no level: beside the press that it speaks of."""
    return _finding(Level.NOTE, "mistake", day)


def judge_text(match: Match, day: date) -> Finding:
    return _finding(match.level, "text", day, pattern=match.pattern)


def judge_failed(day: date) -> Finding:
    """Judging failed: a human reviews the answer."""
    return _finding(Level.ORANGE, "needs_review", day)


def judge_unanswered(urge: int, waited: timedelta, day: date) -> Finding | None:
    """Intent was asked and left open: RED after 5 min at an urge of 8 or more, ORANGE after 30 min from 5."""
    if urge >= HIGH and waited >= UNANSWERED_RED:
        return _finding(Level.RED, "unanswered", day, urge=urge)
    if urge >= MEDIUM and waited >= UNANSWERED_ORANGE:
        return _finding(Level.ORANGE, "unanswered", day, urge=urge)
    return None


def judge_left_open(level: Level, waited: timedelta, day: date) -> Finding | None:
    """A safety question was left open for 30 min: an ORANGE alert becomes RED, a YELLOW one is flagged."""
    if waited < UNANSWERED_ORANGE or level not in (Level.ORANGE, Level.YELLOW):
        return None
    return _finding(Level.RED if level == Level.ORANGE else Level.YELLOW, "left_open", day)


def judge_pressed(answer: str, day: date) -> Finding | None:
    """A button of the crisis letter: «I am not safe», «Call me now», «I am alone» are RED."""
    return _finding(Level.RED, PRESSED[answer], day) if answer in PRESSED else None


def ask_again(history: History, day: date) -> bool:
    """A skipped urge soon after danger is asked once more."""
    return history.last_r0_on is not None and day - history.last_r0_on <= SKIP_IS_NEWS


def judge_skipped(times: int, history: History, day: date) -> Finding | None:
    """The urge was skipped `times` in this check-in. YELLOW the second time after danger, else on two answered days."""
    soon_after_danger = ask_again(history, day)
    if (soon_after_danger and times > 1) or (not soon_after_danger and history.skipped_last_time):
        return _finding(Level.YELLOW, "skipped", day)
    return None


def follow_up(level: Level, *, known: Mapping[str, int | None], history: History, day: date) -> tuple[str, ...]:
    """The safety questions to ask now, in order. None at RED: numbers and people come first. None for a NOTE."""
    if level in (Level.RED, Level.NOTE) or (
        "daily.urge" in known and known["daily.urge"] and "daily.intent" not in known
    ):
        return ()
    wanted = [] if "safety.safe_now" in known else ["safety:safe_now,plan"]
    rise = (known.get("daily.urge") or 0) - (history.last_urge or 0) >= ASQ_RISE
    due = history.last_asq_on is None or day - history.last_asq_on >= ASQ_PAUSE or rise
    if not any(key.startswith("asq.") for key in known) and (level.at_least(Level.ORANGE) or due):
        wanted.append(ASQ_FIRST if history.last_asq_on is None else ASQ_AGAIN)
    return tuple(wanted)


def can_go_on(instrument: str, item: str) -> bool:
    """Whether the ladder may go on after an answer to this item that is no finding by itself."""
    return (instrument, item) == ("daily", "intent")


def goes_on(instrument: str, item: str, value: int | None, known: Mapping[str, int | None]) -> Level | None:
    """The level at which the ladder of questions goes on after an answer that is no finding by itself.

    An intention of 0, or skipped, ends nothing while there is an urge.
    """
    urge = known.get("daily.urge")
    if not can_go_on(instrument, item) or not urge:
        return None
    return LEVELS[tier(urge, value or 0)]


def _finding(level: Level, reason: str, day: date, **values: float | int | str) -> Finding:
    return Finding(Rule.SUICIDAL_THOUGHTS, level, f"r0.{reason}", day, dict(values))
