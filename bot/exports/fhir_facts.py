"""Observations, infusions and alerts as FHIR resources."""

from collections.abc import Iterator, Mapping
from datetime import date

from bot.clinical.diary import AlertEntry, CheckIn, Diary, Event, Infusion, Note
from bot.clinical.instrument import Instrument
from bot.clinical.terms import Outcome
from bot.exports.fhir_terms import (
    LOCAL,
    LOINC,
    RXNORM,
    SNOMED,
    TERMINOLOGY,
    US_CORE_SCREENING,
    Resource,
    absent,
    identified,
    patient,
    quantity,
    reference,
    survey,
)
from bot.exports.figures import OWN_MODES, Total, newest
from bot.exports.wording import iso

DAILY = "daily"
INFUSION_ROUTE = {"system": SNOMED, "code": "47625008", "display": "Intravenous route"}
KETAMINE = {"system": RXNORM, "code": "6130", "display": "ketamine"}
PRESSURE, SYSTOLIC, DIASTOLIC = "85354-9", "8480-6", "8462-4"
# Check-ins that ask for the mood; a silent one is told by the mood that is absent.
MOOD_SLOTS = ("daily", "morning", "evening", "weekly")
WHY_ABSENT = {Outcome.MISSED: "unknown", Outcome.UNDELIVERED: "not-asked"}


def answers(
    diary: Diary, check_in: CheckIn, instrument: Instrument, response: Resource, total: Total | None
) -> Iterator[Resource]:
    """The total of a questionnaire, or each of the daily items."""
    given = newest(check_in, instrument.code)
    if total is not None:
        loinc = {"system": LOINC, "code": instrument.total_loinc}
        code = loinc if instrument.total_loinc else {"system": f"{LOCAL}:total", "code": instrument.code}
        amended = any(answer.revision > 1 for answer in given.values())
        yield _observed(
            diary, check_in, response, instrument.code, "total", code, total.value, total.own, amended=amended
        )
    if instrument.code == DAILY:
        for item, answer in given.items():
            own = answer.mode in OWN_MODES
            yield _observed(
                diary, check_in, response, DAILY, item, _daily(item), answer.value, own, amended=answer.revision > 1
            )


def _daily(item: str) -> Resource:
    return {"system": f"{LOCAL}:item", "code": f"{DAILY}.{item}"}


def _observed(
    diary: Diary, check_in: CheckIn, response: Resource, instrument: str, what: str, code: Mapping[str, str | None],
    value: int | None, own: bool, *, amended: bool,
) -> Resource:  # fmt: skip
    seen = _screening(diary, (check_in.ref, instrument, what), code, f"{instrument} {what}") | {
        "status": "amended" if amended else "final",
        "effectiveDateTime": response["authored"],
        "derivedFrom": [reference(response)],
    }
    if own:
        seen["performer"] = [patient(diary)]
    return seen | (
        {"dataAbsentReason": absent("asked-declined")} if value is None else {"valueQuantity": quantity(value)}
    )


def _screening(diary: Diary, parts: tuple[str, ...], code: Mapping[str, str | None], text: str) -> Resource:
    """The shape of the US Core screening assessment."""
    return {
        "resourceType": "Observation",
        "id": identified(diary, "observation", *parts),
        "meta": {"profile": [US_CORE_SCREENING]},
        "status": "final",
        "category": survey(),
        "code": {"coding": [dict(code)], "text": text},
        "subject": patient(diary),
    }


def silence(diary: Diary, check_in: CheckIn) -> Iterator[Resource]:
    """A check-in without an answer: left by the patient, or never delivered, which is not the patient's silence."""
    why = WHY_ABSENT.get(check_in.outcome)
    if why and not check_in.responses and check_in.slot in MOOD_SLOTS:
        yield _screening(diary, (check_in.ref, DAILY, "mood"), _daily("mood"), "daily mood") | {
            "effectiveDateTime": iso(check_in.due_at),
            "dataAbsentReason": absent(why),
        }


def infusion(diary: Diary, given: Infusion) -> Iterator[Resource]:
    procedure: Resource = {
        "resourceType": "Procedure",
        "id": identified(diary, "procedure", str(given.number)),
        "status": "completed",
        "code": {"text": f"Ketamine infusion no. {given.number}, {given.phase.value}"},
        "subject": patient(diary),
        "performedDateTime": iso(given.given_at),
    }
    yield procedure
    administered: Resource = {
        "resourceType": "MedicationAdministration",
        "id": identified(diary, "administration", str(given.number)),
        "partOf": [reference(procedure)],
        "status": "completed",
        "medicationCodeableConcept": {"coding": [KETAMINE]},
        "subject": patient(diary),
        "effectivePeriod": {"start": iso(given.given_at)},
    }
    if given.dose_mg_per_kg is not None:
        dose = quantity(given.dose_mg_per_kg, "mg/kg")
        administered["dosage"] = {"route": {"coding": [INFUSION_ROUTE]}, "dose": dose}
    yield administered
    if given.systolic is not None and given.diastolic is not None:
        yield _pressure(diary, given, {SYSTOLIC: given.systolic, DIASTOLIC: given.diastolic}) | {
            "partOf": [reference(procedure)]
        }


def planned(diary: Diary, day: date) -> Resource:
    """An infusion to come is a plan: nothing was observed or done yet."""
    return {
        "resourceType": "ServiceRequest",
        "id": identified(diary, "plan", day.isoformat()),
        "status": "active",
        "intent": "plan",
        "code": {"text": "Ketamine infusion"},
        "subject": patient(diary),
        "occurrenceDateTime": day.isoformat(),
    }


def _pressure(diary: Diary, given: Infusion, parts: Mapping[str, int]) -> Resource:
    category = {"system": f"{TERMINOLOGY}/observation-category", "code": "vital-signs", "display": "Vital Signs"}
    return {
        "resourceType": "Observation",
        "id": identified(diary, "pressure", str(given.number)),
        "status": "final",
        "category": [{"coding": [category]}],
        "code": {"coding": [{"system": LOINC, "code": PRESSURE}], "text": "Blood pressure at the infusion"},
        "subject": patient(diary),
        "effectiveDateTime": iso(given.given_at),
        "component": [
            {"code": {"coding": [{"system": LOINC, "code": code}]}, "valueQuantity": quantity(value, "mm[Hg]")}
            for code, value in parts.items()
        ],
    }


def alert(diary: Diary, raised: AlertEntry) -> Iterator[Resource]:
    text = f"Alert {raised.code}: {raised.rule.value}, {raised.level.value}"
    flag: Resource = {
        "resourceType": "Flag",
        "id": identified(diary, "flag", raised.code),
        "status": "inactive" if raised.closed_at else "active",
        "category": [{"coding": [{"system": f"{TERMINOLOGY}/flag-category", "code": "safety"}]}],
        "code": {"coding": [{"system": f"{LOCAL}:rule", "code": raised.rule.value}], "text": text},
        "subject": patient(diary),
        "period": {"start": iso(raised.raised_at)} | ({"end": iso(raised.closed_at)} if raised.closed_at else {}),
    }
    yield flag
    sent: Resource = {
        "resourceType": "Communication",
        "id": identified(diary, "communication", raised.code),
        "status": "completed" if raised.acknowledged_at else "in-progress",
        "subject": patient(diary),
        "about": [reference(flag)],
        "sent": iso(raised.raised_at),
    }
    if raised.acknowledged_at:
        sent["received"] = iso(raised.acknowledged_at)
    said = [f"Outcome: {raised.outcome}" if raised.outcome else "", raised.note]
    if any(said):
        sent["note"] = [{"text": text} for text in said if text.strip()]
    yield sent


def note(diary: Diary, written: Note, twin: int) -> Resource:
    """The patient's own words; R4 has no string without a character. `twin` counts equal notes, from 1."""
    moment = iso(written.written_at)
    seen = {
        "resourceType": "Observation",
        "id": identified(diary, "note", moment, written.text, str(twin)),
        "status": "final",
        "category": survey(),
        "code": {"coding": [{"system": f"{LOCAL}:item", "code": "note"}], "text": "diary note"},
        "subject": patient(diary),
        "effectiveDateTime": moment,
        "performer": [patient(diary)],
    }
    return seen | ({"valueString": written.text} if written.text.strip() else {"dataAbsentReason": absent("unknown")})


def event(diary: Diary, entered: Event, twin: int) -> Resource:
    """A dated entry of the clinic: its text, or its number, or only that it was."""
    seen: Resource = {
        "resourceType": "Observation",
        "id": identified(diary, "event", entered.day.isoformat(), entered.kind, entered.text, str(twin)),
        "status": "final",
        "code": {"coding": [{"system": f"{LOCAL}:event", "code": entered.kind}], "text": entered.kind},
        "subject": patient(diary),
        "effectivePeriod": {"start": entered.day.isoformat()}
        | ({"end": entered.until.isoformat()} if entered.until else {}),
    }
    if entered.value is not None:
        seen["valueQuantity"] = quantity(entered.value)
        return seen | ({"note": [{"text": entered.text}]} if entered.text.strip() else {})
    return seen | ({"valueString": entered.text} if entered.text.strip() else {"valueBoolean": True})
