"""All rules that look at the whole diary."""

from collections.abc import Callable
from datetime import date

from bot.clinical.diary import Diary
from bot.clinical.rules import mood, phq9
from bot.clinical.rules.limits import Limits
from bot.clinical.rules.past import Past
from bot.clinical.rules.reference import Own, own_levels
from bot.clinical.terms import Finding, Level, Rule

Judge = Callable[[Past, Own, Limits], Finding | None]

OF_MOOD: tuple[tuple[Rule, Judge], ...] = (
    (Rule.LOSS_OF_RESPONSE, mood.loss_of_response),
    (Rule.LOSS_OF_RESPONSE, mood.no_gain),
    (Rule.DROP_BELOW_REFERENCE, mood.drop_below_reference),
    (Rule.SHARP_DROP, mood.sharp_drop),
    (Rule.SHARP_DROP, mood.very_low),
    (Rule.SHARP_DROP, mood.long_low),
    (Rule.SIDE_EFFECTS, mood.elated),
    (Rule.FADING, mood.fading),
)
OF_PHQ9: tuple[tuple[Rule, Judge], ...] = (
    (Rule.PHQ9, lambda past, own, limits: phq9.judge_phq9(past, limits)),
    (Rule.LOSS_OF_RESPONSE, lambda past, own, limits: phq9.worse_since_treatment(past, limits)),
)


def judge(diary: Diary, today: date, limits: Limits | None = None) -> tuple[Finding, ...]:
    """What R1 to R4, R6 (mood) and R7 see today, at most one finding a rule, the gravest."""
    return judge_past(Past.of(diary, today), limits or Limits())


def judge_past(past: Past, limits: Limits) -> tuple[Finding, ...]:
    """The same for what is already picked from a diary, so that a replay reads it only once."""
    found: dict[Rule, Finding] = {}
    judges = (OF_MOOD if past.moods else ()) + (OF_PHQ9 if past.phq9 else ())
    own = own_levels(past, limits) if judges else Own(None, ())
    for rule, look in judges:
        finding = _safely(rule, look, past, own, limits)
        if finding is not None and (rule not in found or finding.level.rank > found[rule].level.rank):
            found[rule] = finding
    return tuple(found.values())


def _safely(rule: Rule, look: Judge, past: Past, own: Own, limits: Limits) -> Finding | None:
    """A rule that fails is a finding that a human reviews; it hides no other rule."""
    try:
        return look(past, own, limits)
    except Exception:
        return Finding(rule, Level.YELLOW, "needs_review", past.today, {"rule": rule.value})
