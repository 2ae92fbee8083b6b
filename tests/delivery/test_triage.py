"""Whatever reports danger has alerted before its handler begins, and once only when the handler is well."""

from uuid import UUID

import pytest

from bot.chat.callbacks import AnswerTap, Tap
from bot.clinical.screening import Patterns, screen
from bot.delivery.triage import report_of
from bot.delivery.updates import look
from bot.services import check_ins, safety_line
from bot.services.check_ins import NUMBER_WORDS
from bot.services.work import Work
from storage.tables.alerts import AlertState
from tests.support.clinic import SimulatedClinic

NOWHERE = UUID(int=0)  # the same in every process that collects these tests
DANGEROUS: dict[AnswerTap | Tap, tuple[str, str]] = {
    Tap("crisis", detail="unsafe"): ("red", "r0.not_safe"),
    Tap("crisis", detail="call"): ("red", "r0.call_me"),
    Tap("crisis", detail="alone"): ("red", "r0.alone"),
    Tap("compared", detail="not_safe"): ("red", "r0.not_safe"),
    Tap("compared", detail="worse"): ("yellow", "r0.worse_than_usual"),
    Tap("compared", detail="different"): ("yellow", "r0.different_than_usual"),
    Tap("help"): ("orange", "r0.help"),
    AnswerTap(NOWHERE, "daily", "urge", 9): ("orange", "r0.urge"),
    AnswerTap(NOWHERE, "side_effects", "chest_pain", 1): ("red", "r6.emergency"),
    AnswerTap(NOWHERE, "monthly", "psychotic", 1): ("orange", "r6.call"),
    AnswerTap(NOWHERE, "next_day", "confusion", 2): ("orange", "r6.still_there"),
}
HARMLESS = (
    Tap("crisis", detail="company"),
    Tap("compared", detail="same"),
    Tap("mistake"),
    AnswerTap(NOWHERE, "daily", "mood", 1),
    AnswerTap(NOWHERE, "side_effects", "chest_pain", 0),
    AnswerTap(NOWHERE, "side_effects", "nausea", 3),
)


def found(work: Work) -> list[tuple[str, str]]:
    """Level and reason of all that was ever found, in order."""
    patient = work.stores.patients.all()[0]
    rows = [row for rule in ("R0", "R6") for row in work.stores.findings.of(patient.id, rule)]
    return [(row.level, work.stores.findings.reason(row)[0]) for row in sorted(rows, key=lambda row: row.found_at)]


def close_all(work: Work) -> None:
    for alert in work.stores.alerts.all_open():
        alert.state, alert.closed_at, alert.next_step_at, alert.outcome = AlertState.CLOSED, work.now, None, "safe"


def breaks(monkeypatch: pytest.MonkeyPatch, *use_cases: tuple[object, str]) -> list[list[tuple[str, str]]]:
    """Use cases that fail; gives what had been found when each of their tries began."""
    at_each_try = []

    def fails(work: Work, *_: object) -> None:
        at_each_try.append(found(work))
        raise RuntimeError("this handler is broken")

    for module, name in use_cases:
        monkeypatch.setattr(module, name, fails)
    return at_each_try


async def test_a_broken_handler_neither_loses_nor_delays_an_alert(
    clinic: SimulatedClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    await clinic.enrols(clinic.ana)
    use_cases = [(safety_line, name) for name in ("press", "press_help", "compare")]
    tried = breaks(monkeypatch, *use_cases, (check_ins, "record"))
    for tap, expected in DANGEROUS.items():
        known, pages = len(clinic.desk.act_now(found)), len(await clinic.nurse.messages())
        tried.clear()
        await clinic.ana.forges(tap.encode())
        assert tried and all(seen[known:] == [expected] for seen in tried), tap
        assert len(await clinic.nurse.messages()) > pages, tap
        clinic.desk.act_now(close_all)
        await clinic.forward(minutes=1)


async def test_a_number_typed_to_a_broken_handler_alerts_like_a_tap(
    clinic: SimulatedClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("3", "2", "2")
    sound = check_ins.write
    tried = breaks(monkeypatch, (check_ins, "write"))
    await clinic.ana.says("nine")
    assert tried and all(seen == [("orange", "r0.urge")] for seen in tried)
    assert "patient P-0001" in await clinic.nurse.all_texts()
    monkeypatch.setattr(check_ins, "write", sound)
    await clinic.ana.says("5")
    assert clinic.desk.act_now(found)[-1] == ("orange", "r0.urge")


async def test_numbers_typed_ahead_mean_what_is_asked_when_their_turn_comes(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    for number in ("9", "8", "9", "0"):  # mood, interest, sleep, and no urge
        await clinic.people.act(2001, "text", text=number)
    await clinic.afterglow.settle()
    assert clinic.desk.act_now(found) == []


async def test_a_number_that_was_asked_for_something_else_is_no_answer(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("3", "2", "2")
    await clinic.ana.says("/settings")
    await clinic.ana.forges(Tap("setting", detail="hour").encode())
    await clinic.ana.says("9")
    assert clinic.desk.act_now(found) == []


async def test_with_sound_handlers_each_danger_is_told_once(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    for tap, expected in DANGEROUS.items():
        known, letters = clinic.desk.act_now(found), clinic.desk.act_now(crisis_letters)
        await clinic.ana.forges(tap.encode())
        assert clinic.desk.act_now(found)[len(known) :] == [expected], tap
        to_the_patient = expected not in (("orange", "r6.call"), ("orange", "r6.still_there"))
        assert clinic.desk.act_now(crisis_letters) == letters + to_the_patient, tap
        assert len(clinic.desk.act_now(lambda work: work.stores.alerts.all_open())) == 1, tap
        clinic.desk.act_now(close_all)
        await clinic.forward(minutes=1)


async def test_chest_pain_on_the_evening_of_an_infusion_is_told_once(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.infuses()
    await clinic.next_prompt(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("6", "0", *["None"] * 7)
    assert "Chest pain?" in await clinic.ana.last()
    await clinic.ana.taps("Yes")
    assert clinic.desk.act_now(found)[-1] == ("red", "r6.emergency")
    assert clinic.desk.act_now(found).count(("red", "r6.emergency")) == 1
    assert (await clinic.ana.all_texts()).count("Call 999 now") == clinic.desk.act_now(crisis_letters) == 1
    assert "patient P-0001" in await clinic.nurse.last()


def crisis_letters(work: Work) -> int:
    patient = work.stores.patients.all()[0]
    return sum(row.kind in ("crisis", "crisis.body") and row.fresh for row in work.stores.outbox.of_patient(patient.id))


@pytest.mark.parametrize("tap", HARMLESS, ids=lambda tap: str(tap.encode()))
def test_what_no_rule_reads_gets_no_unit_of_work_or_no_finding(tap: AnswerTap | Tap) -> None:
    report = report_of(look({"callback_query": {"data": tap.encode(), "from": {"id": 1}}}))
    assert report is None or report.compared == "same"


@pytest.mark.parametrize("number", ["0", "7", "10/10", *NUMBER_WORDS])
def test_a_number_alone_is_never_what_screening_looks_for(number: str) -> None:
    assert screen(number, Patterns.load()) is None


@pytest.mark.parametrize(
    "update",
    [
        {"message": {"text": "I want to die"}},
        {"message": {"photo": [{"file_id": "x"}], "caption": "I want to die"}},
        {"message": {"document": {"file_id": "x"}, "caption": "my week.\nI want to die"}},
        {"message": {"voice": {"file_id": "x"}, "caption": "I want to die"}},
        {"message": {"reply_to_message": {"text": "How was your day?"}, "text": "I want to die"}},
        {"edited_message": {"text": "I want to die"}},
        {"edited_message": {"video": {"file_id": "x"}, "caption": "I want to die"}},
        {"message": {"text": "/note I want to die"}},
        {"message": {"text": "7, and I want to die"}},
    ],
    ids=["text", "photo", "document", "voice", "reply", "edited", "edited video", "unknown command", "answer"],
)
def test_whatever_a_patient_writes_is_screened(update: dict[str, dict[str, object]]) -> None:
    """Captions, changes and messages that nothing asked for too."""
    [(kind, message)] = update.items()
    report = report_of(look({kind: {**message, "chat": {"id": 1, "type": "private"}, "from": {"id": 1}}}))
    assert report is not None and report.text is not None
    assert screen(report.text, Patterns.load()) is not None
