"""A limit is changed for one patient: tried on the last 60 days, saved with an audit entry, and taken back."""

from bot.services.work import Work
from tests.support.clinic import SimulatedClinic


def own(clinic: SimulatedClinic) -> dict[str, float]:
    return clinic.desk.act_now(lambda work: work.stores.people.limits(work.stores.patients.all()[0].id))


def acts(work: Work) -> list[tuple[str, str]]:
    return [(e.act, e.detail) for e in work.stores.audit.trail() if e.act.startswith("limit.")]


async def test_a_limit_is_tried_saved_and_taken_back(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.nurse.says("P-0001")
    assert "No alarm yet for loss of response, below own level: no infusion yet" in await clinic.nurse.last()
    await clinic.nurse.taps("More", "Limits", "R7 · fading over infusions")
    await clinic.nurse.taps((await clinic.nurse.buttons())[0], "2")
    assert "last 60 days" in await clinic.nurse.last()
    assert own(clinic) == {}  # nothing is saved by looking
    await clinic.nurse.taps("Save 2")
    assert own(clinic) == {"fading": 2.0}
    assert "own limit" in await clinic.nurse.last()
    await clinic.nurse.taps("Back to the clinic's limit")
    assert own(clinic) == {}
    assert clinic.desk.act_now(acts) == [("limit.set", "fading 1.5 to 2"), ("limit.reset", "fading")]
