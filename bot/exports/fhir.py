"""The diary as a FHIR R4 Bundle (hl7.org/fhir/R4): the same numbers, for the chart of any clinic.

Questionnaires with ordinal values, a QuestionnaireResponse per sitting, an Observation per total and daily item,
Procedure and MedicationAdministration per infusion, Flag and Communication per alert, and one Provenance. The patient
is a code and nothing else. Ids derive from the content, so that the same diary gives the same bytes.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from bot.clinical.diary import AlertEntry, CheckIn, Diary, Infusion, Response
from bot.clinical.instrument import Instrument, Item
from bot.clinical.library import Library
from bot.exports.figures import Total, instruments_of, newest, totals
from bot.exports.wording import iso

Resource = dict[str, Any]

LOCAL = "urn:afterglow"
LOINC, SNOMED, RXNORM, UCUM = (
    "http://loinc.org",
    "http://snomed.info/sct",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
    "http://unitsofmeasure.org",
)
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
US_CORE_SCREENING = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-screening-assessment"
INFUSION_ROUTE = {"system": SNOMED, "code": "47625008", "display": "Intravenous route"}
KETAMINE = {"system": RXNORM, "code": "6130", "display": "ketamine"}
DAILY = "daily"


def render(diary: Diary, library: Library, made_at: datetime) -> bytes:
    """JSON, UTF-8. `made_at` is the bundle's timestamp and all that differs between two calls."""
    resources = list(_resources(diary, library, made_at))
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": iso(made_at),
        "entry": [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in resources],
    }
    return json.dumps(bundle, ensure_ascii=False, indent=1).encode()


def _resources(diary: Diary, library: Library, made_at: datetime) -> Iterator[Resource]:
    patient = {
        "resourceType": "Patient",
        "id": _id(diary, "patient"),
        "identifier": [{"system": f"{LOCAL}:patient", "value": diary.patient}],
    }
    yield patient
    asked: dict[str, str] = {}
    for check_in in diary.check_ins:
        asked |= {f"{code}@{version}": version for code, version in instruments_of(check_in).items()}
    for key in sorted(asked):
        code, version = key.split("@")
        yield _questionnaire(diary, library.instrument(code, version), diary.language)
    scores = {(total.check_in.ref, total.instrument): total for total in totals(diary, library)}
    told = []
    for check_in in diary.check_ins:
        for code, version in instruments_of(check_in).items():
            instrument = library.instrument(code, version)
            response = _questionnaire_response(diary, check_in, instrument)
            told.append(response)
            yield response
            yield from _observations(diary, check_in, instrument, response, scores.get((check_in.ref, code)))
    for infusion in diary.infusions:
        yield from _infusion(diary, infusion)
    for alert in diary.alerts:
        yield from _alert(diary, alert)
    yield {
        "resourceType": "Provenance",
        "id": _id(diary, "provenance"),
        "target": [_reference(resource) for resource in [patient, *told]],
        "recorded": iso(made_at),
        "agent": [{"who": {"display": "Afterglow"}}],
    }


def _questionnaire(diary: Diary, instrument: Instrument, language: str) -> Resource:
    wording = instrument.wording(language)
    return {
        "resourceType": "Questionnaire",
        "id": _id(diary, "questionnaire", instrument.code, instrument.version),
        "url": _canonical(instrument),
        "version": instrument.version,
        "name": "".join(part.capitalize() for part in instrument.code.split("_")),
        "title": wording.title or instrument.code,
        "status": "active",
        "subjectType": ["Patient"],
        "item": [_asked(instrument, item, language) for item in instrument.items],
    }


def _asked(instrument: Instrument, item: Item, language: str) -> Resource:
    wording = instrument.wording(language).items[item.code]
    values = range(item.low, item.high + 1)
    labels = wording.options or tuple(str(value) for value in values)
    asked: Resource = {
        "linkId": item.code,
        "text": wording.question,
        "type": "choice",
        "answerOption": [
            {
                "extension": [{"url": ORDINAL, "valueDecimal": value}],
                "valueCoding": _option(instrument, value - item.low, value, label),
            }
            for value, label in zip(values, labels, strict=True)
        ],
    }
    if item.loinc:
        asked["code"] = [{"system": LOINC, "code": item.loinc}]
    if item.ask_if:
        # FHIR compares a choice by its coding, so every value above the limit is named.
        known = {entry.code: entry for entry in instrument.items}
        asked["enableWhen"] = [
            {
                "question": condition.item,
                "operator": "=",
                "answerCoding": _option(instrument, value - known[condition.item].low, value, None),
            }
            for condition in item.ask_if
            for value in range(condition.above + 1, known[condition.item].high + 1)
        ]
        asked["enableBehavior"] = "any"
    return asked


def _option(instrument: Instrument, index: int, value: int, label: str | None) -> Resource:
    if index < len(instrument.option_loinc):
        coding = {"system": LOINC, "code": instrument.option_loinc[index]}
    else:
        coding = {"system": f"{LOCAL}:value", "code": str(value)}
    return coding | ({"display": label} if label else {})


def _questionnaire_response(diary: Diary, check_in: CheckIn, instrument: Instrument) -> Resource:
    answers = newest(check_in, instrument.code)
    items = {item.code: item for item in instrument.items}
    answered = [answer for answer in answers.values() if answer.value is not None]
    asked = instrument.next_item({code: answer.value for code, answer in answers.items()}) is None
    return {
        "resourceType": "QuestionnaireResponse",
        "id": _id(diary, "response", check_in.ref, instrument.code),
        "questionnaire": f"{_canonical(instrument)}|{instrument.version}",
        "status": "completed" if asked and len(answered) == len(answers) else "in-progress",
        "subject": _patient(diary),
        "authored": iso(max(answer.answered_at for answer in answers.values())),
        "item": [
            _told(instrument, items[item.code], answers[item.code]) for item in instrument.items if item.code in answers
        ],
    }


def _told(instrument: Instrument, item: Item, answer: Response) -> Resource:
    told: Resource = {"linkId": item.code, "text": instrument.wording("en").items[item.code].question}
    if answer.value is not None:
        coding = _option(instrument, answer.value - item.low, answer.value, str(answer.value))
        coding["extension"] = [{"url": ORDINAL, "valueDecimal": answer.value}]
        told["answer"] = [{"valueCoding": coding}]
    return told


def _observations(
    diary: Diary, check_in: CheckIn, instrument: Instrument, response: Resource, total: Total | None
) -> Iterator[Resource]:
    if total is not None:
        code = (
            {"system": LOINC, "code": instrument.total_loinc}
            if instrument.total_loinc
            else {"system": f"{LOCAL}:total", "code": instrument.code}
        )
        yield _observation(diary, check_in, response, instrument.code, "total", code, total.value, total.own)
    if instrument.code == DAILY:
        for item, answer in newest(check_in, DAILY).items():
            code = {"system": f"{LOCAL}:item", "code": f"{DAILY}.{item}"}
            own = answer.mode in ("tap", "typed")
            yield _observation(diary, check_in, response, DAILY, item, code, answer.value, own)


def _observation(
    diary: Diary, check_in: CheckIn, response: Resource, instrument: str, what: str, code: Mapping[str, str | None],
    value: int | None, own: bool,
) -> Resource:  # fmt: skip
    seen: Resource = {
        "resourceType": "Observation",
        "id": _id(diary, "observation", check_in.ref, instrument, what),
        "meta": {"profile": [US_CORE_SCREENING]},
        "status": "final",
        "category": [
            {"coding": [{"system": f"{TERMINOLOGY}/observation-category", "code": "survey", "display": "Survey"}]}
        ],
        "code": {"coding": [dict(code)], "text": f"{instrument} {what}"},
        "subject": _patient(diary),
        "effectiveDateTime": response["authored"],
        "derivedFrom": [_reference(response)],
    }
    if own:
        seen["performer"] = [_patient(diary)]
    if value is None:
        reason = {"system": f"{TERMINOLOGY}/data-absent-reason", "code": "asked-declined"}
        seen["dataAbsentReason"] = {"coding": [reason]}
    else:
        seen["valueQuantity"] = {"value": value, "unit": "{score}", "system": UCUM, "code": "{score}"}
    return seen


def _infusion(diary: Diary, infusion: Infusion) -> Iterator[Resource]:
    procedure: Resource = {
        "resourceType": "Procedure",
        "id": _id(diary, "procedure", str(infusion.number)),
        "status": "completed",
        "code": {"text": f"Ketamine infusion no. {infusion.number}, {infusion.phase.value}"},
        "subject": _patient(diary),
        "performedDateTime": iso(infusion.given_at),
    }
    yield procedure
    given: Resource = {
        "resourceType": "MedicationAdministration",
        "id": _id(diary, "administration", str(infusion.number)),
        "partOf": [_reference(procedure)],
        "status": "completed",
        "medicationCodeableConcept": {"coding": [KETAMINE]},
        "subject": _patient(diary),
        "effectivePeriod": {"start": iso(infusion.given_at)},
    }
    if infusion.dose_mg_per_kg is not None:
        dose = {"value": infusion.dose_mg_per_kg, "unit": "mg/kg", "system": UCUM, "code": "mg/kg"}
        given["dosage"] = {"route": {"coding": [INFUSION_ROUTE]}, "dose": dose}
    yield given


def _alert(diary: Diary, alert: AlertEntry) -> Iterator[Resource]:
    text = f"Alert {alert.code}: {alert.rule.value}, {alert.level.value}"
    period = {"start": iso(alert.raised_at)} | ({"end": iso(alert.closed_at)} if alert.closed_at else {})
    flag: Resource = {
        "resourceType": "Flag",
        "id": _id(diary, "flag", alert.code),
        "status": "inactive" if alert.closed_at else "active",
        "category": [{"coding": [{"system": f"{TERMINOLOGY}/flag-category", "code": "safety"}]}],
        "code": {"coding": [{"system": f"{LOCAL}:rule", "code": alert.rule.value}], "text": text},
        "subject": _patient(diary),
        "period": period,
    }
    yield flag
    sent: Resource = {
        "resourceType": "Communication",
        "id": _id(diary, "communication", alert.code),
        "status": "completed" if alert.acknowledged_at else "in-progress",
        "subject": _patient(diary),
        "about": [_reference(flag)],
        "sent": iso(alert.raised_at),
    }
    if alert.acknowledged_at:
        sent["received"] = iso(alert.acknowledged_at)
    if alert.outcome:
        sent["note"] = [{"text": f"Outcome: {alert.outcome}"}]
    yield sent


def _canonical(instrument: Instrument) -> str:
    return f"{LOCAL}:instrument:{instrument.code}"


def _patient(diary: Diary) -> Resource:
    return {"reference": f"urn:uuid:{_id(diary, 'patient')}"}


def _reference(resource: Resource) -> Resource:
    return {"reference": f"urn:uuid:{resource['id']}"}


def _id(diary: Diary, *parts: str) -> str:
    return str(uuid5(NAMESPACE_URL, ":".join((LOCAL, diary.patient, *parts))))
