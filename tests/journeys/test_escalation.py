"""An alert on its way through the team: it always goes on to somebody, and the patient hears what a person did."""

from bot.chat.callbacks import Tap
from bot.services.work import Work
from storage.tables.alerts import Alert
from storage.tables.people import Role
from tests.support.clinic import Phone, SimulatedClinic

URGENT = "Urgent, now: patient P-0001"
SOON = "Call within 4 hours: patient P-0001"


async def is_in_danger(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.ana.says("I've got the pills ready")


async def pages(phone: Phone, first_line: str = URGENT) -> int:
    return (await phone.all_texts()).count(first_line)


def alert(work: Work) -> Alert:
    return work.stores.alerts.of(work.stores.patients.all()[0].id)[0]


async def test_not_now_goes_to_the_next_person_at_once(clinic: SimulatedClinic) -> None:
    await is_in_danger(clinic)
    assert (await pages(clinic.nurse), await pages(clinic.physician)) == (1, 0)
    await clinic.nurse.taps("Not now")
    assert await pages(clinic.physician) == 1
    assert "next person" in await clinic.nurse.last()
    await clinic.forward(minutes=9)
    assert await pages(clinic.nurse) == 1  # who declined is left alone …
    await clinic.forward(minutes=7)
    assert await pages(clinic.nurse) == 2  # … until everybody is paged
    assert await pages(clinic.physician) > 4


async def test_when_all_decline_everybody_is_paged(clinic: SimulatedClinic) -> None:
    await is_in_danger(clinic)
    await clinic.nurse.taps("Not now")
    await clinic.physician.taps("Not now")
    await clinic.forward(minutes=3)
    assert await pages(clinic.nurse) == 2 and await pages(clinic.physician) == 2


async def test_a_rota_of_one_who_declines_leaves_nobody_out(clinic: SimulatedClinic) -> None:
    await clinic.invites(clinic.admin, Role.ADMIN)
    await clinic.physician.says("/oncall")
    await clinic.physician.taps("Change the order")
    physician = clinic.desk.act_now(lambda work: work.stores.rota.in_order()[1].id)
    await clinic.physician.forges(Tap("off", physician).encode())
    await is_in_danger(clinic)
    await clinic.nurse.taps("Not now")
    assert await pages(clinic.physician) == 1 and await pages(clinic.admin) == 1


async def test_a_promised_call_is_told_and_held_against_its_owner(clinic: SimulatedClinic) -> None:
    await is_in_danger(clinic)
    await clinic.nurse.taps("Take it")
    assert "no call time yet" in await clinic.ana.last()
    await clinic.nurse.taps("I call within 10 min")
    assert "Nurse will phone you before 09:1" in await clinic.ana.last()
    assert "Will phone before 09:1" in await clinic.nurse.last()

    await clinic.forward(minutes=11)  # nobody phoned
    assert await pages(clinic.physician) == 1
    assert "No call was made yet" in await clinic.ana.last() and "+1 555 0100" in await clinic.ana.last()
    await clinic.physician.taps("Contacted")
    said = len(await clinic.ana.messages())
    await clinic.forward(minutes=20)
    assert len(await clinic.ana.messages()) == said


async def test_only_the_owner_promises(clinic: SimulatedClinic) -> None:
    await is_in_danger(clinic)
    await clinic.forward(minutes=6)
    await clinic.nurse.taps("Take it")
    promise = next(
        button["callback_data"]
        for row in (await clinic.nurse.messages())[-1]["buttons"]
        for button in row
        if "10 min" in button["text"]
    )
    assert "10 min" not in str(await clinic.physician.buttons())
    await clinic.physician.forges(promise)
    assert "Somebody else has this alert" in await clinic.physician.last()
    await clinic.nurse.forges(promise.replace("|10", "|600"))
    assert clinic.desk.act_now(alert).promised_at is None


async def test_a_red_alert_pages_everybody_for_ever(clinic: SimulatedClinic) -> None:
    await clinic.invites(clinic.admin, Role.ADMIN)
    await is_in_danger(clinic)
    await clinic.forward(minutes=14)
    assert await pages(clinic.admin) == 0  # not on the rota
    await clinic.forward(minutes=2)
    assert await pages(clinic.admin) == 1
    before = await pages(clinic.nurse)
    await clinic.forward(hours=3)
    assert await pages(clinic.nurse) - before >= 89


async def test_orange_comes_hourly_once_everybody_is_paged(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.ana.taps("I need help")
    first_line = f"{SOON} · {clinic.desk.act_now(alert).code}"
    await clinic.forward(hours=3, minutes=5)
    before = await pages(clinic.nurse, first_line)
    assert await pages(clinic.physician, first_line) >= 1
    await clinic.forward(hours=5)
    assert await pages(clinic.nurse, first_line) - before == 5


async def test_yellow_waits_for_working_hours_and_comes_again_the_next_working_day(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.infuses()
    await clinic.forward(days=4, hours=10)  # Friday, 19:00
    before = await pages(clinic.nurse, "Next working day")
    await clinic.ana.says("/pause")
    await clinic.ana.taps("7 days")
    assert await pages(clinic.nurse, "Next working day") == before
    await clinic.forward(days=2)
    assert await pages(clinic.nurse, "Next working day") == before
    await clinic.forward(hours=14)  # Monday, 09:00
    assert await pages(clinic.nurse, "Next working day") == before + 1
    await clinic.forward(hours=8)
    assert await pages(clinic.nurse, "Next working day") == before + 1
    await clinic.forward(hours=16)
    assert await pages(clinic.nurse, "Next working day") == before + 2


async def test_taken_without_contact_goes_to_the_next_person(clinic: SimulatedClinic) -> None:
    await is_in_danger(clinic)
    await clinic.nurse.taps("Take it")
    await clinic.forward(minutes=14)
    assert await pages(clinic.physician) == 0
    await clinic.forward(minutes=2)
    assert await pages(clinic.physician) == 1
    assert "No call was made yet" in await clinic.ana.last()


async def test_contacted_and_not_closed_is_reminded_and_then_goes_on(clinic: SimulatedClinic) -> None:
    await is_in_danger(clinic)
    await clinic.nurse.taps("Contacted")
    told = await pages(clinic.nurse)
    await clinic.forward(minutes=31)
    assert await pages(clinic.nurse) == told + 1 and await pages(clinic.physician) == 0
    await clinic.forward(minutes=30)
    assert await pages(clinic.physician) == 1


async def test_closing_takes_an_outcome_and_a_note_that_is_sealed(clinic: SimulatedClinic) -> None:
    await is_in_danger(clinic)
    await clinic.nurse.taps("Contacted", "Close", "Sent to emergency care")
    await clinic.nurse.says("Sister drives her, number in the chart")
    assert "Note: Sister drives her" in await clinic.nurse.all_texts()
    closed = clinic.desk.act_now(alert)
    assert closed.outcome == "emergency"
    assert clinic.desk.act_now(lambda work: work.stores.alerts.closing_note(alert(work))).startswith("Sister")
    assert "Sister" not in await clinic.ana.all_texts()
    await clinic.nurse.says("P-0001")
    assert "Last moods" in await clinic.nurse.last() or "infusion" in await clinic.nurse.last()


async def test_at_night_a_clinic_without_cover_says_so(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.forward(hours=13)  # Monday, 22:00
    await clinic.ana.says("I've got the pills ready")
    said = await clinic.ana.all_texts()
    assert "Nobody at the clinic can answer before Tue" in said and "08:00" in said
    assert await pages(clinic.nurse) == 1  # it is paged all the same


async def test_sent_is_said_when_a_page_has_arrived_and_not_before(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    clinic.simulator.faults.add("500", methods=["sendmessage"], chats=[clinic.nurse.number])
    await clinic.ana.says("I've got the pills ready")
    assert "Your care team is being alerted" in await clinic.ana.all_texts()
    assert "Sent to the care team" not in await clinic.ana.all_texts()
    await clinic.forward(seconds=65)
    assert "could not be reached yet" in await clinic.ana.last()
    clinic.simulator.faults.clear()
    await clinic.forward(seconds=20)
    assert "Sent to the care team at 09:0" in await clinic.ana.all_texts()  # the same message says it now
    assert "being alerted" not in await clinic.ana.all_texts()


async def test_the_order_of_the_rota_is_changed_in_the_chat(clinic: SimulatedClinic) -> None:
    await clinic.nurse.says("/oncall")
    await clinic.nurse.taps("Change the order", "↑ Physician")
    await clinic.nurse.says("/oncall")
    assert "1. Physician" in await clinic.nurse.last()
    await clinic.nurse.taps("Hand the shift over")
    assert await clinic.nurse.buttons() == ["Physician"]
    await clinic.physician.says("/oncall")
    await clinic.physician.taps("Hand the shift over", "Nurse")
    assert "handed the shift to you" in await clinic.nurse.last()
    await is_in_danger(clinic)
    assert (await pages(clinic.nurse), await pages(clinic.physician)) == (1, 0)
    acts = clinic.desk.act_now(lambda work: [entry.act for entry in work.stores.audit.trail()])
    assert {"rota.moved", "rota.handed_over"} <= set(acts)


async def test_who_is_away_is_passed_over_and_comes_back_by_the_calendar(clinic: SimulatedClinic) -> None:
    await clinic.nurse.says("/oncall")
    await clinic.nurse.taps("I am away", "1 day")
    assert "away until Tue" in await clinic.nurse.all_texts()
    await is_in_danger(clinic)
    assert (await pages(clinic.nurse), await pages(clinic.physician)) == (0, 1)
    await clinic.physician.taps("Contacted", "Close", "Reached and safe")
    await clinic.forward(days=1, hours=1)
    await clinic.ana.says("I've got the pills ready")
    assert await pages(clinic.nurse) == 1


async def test_with_everybody_away_alerts_still_reach_everybody_and_nobody_is_invited(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    for phone in (clinic.nurse, clinic.physician):
        await phone.says("/oncall")
        await phone.taps("I am away", "7 days")
    await clinic.nurse.says("/enrol")
    assert "Nobody is on call" in await clinic.nurse.last()
    await clinic.ana.says("I've got the pills ready")
    assert await pages(clinic.nurse) == 1 and await pages(clinic.physician) == 1
    assert "not certain that anybody at the clinic sees this soon" in await clinic.ana.all_texts()
