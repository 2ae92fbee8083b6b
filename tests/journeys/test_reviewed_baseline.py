"""Chronic thoughts: what a physician has signed as usual is a note, and more than usual stands out."""

from bot.chat.callbacks import Tap
from bot.services.work import Work
from storage.tables.alerts import AlertState
from tests.support.clinic import SimulatedClinic


async def answer(clinic: SimulatedClinic, urge: str, intent: str = "0") -> None:
    """One check-in to its end, calm but for the urge."""
    await clinic.next_prompt(clinic.ana)
    for _ in range(40):
        card = next(m for m in reversed(await clinic.ana.messages()) if " of " in m["text"] or "Noted" in m["text"])
        offered = [button["text"] for row in card["buttons"] for button in row]
        if "Skip" not in offered:
            return
        calm = next((one for one in ("No", "Not at all", "Yes", "None") if one in offered), "5")
        said = urge if "urge to kill" in card["text"] else intent if "intention" in card["text"] else calm
        said = "Yes" if "keep yourself safe" in card["text"] else said
        await clinic.people.act(2001, "tap", button=said, message=card["id"])
        await clinic.afterglow.settle()


def open_r0(clinic: SimulatedClinic) -> list[str]:
    return clinic.desk.act_now(
        lambda work: [alert.level for alert in work.stores.alerts.all_open() if alert.rule == "R0"]
    )


def last_reason(clinic: SimulatedClinic) -> str:
    def read(work: Work) -> str:
        patient = work.stores.patients.all()[0]
        return work.stores.findings.reason(work.stores.findings.of(patient.id, "R0")[-1])[0]

    return clinic.desk.act_now(read)


def close_all(work: Work) -> None:
    for alert in work.stores.alerts.all_open():
        alert.state, alert.closed_at, alert.next_step_at, alert.outcome = AlertState.CLOSED, work.now, None, "safe"


async def test_the_usual_is_a_note_and_more_stands_out(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    for _ in range(10):
        await answer(clinic, "2")
        clinic.desk.act_now(close_all)
        await clinic.forward(hours=12)
    clinic.desk.act_now(close_all)

    await clinic.nurse.says("P-0001")
    await clinic.nurse.taps("More", "Reviewed baseline")
    assert "not for this account" in await clinic.nurse.last()
    await clinic.physician.says("P-0001")
    await clinic.physician.taps("More", "Reviewed baseline")
    assert "urge up to 2 (mean 2.0 on 10 answered days)" in await clinic.physician.last()
    await clinic.physician.taps("Safety plan discussed", "Access to means discussed", "Sign for 28 days")
    assert "Signed: urge up to 2" in await clinic.physician.last()
    assert "baseline.signed" in clinic.desk.act_now(lambda work: [e.act for e in work.stores.audit.trail()])

    await answer(clinic, "2")
    assert open_r0(clinic) == [] and last_reason(clinic) == "r0.usual"
    assert "Is this as usual for you?" in await clinic.ana.all_texts()
    await clinic.ana.taps("Same as usual")
    assert open_r0(clinic) == []
    await clinic.ana.taps("Worse")
    assert open_r0(clinic) == ["yellow"]
    assert "keep yourself safe" in await clinic.ana.last()
    clinic.desk.act_now(close_all)

    await clinic.forward(hours=20)
    await answer(clinic, "2", intent="1")  # never damped, and it ends what was signed
    assert open_r0(clinic) == ["orange"]
    await clinic.physician.says("P-0001")
    await clinic.physician.taps("More", "Reviewed baseline")
    assert "Signed:" not in await clinic.physician.last()


async def test_a_hospital_stay_ends_it_and_nothing_is_signed_too_early(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.physician.says("P-0001")
    await clinic.physician.taps("More", "Reviewed baseline")
    assert "at least ten answered days" in await clinic.physician.last()
    assert "Safety plan discussed" not in await clinic.physician.buttons()


def signed(work: Work) -> None:
    """As if a physician had signed it this morning."""
    patient, physician = work.stores.patients.all()[0], work.stores.rota.in_order()[1]
    terms = {"ceiling": 2.0, "mean": 2.0, "item9": 0.0}
    work.stores.baselines.sign(patient_id=patient.id, by=physician.id, day=work.now.date(), terms=terms)


def holds(work: Work) -> bool:
    row = work.stores.baselines.newest(work.stores.patients.all()[0].id)
    return row is not None and row.ended_on is None


async def test_different_is_followed_up_and_not_safe_ends_it(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    clinic.desk.act_now(signed)
    await clinic.ana.forges(Tap("compared", detail="different").encode())
    assert open_r0(clinic) == ["yellow"] and last_reason(clinic) == "r0.different_than_usual"
    assert "keep yourself safe" in await clinic.ana.last() and clinic.desk.act_now(holds)
    await clinic.ana.forges(Tap("compared", detail="not_safe").encode())
    assert open_r0(clinic) == ["red"] and not clinic.desk.act_now(holds)


async def test_an_attempt_that_the_team_notes_ends_it(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    clinic.desk.act_now(signed)
    await clinic.nurse.says("P-0001")
    await clinic.nurse.taps("More", "Suicide attempt")
    assert clinic.desk.act_now(holds)
    await clinic.nurse.says("On Sunday; was in hospital for a night")
    assert not clinic.desk.act_now(holds)
    events = clinic.desk.act_now(lambda work: work.stores.events.of(work.stores.patients.all()[0].id))
    assert [entry.kind for entry in events] == ["attempt"]
    assert "patient.attempt" in clinic.desk.act_now(lambda work: [e.act for e in work.stores.audit.trail()])
