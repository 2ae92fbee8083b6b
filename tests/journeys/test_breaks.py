"""A patient pauses, stops, comes back, and travels: the questions follow, and the team knows."""

from bot.services.work import Work
from storage.tables.people import Patient, PatientState
from tests.support.clinic import SimulatedClinic


def patient(work: Work) -> Patient:
    found = work.stores.patients.by_code("P-0001")
    assert found is not None
    return found


async def test_a_pause_ends_by_itself_and_no_question_comes_meanwhile(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.ana.says("/pause")
    assert await clinic.ana.buttons() == ["1 day", "3 days", "7 days", "I need help"]
    await clinic.ana.taps("3 days")
    assert "Thursday" in await clinic.ana.last()
    before = len(await clinic.ana.messages())
    await clinic.forward(hours=70)
    assert len(await clinic.ana.messages()) == before
    await clinic.next_prompt(clinic.ana)
    assert clinic.desk.act_now(patient).state == PatientState.ACTIVE


async def test_no_reminder_comes_during_a_pause(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.says("/pause")
    await clinic.ana.taps("1 day")
    before = len(await clinic.ana.messages())
    await clinic.forward(hours=5)
    assert len(await clinic.ana.messages()) == before


async def test_a_pause_soon_after_an_infusion_is_told_to_the_team(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.infuses()
    await clinic.ana.says("/pause")
    await clinic.ana.taps("7 days")
    assert "Has paused the daily questions" in await clinic.nurse.all_texts()


async def test_how_near_an_infusion_a_pause_is_news_is_the_patients_own_limit(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.infuses()
    who = clinic.desk.act_now(patient).id
    clinic.desk.act_now(lambda work: work.stores.people.set_limit(who, "near_days", -1, who))
    await clinic.ana.says("/pause")
    await clinic.ana.taps("7 days")
    assert "Has paused the daily questions" not in await clinic.nurse.all_texts()


async def test_stopping_asks_once_and_can_be_taken_back(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.ana.says("/stop")
    assert clinic.desk.act_now(patient).state == PatientState.ACTIVE
    await clinic.ana.taps("Yes, stop")
    before = len(await clinic.ana.messages())
    await clinic.forward(days=3)
    assert len(await clinic.ana.messages()) == before
    await clinic.ana.says("/help")
    assert "116 123" in await clinic.ana.last()
    await clinic.ana.says("/start")
    assert "come again" in await clinic.ana.last()
    await clinic.next_prompt(clinic.ana)


async def test_a_shared_location_moves_the_hour_and_the_crisis_lines(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.people.act(2001, "location", latitude=48.2, longitude=16.4)
    await clinic.afterglow.settle()
    moved = clinic.desk.act_now(patient)
    assert (moved.zone, moved.country) == ("Europe/Vienna", "AT")
    await clinic.ana.says("/help")
    assert "142" in await clinic.ana.last()
    await clinic.people.act(2001, "location", latitude=0.0, longitude=-30.0)
    await clinic.afterglow.settle()
    assert "do not know that place" in await clinic.ana.last()
    assert clinic.desk.act_now(patient).zone == "Europe/Vienna"
