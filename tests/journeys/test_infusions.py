"""Infusions as the care team enters them: planned, moved, cancelled, late, and corrected."""

from datetime import date, timedelta

from bot.clinical.schedule import diary_day
from bot.services.work import Work
from tests.support.clinic import SimulatedClinic


def coming(clinic: SimulatedClinic) -> dict[tuple[int, str], int | None]:
    """The planned check-ins by days from today and slot, with their day number."""

    def read(work: Work) -> dict[tuple[int, str], int | None]:
        patient = work.stores.patients.all()[0]
        today = diary_day(work.now, patient.zone)
        rows = work.stores.check_ins.of(patient.id, first=today)
        return {((row.day - today).days, row.slot): row.day_number for row in rows if row.state.value == "planned"}

    return clinic.desk.act_now(read)


def acts(clinic: SimulatedClinic) -> list[str]:
    return clinic.desk.act_now(
        lambda work: [entry.act for entry in work.stores.audit.trail() if entry.act.startswith("infusion.")]
    )


def typed(clinic: SimulatedClinic, days: int) -> str:
    day: date = clinic.clock.now().date() + timedelta(days=days)
    return f"{day.day}.{day.month}.{day.year}"


async def test_an_appointment_brings_its_check_ins_and_takes_them_along(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.nurse.says("P-0001")
    await clinic.nurse.taps("Plan infusion", "in 3 days")
    assert "planned" in (await clinic.nurse.buttons())[0]
    assert {(3, "morning"): 0, (3, "evening"): 0, (4, "daily"): 1}.items() <= coming(clinic).items()
    assert (3, "daily") not in coming(clinic)

    await clinic.nurse.taps((await clinic.nurse.buttons())[0], "Move")
    await clinic.nurse.says(typed(clinic, 5))
    assert (3, "morning") not in coming(clinic)
    assert {(3, "daily"): None, (5, "morning"): 0, (6, "daily"): 1}.items() <= coming(clinic).items()
    await clinic.nurse.says("P-0001")
    assert "Next infusion:" in await clinic.nurse.last()

    await clinic.nurse.taps("Infusions", (await listed(clinic))[0], "Cancel it", "Yes, cancel it")
    assert (5, "morning") not in coming(clinic)
    assert acts(clinic) == ["infusion.planned", "infusion.moved", "infusion.cancelled"]


async def listed(clinic: SimulatedClinic) -> list[str]:
    await clinic.nurse.says("P-0001")
    await clinic.nurse.taps("Infusions")
    lines = await clinic.nurse.buttons()
    await clinic.nurse.taps("Back")
    return lines


async def test_a_given_appointment_is_one_infusion(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.nurse.says("P-0001")
    await clinic.nurse.taps("Plan infusion")
    await clinic.nurse.says(typed(clinic, 0))
    await clinic.infuses()
    assert await listed(clinic) == [
        line for line in await listed(clinic) if "planned" not in line
    ]  # the appointment became the infusion
    assert "1 infusion" in await clinic.nurse.last()


async def test_a_late_entry_is_planned_from_today_on(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.forward(days=4)
    await clinic.nurse.says("P-0001")
    await clinic.nurse.taps("Infusion given", "0.5 mg/kg", "Another day")
    await clinic.nurse.says("31.2.2026")
    assert "not a day I can read" in await clinic.nurse.last()
    await clinic.nurse.says(typed(clinic, 2))
    assert "in the future" in await clinic.nurse.last()
    await clinic.nurse.says(typed(clinic, -3) + " 10:30")
    assert "blood pressure" in await clinic.nurse.last()
    await clinic.nurse.says("128/84")
    assert coming(clinic)[1, "daily"] == 4
    assert not any(slot in ("morning", "evening") for _, slot in coming(clinic))
    lines = await listed(clinic)
    assert "0.5 mg/kg · 128/84" in lines[0]


async def test_a_wrong_entry_is_corrected_with_an_audit_trail(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.forward(days=2)
    await clinic.infuses()
    await clinic.nurse.taps("Infusions", (await listed(clinic))[0], "Dose", "0.75 mg/kg")
    assert "0.75 mg/kg" in (await listed(clinic))[0]
    await clinic.nurse.taps("Infusions", (await listed(clinic))[0], "Day and hour")
    await clinic.nurse.says(typed(clinic, -1))
    assert coming(clinic)[1, "daily"] == 2
    await clinic.nurse.taps("Infusions", (await listed(clinic))[0], "Delete", "Yes, delete it")
    await clinic.nurse.says("P-0001")
    assert "No infusion recorded yet" in await clinic.nurse.last()
    assert coming(clinic)[1, "daily"] is None
    wanted = ["infusion.recorded", "infusion.corrected", "infusion.corrected", "infusion.deleted"]
    assert acts(clinic) == wanted


async def test_a_patients_code_is_never_taken_for_a_blood_pressure(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.infuses()
    await clinic.nurse.says("P-0001")
    assert "1 infusion" in await clinic.nurse.last()
    await clinic.nurse.taps("Infusions", (await listed(clinic))[0], "Blood pressure")
    await clinic.nurse.says("12/8")
    assert "not a blood pressure" in await clinic.nurse.last()
