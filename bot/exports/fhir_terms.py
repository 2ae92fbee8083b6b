"""Code systems, ids and references that every FHIR resource of a bundle shares."""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from bot.clinical.diary import Diary
from bot.clinical.instrument import Instrument, Item

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
SOMEBODY_CLOSE, CARE_TEAM = {"display": "somebody close to the patient"}, {"display": "care team"}


def identified(diary: Diary, *parts: str) -> str:
    """An id that derives from what it names, so that the same diary gives the same bundle."""
    name = ":".join((LOCAL, diary.patient, *parts)).encode("utf-8", "replace").decode()
    return str(uuid5(NAMESPACE_URL, name))


def patient(diary: Diary) -> Resource:
    return {"reference": f"urn:uuid:{identified(diary, 'patient')}"}


def reference(resource: Resource) -> Resource:
    return {"reference": f"urn:uuid:{resource['id']}"}


def canonical(instrument: Instrument) -> str:
    return f"{LOCAL}:instrument:{instrument.code}"


def option(instrument: Instrument, item: Item, value: int, language: str | None) -> Resource:
    """One answer as a coding, with its wording unless `language` is None, and its number as the ordinal value."""
    index = value - item.low
    if index < len(instrument.option_loinc):
        coding: Resource = {"system": LOINC, "code": instrument.option_loinc[index]}
    else:
        coding = {"system": f"{LOCAL}:value", "code": str(value)}
    if language is None:
        return coding
    options = instrument.wording(language).items[item.code].options
    return coding | {"display": options[index] if options else str(value)}


def survey() -> list[Resource]:
    coding = {"system": f"{TERMINOLOGY}/observation-category", "code": "survey", "display": "Survey"}
    return [{"coding": [coding]}]


def absent(why: str) -> Resource:
    return {"coding": [{"system": f"{TERMINOLOGY}/data-absent-reason", "code": why}]}


def quantity(value: float, unit: str = "{score}") -> Resource:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}
