"""Enrolment is short; what the clinic must know beside it is told later, skipped, resumed and changed."""

from bot.services.work import Work
from tests.support.clinic import SimulatedClinic


async def test_the_first_minutes_stay_short(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    acts = [message for message in (await clinic.people.chat(2001))["messages"] if not message["from_bot"]]
    assert len(acts) == 3  # the link, the city, the hour; two taps beside
    assert "18 or older" in await clinic.ana.all_texts()


async def test_a_town_that_was_misunderstood_is_typed_again(clinic: SimulatedClinic) -> None:
    await clinic.nurse.says("/enrol")
    await clinic.ana.says((await clinic.nurse.last()).split()[-1])
    await clinic.ana.taps("English", "I agree")
    await clinic.ana.says("Tokio")
    assert "It is 18:00 where you are" in await clinic.ana.last()
    await clinic.ana.says("tomorrow morning")  # neither a time nor a town
    assert "It is 18:00 where you are" in await clinic.ana.all_texts()
    await clinic.ana.says("Lisbon")
    assert "It is 09:00 where you are" in await clinic.ana.last()
    await clinic.ana.says("19:30")
    assert clinic.desk.act_now(lambda work: [row.zone for row in work.stores.patients.all()]) == ["Europe/Lisbon"]


async def test_the_safety_plan_stands_below_i_need_help(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.ana.taps("About you")
    assert "1 of 8" in await clinic.ana.last() and "phone number" in await clinic.ana.last()
    await clinic.ana.says("+1 555 0123")
    await clinic.ana.taps("Skip")
    await clinic.ana.says("Eva, +1 555 0199")
    await clinic.ana.taps("Yes", "Later")
    assert "can wait" in await clinic.ana.last()

    await clinic.ana.says("a note, not an answer")  # the sitting is over until it is resumed
    assert "Noted in your diary" in await clinic.ana.last()

    await clinic.ana.says("/settings")
    await clinic.ana.taps("About you", "Go on")
    assert "Where do you live" in await clinic.ana.last()
    await clinic.ana.taps("Skip", "Skip", "Skip", "Nobody else")
    await clinic.ana.says("I stop sleeping")
    await clinic.ana.says("Walking with the dog")
    await clinic.ana.says("Eva")
    assert "questionnaires" in await clinic.ana.last()

    await clinic.ana.taps("I need help")
    help_text = await clinic.ana.last()
    assert "Warning signs: I stop sleeping" in help_text and "What helps: Walking with the dog" in help_text
    page = await clinic.nurse.last()  # the alert carries what is needed to act
    assert "Phone: +1 555 0123" in page and "Emergency contact: Eva, +1 555 0199" in page
    await clinic.nurse.says("P-0001")
    assert "May be called: Yes" in await clinic.nurse.last()


async def test_asq_and_phq9_are_answered_once_at_enrolment(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.ana.taps("About you", *["Skip"] * 8)
    assert "about three minutes" in await clinic.ana.last()
    await clinic.ana.taps("Start", *["Not at all"] * 9)
    assert "wished you were dead" in await clinic.ana.last()
    await clinic.ana.taps("No", "No", "No")
    assert "Have you ever tried to kill yourself?" in await clinic.ana.last()
    await clinic.ana.taps("No")
    assert "Thank you" in await clinic.ana.last()

    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("7", "7", "7", "0")
    assert "Thank you" in await clinic.ana.last()  # nothing of it is asked a second time that day


async def test_a_text_in_the_sitting_is_looked_at_for_danger_like_any_other(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.ana.taps("About you")
    await clinic.ana.says("I've got the pills ready")
    assert "Urgent, now: patient P-0001" in await clinic.nurse.last()


async def test_somebody_under_18_is_not_enrolled(clinic: SimulatedClinic) -> None:
    await clinic.nurse.says("/enrol")
    await clinic.ana.says((await clinic.nurse.last()).split()[-1])
    await clinic.ana.taps("English", "I am under 18")
    assert "18 or older" in await clinic.ana.all_texts()
    assert "under 18" in await clinic.nurse.last()
    assert "116 123" in await clinic.ana.last() or "988" in await clinic.ana.last()


async def test_answers_by_somebody_else_enter_no_comparison(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.forward(days=1)
    await clinic.next_prompt(clinic.ana)
    for _ in range(40):
        if "Skip" not in await clinic.ana.buttons():
            break
        await clinic.ana.taps("0" if "0" in await clinic.ana.buttons() else "Not at all")
    await clinic.ana.taps("Somebody else answered")
    assert "not compared" in await clinic.ana.last()

    def modes(work: Work) -> list[tuple[str, int]]:
        rows = work.stores.responses.of_item(work.stores.patients.all()[0].id, "daily", "mood")
        return [(row.mode, row.revision) for row in rows]

    assert clinic.desk.act_now(modes) == [("tap", 1), ("proxy", 2)]
    await clinic.nurse.says("P-0001")
    assert "Last moods" not in await clinic.nurse.last()
