"""Rules that cannot alarm for this patient today: an absence of alerts must not look like good news."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from bot.clinical.diary import Diary
from bot.clinical.rules import mood
from bot.clinical.rules.limits import Limits
from bot.clinical.rules.past import Past
from bot.clinical.rules.reference import Own, Reference, own_levels
from bot.clinical.terms import Rule

SETTLED = 30  # answered days after which the limit of R2 hardly moves
R1, R2, R3 = Rule.LOSS_OF_RESPONSE, Rule.DROP_BELOW_REFERENCE, Rule.SHARP_DROP


@dataclass(frozen=True, slots=True)
class Blind:
    """`reason` is a text key below "blind."; `rules` are named before it, as in "R1 and R2 cannot alarm: …"."""

    rules: tuple[Rule, ...]
    reason: str
    values: dict[str, float | int] = field(default_factory=dict)


def blind_rules(diary: Diary, today: date, limits: Limits | None = None) -> tuple[Blind, ...]:
    """What the patient card lists, most important first; empty when every rule can see."""
    limits = limits or Limits()
    past = Past.of(diary, today)
    own = own_levels(past, limits)
    reference = own.reference
    found = list(_without_reference(past, limits) if reference is None else _with(own, reference, limits))
    if len(past.moods) <= limits.sharp_answers:
        found.append(Blind((R3,), "few_answers", {"answers": len(past.moods), "needed": limits.sharp_answers + 1}))
    elif mood.median_of_week(past) < limits.sharp_drop:
        found.append(Blind((R3,), "low_median", {"median": round(mood.median_of_week(past), 1)}))
    if len(past.phq9) < 2:  # noqa: PLR2004 - a change needs two
        found.append(Blind((Rule.PHQ9,), "few_totals", {"answers": len(past.phq9)}))
    if len(own.references) <= limits.fading_references:
        needed = limits.fading_references + 1
        found.append(Blind((Rule.FADING,), "few_references", {"answers": len(own.references), "needed": needed}))
    return tuple(found)


def _without_reference(past: Past, limits: Limits) -> Iterator[Blind]:
    if not past.infusions:
        yield Blind((R1, R2), "no_infusion")
    elif (past.today - past.infusions[-1]).days < limits.reference_days:
        yield Blind((R1, R2), "first_week")
    else:
        yield Blind((R1, R2), "no_reference", {"needed": limits.reference_answers})


def _with(own: Own, reference: Reference, limits: Limits) -> Iterator[Blind]:
    loss = mood.loss_limit(own, limits)
    values = {"reference": round(reference.mean, 1)}
    if loss is not None and loss <= 0:
        yield Blind((R1,), "floor", values)
    elif loss is None and own.gain is None:
        yield Blind((R1,), "low_reference", values)
    elif loss is None and own.gain is not None:
        reason = "no_response" if own.gain < limits.no_response_gain else "small_gain"
        yield Blind((R1,), reason, {"gain": round(own.gain, 1), "needed": limits.minimum_gain})
    elif own.before is None:
        yield Blind((R1,), "no_before", values)
    if mood.ewma_limit(reference, SETTLED, limits) <= 0:
        yield Blind((R2,), "floor", values)
