"""The reviewed baseline: signed by a physician, ended by danger or by a stay, void after 28 days."""

from datetime import date
from uuid import UUID

from bot.clinical import baseline
from bot.clinical.baseline import Baseline, Ineligible, Proposal
from bot.clinical.diary import Diary
from bot.clinical.schedule import diary_day
from bot.clinical.terms import Finding
from bot.services import diary, letters
from bot.services.errors import StaleButton
from bot.services.work import Work
from storage.tables.diary import ReviewedBaseline
from storage.tables.people import Patient

STEPS = ("look", "plan", "means")  # the physician confirms the safety plan, then means, then signs


def current(work: Work, patient_id: UUID) -> Baseline | None:
    """As it was signed last, also when it has run out or was ended: `holds` says whether it counts."""
    row = work.stores.baselines.newest(patient_id)
    return _signed(work, row) if row is not None else None


def _signed(work: Work, row: ReviewedBaseline) -> Baseline:
    terms = work.stores.baselines.terms(row)
    return Baseline(row.signed_on, int(terms["ceiling"]), terms["mean"], int(terms["item9"]), row.ended_on)


def propose(work: Work, patient_id: UUID) -> Proposal | Ineligible:
    patient = work.stores.patients.get(patient_id)
    known = current(work, patient_id)
    ended_on = known.ended_on if known is not None else None
    return baseline.propose(diary.of(work, patient), diary_day(work.now, patient.zone), ended_on)


def show(work: Work, patient_id: UUID, step: str = "look") -> None:
    if step not in STEPS:
        raise StaleButton
    patient = work.stores.patients.get(patient_id)
    letters.reply(
        work, "baseline.card", detail=step, subject=patient.id, patient=patient, card=f"patient:{patient.id}",
        fresh=False,
    )  # fmt: skip


def sign(work: Work, patient_id: UUID) -> None:
    """What is proposed now is what is signed; the card has shown it, and both talks were confirmed before."""
    proposed = propose(work, patient_id)
    if isinstance(proposed, Ineligible):
        raise StaleButton
    day = diary_day(work.now, work.stores.patients.get(patient_id).zone)
    terms = {"ceiling": float(proposed.ceiling), "mean": proposed.mean, "item9": float(proposed.item9)}
    row = work.stores.baselines.sign(patient_id=patient_id, by=work.by().id, day=day, terms=terms)
    detail = f"{row.id} plan and means discussed"
    work.stores.audit.record("baseline.signed", actor=work.caller.id, subject=patient_id, detail=detail)
    show(work, patient_id)


def end_by_hand(work: Work, patient_id: UUID) -> None:
    end(work, work.stores.patients.get(patient_id), "by hand")
    show(work, patient_id)


def end(work: Work, patient: Patient, why: str) -> None:
    row = work.stores.baselines.newest(patient.id)
    if row is not None and row.ended_on is None:
        row.ended_on = diary_day(work.now, patient.zone)
        work.stores.audit.record("baseline.ended", actor=work.caller.id, subject=patient.id, detail=f"{row.id} {why}")


def note_finding(work: Work, patient: Patient, finding: Finding) -> None:
    if baseline.ended_by(finding):
        end(work, patient, finding.reason)


def note_event(work: Work, patient: Patient, kind: str) -> None:
    if kind in baseline.ENDING_EVENTS:
        end(work, patient, kind)


def judge(work: Work, patient: Patient, record: Diary, today: date) -> list[tuple[Finding, str]]:
    """More than usual, and overdue: each finding with the source under which it counts once."""
    row = work.stores.baselines.newest(patient.id)
    if row is None:
        return []
    known = _signed(work, row)
    change, overdue = baseline.judge_change(known, record, today), baseline.judge_overdue(known, today)
    found = [(change, f"{today.isoformat()}:above_usual"), (overdue, f"overdue:{row.id}")]
    return [(finding, source) for finding, source in found if finding is not None]
