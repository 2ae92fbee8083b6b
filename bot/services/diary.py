"""A patient's rows as a `Diary`: opened, in order, with nothing imputed."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from bot.clinical import diary as plain
from bot.clinical.diary import Diary
from bot.clinical.schedule import diary_day
from bot.clinical.terms import Level, Mode, Outcome, Phase, Rule
from bot.services.work import Work
from storage.tables.diary import CheckIn, CheckInState, Response
from storage.tables.people import Patient


def of(work: Work, patient: Patient) -> Diary:
    person = work.stores.people.find(patient.id)
    return Diary(
        patient=patient.code,
        zone=patient.zone,
        language=person.language if person else work.clinic.language,
        enrolled_on=patient.enrolled_on or diary_day(patient.created_at, patient.zone),
        infusions=infusions(work, patient),
        check_ins=_check_ins(work, work.stores.check_ins.of(patient.id), work.stores.responses.of(patient.id)),
        alerts=_alerts(work, patient),
        notes=tuple(
            plain.Note(note.written_at, note.day, work.stores.notes.text(note))
            for note in work.stores.notes.of(patient.id)
        ),
        events=tuple(
            plain.Event(event.day, event.kind, work.stores.events.text(event), event.until)
            for event in work.stores.events.of(patient.id)
        ),
        planned=tuple(
            infusion.day
            for infusion in work.stores.infusions.planned_for(patient.id, diary_day(work.now, patient.zone))
        ),
    )


def of_moods(work: Work, patient: Patient, first: date, moods: Sequence[Response]) -> Diary:
    """Only what a line of the roster shows, of the days since `first`: this is read for every patient at once."""
    return Diary(
        patient=patient.code,
        zone=patient.zone,
        language=work.clinic.language,
        enrolled_on=patient.enrolled_on or diary_day(patient.created_at, patient.zone),
        infusions=infusions(work, patient),
        check_ins=_check_ins(work, work.stores.check_ins.of(patient.id, first=first), moods),
        alerts=tuple(
            plain.AlertEntry(
                code=alert.code, rule=Rule(alert.rule), level=Level(alert.level), reason="", values={},
                day=diary_day(alert.raised_at, patient.zone), raised_at=alert.raised_at, closed_at=alert.closed_at,
            )
            for alert in work.stores.alerts.of(patient.id)
        ),
    )  # fmt: skip


def infusions(work: Work, patient: Patient) -> tuple[plain.Infusion, ...]:
    given = []
    for number, infusion in enumerate(work.stores.infusions.given_to(patient.id), 1):
        details = work.stores.infusions.details(infusion)
        systolic, diastolic = details.get("systolic"), details.get("diastolic")
        given.append(
            plain.Infusion(
                number=number, given_at=infusion.at, day=infusion.day, phase=Phase(infusion.phase),
                dose_mg_per_kg=details.get("dose"), systolic=int(systolic) if systolic else None,
                diastolic=int(diastolic) if diastolic else None,
            )
        )  # fmt: skip
    return tuple(given)


def ref_of(check_in: CheckIn) -> str:
    """How a check-in is called in exports."""
    return check_in.id.hex[:16]


def _check_ins(work: Work, rows: Sequence[CheckIn], answers: Sequence[Response]) -> tuple[plain.CheckIn, ...]:
    responses: dict[UUID, list[plain.Response]] = defaultdict(list)
    for row in answers:
        responses[row.check_in_id].append(
            plain.Response(
                instrument=row.instrument, version=row.version, item=row.item, value=work.stores.responses.value(row),
                revision=row.revision, answered_at=row.answered_at, mode=Mode(row.mode),
            )
        )  # fmt: skip
    return tuple(
        plain.CheckIn(
            ref=ref_of(row), slot=row.slot, day=row.day, due_at=row.due_at,
            outcome=_outcome(row, answered=bool(responses[row.id])), prompted_at=row.prompted_at,
            shown_at=row.shown_at, finished_at=row.finished_at, responses=tuple(responses[row.id]),
        )
        for row in rows
        if row.state != CheckInState.PLANNED
    )  # fmt: skip


def _outcome(row: CheckIn, *, answered: bool) -> Outcome:
    match row.state:
        case CheckInState.FINISHED:
            return Outcome.ANSWERED
        case CheckInState.CANCELLED:
            return Outcome.CANCELLED
        case CheckInState.EXPIRED if answered:
            return Outcome.PARTLY
        case CheckInState.EXPIRED:
            return Outcome.MISSED if row.delivered_at is not None else Outcome.UNDELIVERED
        case _:
            return Outcome.PARTLY if answered else Outcome.PENDING


def _alerts(work: Work, patient: Patient) -> tuple[plain.AlertEntry, ...]:
    entries = []
    for alert in work.stores.alerts.of(patient.id):
        findings = work.stores.findings.of_alert(alert.id)
        highest = max(findings, key=lambda finding: Level(finding.level).rank)
        reason, values = work.stores.findings.reason(highest)
        entries.append(
            plain.AlertEntry(
                code=alert.code, rule=Rule(alert.rule), level=Level(alert.level), reason=reason, values=values,
                day=highest.day, raised_at=alert.raised_at, acknowledged_at=alert.acknowledged_at,
                contacted_at=alert.contacted_at, closed_at=alert.closed_at, outcome=alert.outcome,
                note=work.stores.alerts.closing_note(alert),
            )
        )  # fmt: skip
    return tuple(entries)
