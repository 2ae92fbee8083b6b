"""The patient's own hour, wherever they are, and the day that ends at four in the morning."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.services.work import Work
from tests.support.clinic import SimulatedClinic

PLACES = {
    "Asia/Tokyo": (35.68, 139.69),
    "America/Los_Angeles": (34.05, -118.24),
    "Australia/Sydney": (-33.87, 151.21),
    "Asia/Kathmandu": (27.71, 85.32),
}


def prompts(clinic: SimulatedClinic) -> list[datetime]:
    return clinic.desk.act_now(
        lambda work: [
            row.prompted_at
            for row in work.stores.check_ins.of(work.stores.patients.all()[0].id)
            if row.prompted_at is not None
        ]
    )


@pytest.mark.parametrize("zone", PLACES)
async def test_a_shared_location_moves_the_hour_of_the_question(clinic: SimulatedClinic, zone: str) -> None:
    await clinic.enrols(clinic.ana)  # London, ten o'clock
    await clinic.forward(days=1)
    latitude, longitude = PLACES[zone]
    await clinic.people.act(clinic.ana.number, "location", latitude=latitude, longitude=longitude)
    await clinic.afterglow.settle()
    moved = clinic.clock.now()
    await clinic.forward(days=3)
    after = [prompt for prompt in prompts(clinic) if prompt > moved]
    assert len(after) >= 2
    local = [prompt.astimezone(ZoneInfo(zone)) for prompt in after]
    assert {f"{at:%H:%M}" for at in local} == {"10:00"}
    assert len({at.date() for at in local}) == len(local)  # one a day, whatever the zones did


async def test_a_travel_is_a_dated_entry_of_the_diary(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.people.act(clinic.ana.number, "location", latitude=35.68, longitude=139.69)
    await clinic.afterglow.settle()
    entries = clinic.desk.act_now(
        lambda work: [
            (event.kind, work.stores.events.text(event))
            for event in work.stores.events.of(work.stores.patients.all()[0].id)
        ]
    )
    assert entries == [("travel", "Asia/Tokyo")]


async def test_an_answer_after_midnight_belongs_to_yesterday(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    asked_on = clinic.clock.now().date()
    half_past_midnight = datetime.combine(asked_on, datetime.min.time(), UTC).replace(hour=23, minute=30)
    await clinic.forward(seconds=(half_past_midnight - clinic.clock.now()).total_seconds() + 3600)
    await clinic.ana.taps("7", "7", "7", "0")

    def answered(work: Work) -> list[tuple[str, int | None]]:
        patient = work.stores.patients.all()[0]
        rows = work.stores.responses.of_item(patient.id, "daily", "mood")
        return [(work.stores.check_ins.get(row.check_in_id).day.isoformat(), row.revision) for row in rows]

    assert clinic.desk.act_now(answered) == [(asked_on.isoformat(), 1)]
    await clinic.forward(hours=4)  # the day ended at four
    await clinic.ana.taps("Skip")
    assert "earlier question" in await clinic.ana.last()
