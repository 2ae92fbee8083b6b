"""A forged, stale, double or foreign tap, and a wrong invitation: each gets its sentence, and nothing changes."""

from uuid import uuid4

from bot.chat.callbacks import AnswerTap, Tap
from bot.services import enrolment
from bot.services.work import Work
from bot.simulator.client import Refused
from storage.tables.people import Role
from tests.support.clinic import Phone, SimulatedClinic

STALE = "no longer"


async def buttons_of_the_question(phone: Phone) -> dict[str, str]:
    return {b["text"]: b["callback_data"] for row in (await phone.messages())[-1]["buttons"] for b in row}


def answers(work: Work) -> list[tuple[str, int | None, int]]:
    patient = work.stores.patients.by_code("P-0001")
    assert patient is not None
    return [(row.item, work.stores.responses.value(row), row.revision) for row in work.stores.responses.of(patient.id)]


async def test_forged_taps_change_nothing(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    check_in = (await buttons_of_the_question(clinic.ana))["7"].split("|")[1]
    for forged in (
        "nonsense",
        "a|x|daily.mood|7",
        f"a|{check_in}|daily.mood|77",
        f"a|{check_in}|daily.mood|seven",
        f"a|{check_in}|side_effects.nausea|1",
        f"a|{check_in}|daily.nothing|1",
        AnswerTap(uuid4(), "daily", "mood", 7).encode(),
        Tap("outcome", uuid4(), "safe").encode(),
        Tap("zone", detail="Nowhere/Land").encode(),
        Tap("hour", detail="99").encode(),
        Tap("setting", detail="../../etc").encode(),
        "\x00|\x00|\x00",
    ):
        await clinic.ana.forges(forged)
        assert clinic.desk.act_now(answers) == [], forged
    assert await clinic.desk.ask(lambda work: len(work.stores.inbox.dead())) == 0
    await clinic.ana.taps("7")
    assert clinic.desk.act_now(answers) == [("mood", 7, 1)]


async def test_a_double_tap_counts_once_and_a_correction_is_a_revision(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    seven = (await buttons_of_the_question(clinic.ana))["7"]
    message = (await clinic.ana.messages())[-1]["id"]
    await clinic.people.act(2001, "tap", data=seven, message=message)
    await clinic.people.act(2001, "tap", data=seven, message=message)
    await clinic.afterglow.settle()
    newest = {item: value for item, value, _ in clinic.desk.act_now(answers)}
    assert newest == {"mood": 7}


async def test_a_stale_tap_gets_one_kind_line(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    seven = (await buttons_of_the_question(clinic.ana))["7"]
    await clinic.forward(days=2)
    await clinic.ana.forges(seven)
    assert "button" in (await clinic.ana.last()).lower()
    assert clinic.desk.act_now(answers) == []


async def test_danger_on_a_stale_button_is_still_danger(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    seven = (await buttons_of_the_question(clinic.ana))["7"]
    await clinic.forward(days=2)
    await clinic.ana.forges(seven.replace("daily.mood|7", "daily.urge|9"))
    assert "patient P-0001" in await clinic.nurse.last()
    assert "+1 555 0100" in await clinic.ana.all_texts()


async def test_somebody_elses_button_is_nobodys(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.enrols(clinic.ben)
    await clinic.next_prompt(clinic.ana)
    seven = (await buttons_of_the_question(clinic.ana))["7"]
    await clinic.ben.forges(seven)
    assert clinic.desk.act_now(answers) == []
    assert "P-0001" not in await clinic.ben.all_texts()


async def test_patients_and_strangers_cannot_do_what_staff_may(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    patient = clinic.desk.act_now(lambda work: work.stores.patients.all()[0].id)
    for phone in (clinic.ana, clinic.ben):
        for forged in (Tap("patient", patient), Tap("report", patient), Tap("given", patient, "0.5,0")):
            await phone.forges(forged.encode()) if await phone.messages() else await phone.says(forged.encode())
        for command in ("/enrol", "/patients", "/oncall"):
            await phone.says(command)
        assert "P-0001" not in await phone.all_texts()
        assert ".pdf" not in str(await phone.messages())
    assert clinic.desk.act_now(lambda work: work.stores.infusions.given_to(patient)) == []


async def test_wrong_used_and_outdated_invitations(clinic: SimulatedClinic) -> None:
    await clinic.ben.says("/start not-an-invitation")
    wrong = await clinic.ben.last()
    token = clinic.desk.act_now(enrolment.invite_staff, Role.NURSE)
    await clinic.forward(hours=49)
    await clinic.ben.says(f"/start {token}")
    assert await clinic.ben.last() == wrong  # the same sentence: nothing is learned by guessing
    await clinic.enrols(clinic.ana)
    link = next(m["text"].split()[-1] for m in reversed(await clinic.nurse.messages()) if "start=" in m["text"])
    await clinic.ben.says(link)
    assert await clinic.ben.last() == wrong


async def test_a_text_by_a_stranger_who_needs_help_gets_the_numbers(clinic: SimulatedClinic) -> None:
    await clinic.ben.says("hello?")
    assert "+1 555 0100" in await clinic.ben.all_texts()


async def test_the_simulator_says_why_a_person_cannot_tap(clinic: SimulatedClinic) -> None:
    try:
        await clinic.ben.taps("Start")
    except Refused as refused:
        assert "no button" in str(refused)
    else:
        raise AssertionError("a button that is not there was tapped")


async def test_a_malformed_update_blocks_nothing_after_it(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    for kind, content in (("message", {"text": 5}), ("message", None), ("a_new_kind", {}), ("callback_query", [])):
        await clinic.simulator.world.tell_bot(kind, content)
    await clinic.ana.says("still here")
    assert "still here" in clinic.desk.act_now(
        lambda work: [work.stores.notes.text(n) for n in work.stores.notes.of(work.stores.patients.all()[0].id)]
    )
