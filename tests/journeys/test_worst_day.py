"""Small things on a bad day: no message is met with silence, none says too much, none is taken for something else."""

import pytest

from tests.support.clinic import SimulatedClinic


async def test_a_call_for_help_is_answered_once(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    before = len(await clinic.ana.messages())
    await clinic.ana.taps("I need help")
    said = (await clinic.ana.messages())[before:]
    assert [message["text"].count("Emergency: ") for message in said] == [1]
    await clinic.ana.taps("Pressed by mistake")
    assert "Then tapped «Pressed by mistake»" in await clinic.nurse.last()
    await clinic.ana.taps("I need help")  # the alert is open: numbers again, not another alert
    assert "Emergency: " in await clinic.ana.last()


async def test_a_picture_is_never_met_with_silence(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.people.send_file(2001, "voice.ogg", b"sound")
    await clinic.afterglow.settle()
    assert "nobody looks at them" in await clinic.ana.last()
    assert await clinic.ana.buttons() == ["I need help"]


async def test_an_edited_number_answers_no_other_question(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.says("7")
    await clinic.ana.edits_last("8")
    assert "kept as a note" in await clinic.ana.last()
    assert any(message["text"].startswith("2 of ") for message in await clinic.ana.messages())


async def test_an_edited_number_is_no_danger_that_was_never_told(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    for number in ("7", "7", "5"):
        await clinic.ana.says(number)
    assert "kill yourself" in await clinic.ana.last()
    await clinic.ana.edits_last("9")  # of the sleep, while the urge is asked
    assert clinic.desk.act_now(lambda work: work.stores.alerts.all_open()) == []


async def test_a_number_answers_the_ninth_item_as_on_paper(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("7", "7", "5", "0")
    asked = 0
    while "better off dead" not in await clinic.ana.last():
        asked += 1
        assert asked < 40
        await clinic.ana.says("0")
    await clinic.ana.says("3")
    assert [alert.rule for alert in clinic.desk.act_now(lambda work: work.stores.alerts.all_open())] == ["R0"]


async def test_danger_is_read_whatever_was_asked_for(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.ana.says("/settings")
    await clinic.ana.taps("Place")
    await clinic.ana.says("I want to die")
    assert "I do not know that place" not in await clinic.ana.all_texts()
    await clinic.nurse.taps("Read the text")
    assert "«I want to die»" in await clinic.nurse.last()


async def test_what_was_asked_for_is_forgotten_after_an_hour(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.ana.taps("About you")
    await clinic.forward(minutes=61)
    await clinic.ana.says("a grey morning")
    assert await clinic.ana.last() == "Noted in your diary."


async def test_the_question_stands_below_the_crisis_letter(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("2", "2", "2", "4")
    assert "your intention to act" in await clinic.ana.last()
    assert "by the next working day" in await clinic.ana.all_texts()


async def test_a_number_is_no_answer_to_yes_and_no(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("2", "2", "2", "4", "0")
    assert "keep yourself safe" in await clinic.ana.last()
    await clinic.ana.says("1")
    assert "in the words that stand there" in await clinic.ana.last()
    await clinic.ana.says("not sure")
    assert "Call within 4 hours" in await clinic.nurse.last()


async def test_a_low_day_is_answered_with_who_sees_it(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("2", "2", "2", "0")
    while "Skip" in await clinic.ana.buttons():
        await clinic.ana.taps("Skip")
    assert "hard day" in await clinic.ana.last()
    await clinic.nurse.says("/digest")
    assert "Low mood (0 to 3): P-0001" in await clinic.nurse.last()


async def test_two_who_tap_at_once_do_not_both_have_it(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.ana.taps("I need help")
    await clinic.nurse.taps("Not now")
    forged = await _data(clinic, "Take it")
    await clinic.physician.taps("Take it")
    await clinic.nurse.forges(forged)
    assert "Somebody else has taken this alert" in await clinic.nurse.last()
    await clinic.nurse.taps("Take it over")
    assert "Taken by Nurse" in (await clinic.physician.all_texts())


async def test_an_appointment_that_passed_is_named(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.nurse.says("P-0001")
    await clinic.nurse.taps("Plan infusion", "in 1 day")
    await clinic.forward(days=2)
    await clinic.nurse.says("/digest")
    assert "P-0001: the infusion planned for" in await clinic.nurse.last()


@pytest.mark.parametrize("day", ["3/4/2026", "13/13/2026", "morgen"])
async def test_a_day_that_could_be_two_is_not_guessed(clinic: SimulatedClinic, day: str) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.nurse.says("P-0001")
    await clinic.nurse.taps("Infusion given", "0.5 mg/kg", "Another day")
    await clinic.nurse.says(day)
    assert "not a day I can read" in await clinic.nurse.last()


async def test_the_same_day_is_not_recorded_twice(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.infuses()
    await clinic.infuses()
    assert "already recorded" in await clinic.nurse.last()


async def _data(clinic: SimulatedClinic, button: str) -> str:
    rows = [row for message in await clinic.nurse.messages() for row in message["buttons"]]
    return next(str(one["callback_data"]) for row in rows for one in row if one["text"] == button)
