"""Questionnaire and QuestionnaireResponse: what was asked, and what was answered."""

from bot.clinical.diary import CheckIn, Diary, Response
from bot.clinical.instrument import Instrument, Item
from bot.clinical.terms import Mode, Outcome
from bot.exports.fhir_terms import (
    CARE_TEAM,
    LOINC,
    ORDINAL,
    SOMEBODY_CLOSE,
    Resource,
    canonical,
    identified,
    option,
    patient,
)
from bot.exports.figures import newest
from bot.exports.wording import iso


def questionnaire(diary: Diary, instrument: Instrument) -> Resource:
    wording = instrument.wording(diary.language)
    asked: Resource = {
        "resourceType": "Questionnaire",
        "id": identified(diary, "questionnaire", instrument.code, instrument.version),
        "url": canonical(instrument),
        "version": instrument.version,
        "name": "".join(part.capitalize() for part in instrument.code.split("_")),
        "title": wording.title or instrument.code,
        "status": "active",
        "subjectType": ["Patient"],
    }
    if instrument.permission:
        asked["copyright"] = instrument.permission
    if instrument.panel_loinc:
        asked["code"] = [{"system": LOINC, "code": instrument.panel_loinc}]
    return asked | {"item": [_asked(instrument, item, diary.language) for item in instrument.items]}


def _asked(instrument: Instrument, item: Item, language: str) -> Resource:
    asked: Resource = {
        "linkId": item.code,
        "text": instrument.wording(language).items[item.code].question,
        "type": "choice",
        "answerOption": [
            {
                "extension": [{"url": ORDINAL, "valueDecimal": value}],
                "valueCoding": option(instrument, item, value, language),
            }
            for value in range(item.low, item.high + 1)
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
                "answerCoding": option(instrument, known[condition.item], value, None),
            }
            for condition in item.ask_if
            for value in range(condition.above + 1, known[condition.item].high + 1)
        ]
        asked["enableBehavior"] = "any"
    return asked


def questionnaire_response(diary: Diary, check_in: CheckIn, instrument: Instrument) -> Resource:
    """The newest revisions; a corrected one is amended. A skipped item stands there without an answer."""
    answers = newest(check_in, instrument.code)
    modes = {answer.mode for answer in answers.values()}
    told: Resource = {
        "resourceType": "QuestionnaireResponse",
        "id": identified(diary, "response", check_in.ref, instrument.code),
        "questionnaire": f"{canonical(instrument)}|{instrument.version}",
        "status": _status(check_in, instrument, answers),
        "subject": patient(diary),
        "authored": iso(max(answer.answered_at for answer in answers.values())),
        "source": SOMEBODY_CLOSE if Mode.PROXY in modes else patient(diary),
        "item": [
            _told(instrument, item, answers[item.code], diary.language)
            for item in instrument.items
            if item.code in answers
        ],
    }
    return told | ({"author": CARE_TEAM} if Mode.STAFF in modes else {})


def _status(check_in: CheckIn, instrument: Instrument, answers: dict[str, Response]) -> str:
    if any(answer.revision > 1 for answer in answers.values()):
        return "amended"
    whole = instrument.next_item({code: answer.value for code, answer in answers.items()}) is None
    return "completed" if whole or check_in.outcome is Outcome.ANSWERED else "in-progress"


def _told(instrument: Instrument, item: Item, answer: Response, language: str) -> Resource:
    told: Resource = {"linkId": item.code, "text": instrument.wording(language).items[item.code].question}
    if answer.value is not None:
        coding = option(instrument, item, answer.value, language)
        told["answer"] = [{"valueCoding": coding | {"extension": [{"url": ORDINAL, "valueDecimal": answer.value}]}}]
    return told
