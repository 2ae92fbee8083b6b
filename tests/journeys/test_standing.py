"""What the clinic notes about a patient, and what follows from it for the questions."""

from bot.clinical.schedule import diary_day
from bot.services.work import Work
from tests.support.clinic import SimulatedClinic


async def more(clinic: SimulatedClinic, *buttons: str) -> None:
    await clinic.nurse.says("P-0001")
    await clinic.nurse.taps("More", *buttons)


def entries(clinic: SimulatedClinic) -> list[tuple[str, str, bool]]:
    def read(work: Work) -> list[tuple[str, str, bool]]:
        events = work.stores.events.of(work.stores.patients.all()[0].id)
        return [(event.kind, work.stores.events.text(event), event.until is not None) for event in events]

    return clinic.desk.act_now(read)


async def test_a_hospital_stay_is_quiet_and_the_weeks_after_it_are_watched(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.infuses()
    await more(clinic, "Admitted to hospital")
    assert "admitted" in await clinic.nurse.last()
    heard = len(await clinic.ana.messages())
    await clinic.forward(days=2)
    assert len(await clinic.ana.messages()) == heard

    await more(clinic, "Discharged from hospital")
    assert "high risk until" in await clinic.nurse.last()
    assert entries(clinic) == [("admission", "", True), ("discharge", "", False)]
    await clinic.forward(days=2)
    assert len(await clinic.ana.messages()) > heard
    await clinic.forward(days=28)
    await clinic.nurse.says("P-0001")
    assert "P-0001 · active" in await clinic.nurse.last()


async def test_after_a_death_every_message_stops_at_once(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await more(clinic, "Deceased")
    assert "Has P-0001 died?" in await clinic.nurse.last()
    await clinic.nurse.taps("Yes, P-0001 has died")
    assert "second time" in await clinic.nurse.last()
    await clinic.nurse.taps("Yes, P-0001 has died")
    assert "P-0001 · deceased" in await clinic.nurse.last()
    heard = len(await clinic.ana.messages())
    await clinic.forward(days=10)
    await clinic.ana.says("this is her sister")
    assert len(await clinic.ana.messages()) == heard
    await clinic.ana.says("/help")  # whoever holds this phone still finds the numbers
    assert "+1 555 0100" in await clinic.ana.last()
    assert "open" not in await clinic.nurse.last()


async def test_medication_changes_and_flags_are_dated_entries(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await more(clinic, "Medication change")
    await clinic.nurse.says("Lithium 450 mg twice daily")
    await more(clinic, "Pregnant", "Travelling", "Back from travel", "Back")
    assert "Pregnant" in await clinic.nurse.last() and "Travelling" not in await clinic.nurse.last()
    assert entries(clinic) == [
        ("medication", "Lithium 450 mg twice daily", False),
        ("pregnant", "", False),
        ("travel", "", True),
    ]


async def test_staff_write_to_a_patient_through_the_bot(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await more(clinic, "Message to patient")
    await clinic.nurse.says("Your appointment is at ten.")
    assert await clinic.ana.last() == "Test clinic writes:\nYour appointment is at ten."


async def test_the_end_of_treatment_ends_the_questions(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await more(clinic, "End of treatment")
    assert "has ended the daily questions" in await clinic.ana.last()
    heard = len(await clinic.ana.messages())
    await clinic.forward(days=3)
    assert len(await clinic.ana.messages()) == heard
    await more(clinic, "Ask again daily")

    def planned(work: Work) -> bool:
        patient = work.stores.patients.all()[0]
        return bool(work.stores.check_ins.of(patient.id, first=diary_day(work.now, patient.zone)))

    assert clinic.desk.act_now(planned)


async def test_after_two_missed_days_the_patient_hears_one_gentle_line(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.forward(days=6)
    assert (await clinic.ana.all_texts()).count("No hurry") == 1
