"""The main job, end to end, as it is done by hand on the simulator's page."""

from bot.services.work import Work
from tests.support.clinic import SimulatedClinic


async def test_from_invitation_to_report(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    assert "Test clinic" in await clinic.ana.all_texts()
    assert "Your daily question comes at 10:00" in await clinic.ana.all_texts()

    await clinic.infuses()
    assert "Recorded: P-0001 · " in await clinic.nurse.last()

    await clinic.forward(days=1)
    await clinic.next_prompt(clinic.ana)
    assert "How is your mood today?" in await clinic.ana.last()
    await clinic.ana.taps("7")
    await clinic.ana.says("seven")  # a typed word counts as well
    await clinic.ana.taps("6")
    await clinic.ana.taps("0")
    assert "interest" not in await clinic.ana.last()

    await clinic.nurse.says("P-0001")
    assert "Last moods (0–10): 7" in await clinic.nurse.last()
    await clinic.nurse.taps("Report (PDF)")
    report = (await clinic.nurse.messages())[-1]
    assert report["filename"] == "P-0001.pdf"
    assert (await clinic.people.file(report["file"])).startswith(b"%PDF")


async def test_suicidal_thoughts_reach_a_human_at_that_answer(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("3", "2", "2", "9")

    said = await clinic.ana.all_texts()
    assert "Sent to the care team at" in said
    assert "+1 555 0100" in said and "116 123" in said  # she is in London
    assert "How strong is your intention" in said  # asked once, after the numbers
    assert "Call within 4 hours: patient P-0001" in await clinic.nurse.last()
    assert "P-0001" not in await clinic.physician.all_texts()

    await clinic.ana.taps("2")
    assert "Please call now" in await clinic.ana.last()
    assert "Urgent, now: patient P-0001" in await clinic.nurse.last()
    assert "Urge 9 and intent 2 of 10" in await clinic.nurse.last()

    await clinic.nurse.taps("Take it")
    assert "Taken by Nurse" in await clinic.nurse.last()
    assert "Nurse has read it at" in await clinic.ana.last()
    await clinic.nurse.taps("Contacted", "Close", "Reached and safe")
    assert "Closed by Nurse" in await clinic.nurse.all_texts()


async def test_a_red_alert_that_nobody_takes_climbs_the_rota(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("3", "2", "2", "9", "5")
    pages = len(await clinic.nurse.messages())

    await clinic.forward(minutes=3)
    assert len(await clinic.nurse.messages()) > pages  # again, and it sounds
    assert "P-0001" not in await clinic.physician.all_texts()
    await clinic.forward(minutes=3)
    assert "Urgent, now: patient P-0001" in await clinic.physician.last()

    await clinic.physician.taps("Take it")
    assert "Taken by Physician" in await clinic.nurse.last()  # everybody sees who has it
    quiet = len(await clinic.nurse.messages())
    await clinic.forward(minutes=10)
    assert len(await clinic.nurse.messages()) == quiet
    await clinic.forward(minutes=10)  # taken, and no contact within 15 minutes: it goes back to the rota
    assert "nobody has taken it" in await clinic.nurse.last()


async def test_i_need_help_is_answered_and_alerts_in_one_tap(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.ana.taps("I need help")
    assert "+1 555 0100" in await clinic.ana.last()
    assert "Pressed «I need help»" in await clinic.nurse.last()
    await clinic.ana.taps("Pressed by mistake")
    assert "still see that the button was pressed" in await clinic.ana.last()
    assert "nobody has taken it" in await clinic.nurse.last()


async def test_a_note_that_speaks_of_a_plan_is_red(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.ana.says("I've got the pills ready")
    assert "Please call now" in await clinic.ana.all_texts()
    assert "Urgent, now: patient P-0001" in await clinic.nurse.last()


async def test_a_fall_of_mood_below_the_own_level_alerts(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    for mood in (2, 2, 3):
        await answer_day(clinic, mood)
    await clinic.infuses()
    for mood in (7, 7, 8, 7, 7, 8, 7):
        await answer_day(clinic, mood)
    assert "own level after this infusion" not in await clinic.nurse.all_texts()
    for mood in (7, 4, 3, 3, 3):
        await answer_day(clinic, mood)
        if "own level after this infusion" in await clinic.nurse.all_texts():
            break
    assert "own level after this infusion" in await clinic.nurse.all_texts()


async def answer_day(clinic: SimulatedClinic, mood: int) -> None:
    """Answers the mood of the next daily check-in; the other items are skipped."""
    while True:
        await clinic.next_prompt(clinic.ana)
        asked = await clinic.ana.last()
        await clinic.ana.taps(str(mood))
        for _ in range(40):
            if "Skip" not in await clinic.ana.buttons():
                break
            buttons = await clinic.ana.buttons()
            calm = "No" if "No" in buttons else "Skip"  # a safety question that is skipped counts as a yes
            await clinic.ana.taps("0" if "urge to kill" in await clinic.ana.last() else calm)
        if "How is your mood" in asked:
            return


async def test_an_intention_left_open_after_a_strong_urge_becomes_red(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("3", "2", "2", "9")
    await clinic.nurse.taps("Take it")
    assert "Urgent, now" not in await clinic.nurse.all_texts()
    await clinic.forward(minutes=6)
    assert "Urgent, now: patient P-0001" in await clinic.nurse.last()
    assert "nobody has taken it" in await clinic.nurse.last()  # what was taken knew less than it says now


async def test_safety_questions_left_open_for_half_an_hour_become_red(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("3", "2", "2", "6", "0")
    assert "safe" in (await clinic.ana.all_texts())
    await clinic.forward(minutes=20)
    assert "Urgent, now" not in await clinic.nurse.all_texts()
    await clinic.forward(minutes=15)
    assert "Urgent, now: patient P-0001" in await clinic.nurse.last()


async def test_silence_after_an_infusion_is_told(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.infuses()

    def open_alerts(work: Work) -> list[tuple[str, str]]:
        return [(alert.rule, alert.level) for alert in work.stores.alerts.all_open()]

    await clinic.forward(hours=20)
    assert clinic.desk.act_now(open_alerts) == []
    await clinic.forward(days=3)
    assert clinic.desk.act_now(open_alerts) == [("R5", "yellow")]
    assert "without an answer" in await clinic.nurse.all_texts()
