"""The diary as a FHIR R4 Bundle (hl7.org/fhir/R4): the same numbers, for the chart of any clinic.

Questionnaires with ordinal values, a QuestionnaireResponse per sitting, an Observation per total, daily item, blood
pressure, note and event, Procedure and MedicationAdministration per infusion, ServiceRequest per planned one, Flag and
Communication per alert, and one Provenance. The patient is a code and nothing else. Ids derive from the content: the
same diary gives the same bytes.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from bot.clinical.diary import Diary, Event, Note
from bot.clinical.library import Library
from bot.exports import fhir_facts as facts
from bot.exports.fhir_forms import questionnaire, questionnaire_response
from bot.exports.fhir_terms import LOCAL, Resource, identified, reference
from bot.exports.figures import Period, instruments_of, totals, within
from bot.exports.wording import iso

# R4 strings hold no control characters but tab and line ends, and UTF-8 no lone surrogates.
UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


def render(diary: Diary, library: Library, made_at: datetime, period: Period | None = None) -> bytes:
    """JSON, UTF-8. `made_at` is the bundle's timestamp and all that differs between two calls."""
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": iso(made_at),
        "entry": [
            {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}
            for resource in _resources(within(diary, period), library, made_at)
        ],
    }
    return json.dumps(_speakable(bundle), ensure_ascii=False, indent=1).encode()


def _speakable(value: object) -> object:
    if isinstance(value, str):
        return UNSPEAKABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {key: _speakable(part) for key, part in value.items()}
    return [_speakable(part) for part in value] if isinstance(value, list) else value


def _resources(diary: Diary, library: Library, made_at: datetime) -> Iterator[Resource]:
    patient = {
        "resourceType": "Patient",
        "id": identified(diary, "patient"),
        "identifier": [{"system": f"{LOCAL}:patient", "value": diary.patient}],
    }
    told = [patient]
    yield patient
    asked = {pair for check_in in diary.check_ins for pair in instruments_of(check_in).items()}
    for code, version in sorted(asked):
        yield questionnaire(diary, library.instrument(code, version))
    scores = {(total.check_in.ref, total.instrument): total for total in totals(diary, library)}
    for check_in in diary.check_ins:
        for code, version in instruments_of(check_in).items():
            instrument = library.instrument(code, version)
            response = questionnaire_response(diary, check_in, instrument)
            told.append(response)
            yield response
            yield from facts.answers(diary, check_in, instrument, response, scores.get((check_in.ref, code)))
        yield from facts.silence(diary, check_in)
    for infusion in diary.infusions:
        for resource in facts.infusion(diary, infusion):
            told.append(resource)
            yield resource
    for alert in diary.alerts:
        yield from facts.alert(diary, alert)
    twins: Counter[Note | Event] = Counter()
    for note in diary.notes:
        twins[note] += 1
        yield facts.note(diary, note, twins[note])
    for event in diary.events:
        twins[event] += 1
        yield facts.event(diary, event, twins[event])
    for day in diary.planned:
        yield facts.planned(diary, day)
    yield {
        "resourceType": "Provenance",
        "id": identified(diary, "provenance"),
        "target": [reference(resource) for resource in told],
        "recorded": iso(made_at),
        "agent": [{"who": {"display": "Afterglow"}}],
    }
