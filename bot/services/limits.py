"""Limits of the alert rules for one patient: tried on the last 60 days, then saved, with an entry in the audit."""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from bot.clinical import replay, rules
from bot.clinical.rules import BadLimit
from bot.clinical.schedule import diary_day
from bot.services import diary, judging, letters
from bot.services.errors import StaleButton
from bot.services.work import Work

# Those that differ from one patient to the next; every other one is the clinic's, in clinic.toml.
BY_RULE = {
    "R1": ("loss_margin", "minimum_gain", "loss_days"),
    "R2": ("ewma_width", "ewma_minimum", "ewma_days"),
    "R3": ("sharp_drop", "very_low"),
    "R4": ("phq9_reliable_change", "phq9_moderate"),
    "R5": ("missed_near", "missed_else"),
    "R6": ("craving", "short_nights"),
    "R7": ("fading",),
}
NAMES = frozenset(name for names in BY_RULE.values() for name in names)
STEPS = (-1.0, -0.5, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Trial:
    """Alerts of the last 60 days by rule, under the limits of now and under those that are tried."""

    before: dict[str, int]
    after: dict[str, int]


def show(work: Work, patient_id: UUID, what: str = "") -> None:
    """All rules; the limits of one ("R1"); the values of one ("loss_margin"); or a trial ("loss_margin=2.5")."""
    name, _, value = what.partition("=")
    if what and name not in BY_RULE and name not in NAMES:
        raise StaleButton
    if value:
        _read(work, patient_id, name, value)
    patient = work.stores.patients.get(patient_id)
    letters.reply(
        work, "limits", detail=what, subject=patient.id, patient=patient, card=f"patient:{patient.id}", fresh=False
    )


def save(work: Work, patient_id: UUID, what: str) -> None:
    name, _, value = what.partition("=")
    _read(work, patient_id, name, value)
    old = getattr(judging.limits_of(work, patient_id), name)
    work.stores.people.set_limit(patient_id, name, float(value), work.by().id)
    detail = f"{name} {old} to {value}"
    work.stores.audit.record("limit.set", actor=work.caller.id, subject=patient_id, detail=detail)
    show(work, patient_id, name)


def reset(work: Work, patient_id: UUID, name: str) -> None:
    """Back to the clinic's own."""
    if name not in NAMES:
        raise StaleButton
    work.stores.people.clear_limit(patient_id, name)
    work.stores.audit.record("limit.reset", actor=work.caller.id, subject=patient_id, detail=name)
    show(work, patient_id, name)


def current(work: Work, patient_id: UUID, name: str) -> tuple[float, bool]:
    """The value that holds, and whether it is this patient's own."""
    return getattr(judging.limits_of(work, patient_id), name), name in work.stores.people.limits(patient_id)


def choices(work: Work, patient_id: UUID, name: str) -> tuple[float, ...]:
    """Values near the one that holds; whole numbers stay whole."""
    now, _ = current(work, patient_id, name)
    steps = (-1.0, 1.0, 2.0) if isinstance(now, int) else STEPS
    return tuple(now + step for step in steps if now + step > 0)


def trial(work: Work, patient_id: UUID, name: str, value: str) -> Trial:
    patient = work.stores.patients.get(patient_id)
    now, others = judging.limits_of(work, patient_id), _read(work, patient_id, name, value)
    found = replay.trial(diary.of(work, patient), diary_day(work.now, patient.zone), now, others)
    return Trial(_count(found.before), _count(found.after))


def _count(judged: tuple[replay.Judged, ...]) -> dict[str, int]:
    return dict(sorted(Counter(one.finding.rule.value for one in judged if one.is_alert).items()))


def _read(work: Work, patient_id: UUID, name: str, value: str) -> rules.Limits:
    if name not in NAMES:
        raise StaleButton
    try:
        return judging.limits_of(work, patient_id).with_overrides({name: float(value)})
    except (BadLimit, ValueError):
        raise StaleButton from None
