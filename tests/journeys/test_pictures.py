"""The roster and the chart of an alert as the team sees them in the chat: in private, and never before the text."""

import pytest

from bot.exports import charts
from tests.support.clinic import TEAM, SimulatedClinic


async def an_alert(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("7", "6", "5", "0")
    await clinic.ana.taps("I need help")


async def test_the_chart_of_an_alert_is_one_tap_behind_its_text(clinic: SimulatedClinic) -> None:
    await an_alert(clinic)
    page = (await clinic.nurse.messages())[-1]
    assert "P-0001" in page["text"] and not page["file"]
    await clinic.nurse.taps("Chart")
    picture = (await clinic.nurse.messages())[-1]
    assert picture["file"] and picture["spoiler"]
    assert picture["text"].startswith("P-0001 · ") and "lowest 7, highest 7" in picture["text"]
    assert not any(message["file"] for message in await clinic.physician.messages())


async def test_an_alert_chart_that_cannot_be_drawn_comes_in_words(
    clinic: SimulatedClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    await an_alert(clinic)

    def broken(*_: object, **__: object) -> bytes:
        raise RuntimeError

    monkeypatch.setattr(charts, "alert_chart", broken)
    await clinic.nurse.taps("Chart")
    await clinic.forward(minutes=1)
    words = [message for message in await clinic.nurse.messages() if "lowest 7, highest 7" in message["text"]]
    assert [message["file"] for message in words] == [None]


async def test_the_roster_is_a_picture_over_the_buttons_and_in_words_and_never_in_the_group(
    clinic: SimulatedClinic,
) -> None:
    await clinic.people.act(1002, "add-bot", chat=TEAM)
    await clinic.afterglow.settle()
    await clinic.enrols(clinic.ben)
    await an_alert(clinic)
    await clinic.nurse.says("/patients", chat=TEAM)
    shown = (await clinic.nurse.messages())[-1]
    assert shown["file"] and shown["spoiler"]
    assert shown["text"].splitlines()[1:] == [  # the worst first
        "P-0002: mood 7.0 (1/7), since infusion none, open alerts orange 1",
        "P-0001: mood – (0/7), since infusion none, open alerts none",
    ]
    assert [button.partition(" ")[0] for button in await clinic.nurse.buttons()] == ["P-0001", "P-0002"]

    group = [message for message in (await clinic.people.chat(TEAM))["messages"] if message["from_bot"]]
    assert any("P-0002" in message["text"] for message in group)  # the alert: a code and nothing more
    assert not any(message["file"] or "mood" in message["text"].casefold() for message in group)
    assert not any(button["text"] == "Chart" for message in group for row in message["buttons"] for button in row)
