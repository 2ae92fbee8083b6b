"""The ladder after a positive answer, step by step, as it is met in the chat."""

from bot.services.work import Work
from tests.support.clinic import SimulatedClinic


def levels(clinic: SimulatedClinic) -> list[str]:
    return clinic.desk.act_now(
        lambda work: [alert.level for alert in work.stores.alerts.all_open() if alert.rule == "R0"]
    )


def reasons(clinic: SimulatedClinic) -> list[str]:
    def read(work: Work) -> list[str]:
        patient = work.stores.patients.all()[0]
        return [work.stores.findings.reason(row)[0] for row in work.stores.findings.of(patient.id, "R0")]

    return clinic.desk.act_now(read)


async def test_a_typed_first_intention_is_orange_like_a_tapped_one(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("3", "2", "2", "1")
    assert levels(clinic) == ["yellow"]
    await clinic.ana.says("1")
    assert levels(clinic) == ["orange"]


async def test_below_red_the_questions_follow_each_other(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("3", "2", "2", "5", "0")
    assert "keep yourself safe right now" in await clinic.ana.all_texts()
    await clinic.ana.taps("Yes")
    assert "a plan, or the means" in await clinic.ana.all_texts()
    await clinic.ana.taps("No")
    assert "wished you were dead" in await clinic.ana.all_texts()
    await clinic.ana.taps("No", "No", "No")
    assert "Have you ever tried" in await clinic.ana.all_texts()  # the first time ever; later: since we last asked
    await clinic.ana.taps("No")
    assert "Over the last 2 weeks" in await clinic.ana.all_texts()  # and then the other questions go on
    assert levels(clinic) == ["orange"]


async def test_at_red_no_more_questions_but_a_call_who_is_there_and_where(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.ana.taps("About you", *["Skip"] * 6)
    await clinic.ana.says("My dog")
    await clinic.ana.taps("Later")
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("3", "2", "2", "9", "8")
    crisis = next(m for m in reversed(await clinic.ana.messages()) if "Please call now" in m["text"])
    assert crisis["text"].index("Emergency: 999") < crisis["text"].index("116 123")
    assert "What helps: My dog" in crisis["text"]
    offered = [button["text"] for row in crisis["buttons"] for button in row]
    assert offered == ["Call me now", "Somebody is with me", "I am alone", "Say where I am", "Copy 999"]
    assert "keep yourself safe" not in await clinic.ana.all_texts()

    await clinic.ana.taps("Say where I am")
    await clinic.ana.says("12 Mill Lane, second floor")
    assert "Where they are: 12 Mill Lane, second floor" in await clinic.nurse.last()
    await clinic.ana.taps("I am alone", "Call me now")
    assert {"r0.alone", "r0.call_me"} <= set(reasons(clinic))


async def test_a_yellow_ladder_left_open_is_nudged_once_and_flagged(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("3", "2", "2", "2", "0")
    assert "keep yourself safe" in await clinic.ana.all_texts()
    await clinic.forward(minutes=40)
    assert "question left open" in await clinic.ana.all_texts()
    assert levels(clinic) == ["yellow"] and reasons(clinic)[-1] == "r0.left_open"
    heard = len(await clinic.ana.messages())
    await clinic.forward(minutes=60)
    assert len(await clinic.ana.messages()) == heard


async def test_an_urge_left_out_on_two_answered_days_is_yellow(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("5", "5", "5", "Skip")
    assert levels(clinic) == []
    await clinic.forward(hours=20)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("5", "5", "5", "Skip")
    assert levels(clinic) == ["yellow"] and reasons(clinic) == ["r0.skipped"]


async def test_soon_after_danger_an_urge_left_out_is_asked_once_more(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.ana.taps("I need help")
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("5", "5", "5", "Skip")
    assert "how strong was your urge" in await clinic.ana.last()
    assert "r0.skipped" not in reasons(clinic)
    await clinic.ana.taps("Skip")
    assert "how strong was your urge" not in await clinic.ana.last()
    assert "r0.skipped" in reasons(clinic)
