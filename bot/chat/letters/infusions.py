"""Infusions as the care team enters and corrects them, all in the message of the patient's card."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date

from bot.chat.callbacks import Tap
from bot.chat.letters.content import Button, Content, Reader, labelled
from bot.services import infusions, reading
from bot.services.infusions import Entry
from bot.services.reading import LetterView
from bot.services.states import InfusionState
from bot.services.work import Work

DOSES = ("0.4", "0.5", "0.75", "1.0")
HOURS_AGO = ("0", "2", "4", "24")
DAYS_AHEAD = ("1", "3", "7", "14", "21", "28")


def dose(work: Work, letter: LetterView, reader: Reader) -> Content:
    rows = _doses(Tap("dose", letter.subject_id))
    return Content(_of(work, letter, reader.say("infusion.dose")), [*rows, back_to_card(letter.subject_id, reader)])


def when(work: Work, letter: LetterView, reader: Reader) -> Content:
    rows = [
        [reader.button(f"button.hours_ago.{hours}", Tap("given", letter.subject_id, f"{letter.detail},{hours}"))]
        for hours in HOURS_AGO
    ]
    other = [reader.button("button.other_day", Tap("other_day", letter.subject_id, letter.detail))]
    return Content(
        _of(work, letter, reader.say("infusion.when", dose=letter.detail)),
        [*rows, other, back_to_card(letter.subject_id, reader)],
    )


def plan(work: Work, letter: LetterView, reader: Reader) -> Content:
    days = [
        labelled(reader.count("infusion.in_days", int(days)), Tap("plan_in", letter.subject_id, days))
        for days in DAYS_AHEAD
    ]
    return Content(
        _of(work, letter, reader.say("infusion.plan")), [days[:3], days[3:], back_to_card(letter.subject_id, reader)]
    )


def listed(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.subject_id is None:
        return None
    shown = infusions.entries(work, letter.subject_id)
    rows = [[labelled(_line(entry, reader), Tap("infusion", entry.id))] for entry in shown]
    plan_one = [reader.button("button.plan_infusion", Tap("plan", letter.subject_id))]
    text = reader.say("infusion.list" if rows else "patient.no_infusion")
    return Content(_of(work, letter, text), [*rows, plan_one, back_to_card(letter.subject_id, reader)])


def recorded(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    """What was written down, so that a slip is seen at once; the blood pressure may be typed now."""
    entry = infusions.entry(work, UUID(letter.detail))
    text = f"{reader.say('infusion.recorded', line=_titled(entry, reader))}\n\n{reader.say('infusion.type_pressure')}"
    change = reader.button("button.change", Tap("infusion", entry.id))
    return Content(text, [[change], back_to_card(entry.patient, reader)])


def one(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.subject_id is None:
        return None
    entry = infusions.entry(work, letter.subject_id)
    if entry.state == InfusionState.PLANNED:
        acts = [("button.move", "move"), ("button.cancel_infusion", "remove")]
    else:
        acts = [("button.dose", "redose"), ("button.day", "move"), ("button.pressure", "pressure")]
        acts.append(("button.delete_infusion", "remove"))
    buttons = [reader.button(key, Tap(act, entry.id)) for key, act in acts]
    return Content(_titled(entry, reader), [buttons[:2], buttons[2:], back_to_card(entry.patient, reader)])


def new_dose(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.subject_id is None:
        return None
    entry = infusions.entry(work, letter.subject_id)
    rows = _doses(Tap("set_dose", entry.id))
    return Content(f"{_titled(entry, reader)}\n\n{reader.say('infusion.dose')}", [*rows, _back_to_one(entry, reader)])


def removal(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.subject_id is None:
        return None
    entry = infusions.entry(work, letter.subject_id)
    planned = entry.state == InfusionState.PLANNED
    sure = reader.button("button.cancel_sure" if planned else "button.delete_sure", Tap("removed", entry.id))
    text = reader.say("infusion.cancel_ask" if planned else "infusion.delete_ask", line=_titled(entry, reader))
    return Content(text, [[sure], _back_to_one(entry, reader)])


def _of(work: Work, letter: LetterView, text: str) -> str:
    """Whom it is about stands above every step: an infusion must not go to the wrong person."""
    return f"{reading.patient_code(work, letter.patient_id)}\n\n{text}"


def _doses(tap: Tap) -> list[list[Button]]:
    row = [labelled(f"{value} mg/kg", Tap(tap.act, tap.subject, value)) for value in DOSES]
    return [row[:2], row[2:]]


def _titled(entry: Entry, reader: Reader) -> str:
    return f"{entry.code} · {_line(entry, reader)}"


def _line(entry: Entry, reader: Reader) -> str:
    day = moment_words(entry.at, entry.zone, reader)
    if entry.state == InfusionState.PLANNED:
        return reader.say("infusion.overdue_line" if entry.overdue else "infusion.planned_line", day=day)
    parts = [day, f"{entry.dose} mg/kg" if entry.dose else "", entry.pressure]
    return " · ".join(part for part in parts if part)


def moment_words(at: datetime, zone: str, reader: Reader) -> str:
    local = at.astimezone(ZoneInfo(zone))
    return f"{format_date(local.date(), 'EEE d MMM', locale=reader.language)} {local:%H:%M}"


def _back_to_one(entry: Entry, reader: Reader) -> list[Button]:
    return [reader.button("button.back", Tap("infusion", entry.id))]


def back_to_card(patient: UUID | None, reader: Reader) -> list[Button]:
    return [reader.button("button.back", Tap("card", patient))]


KINDS = {
    "infusion.dose": dose,
    "infusion.when": when,
    "infusion.plan": plan,
    "infusion.list": listed,
    "infusion.recorded": recorded,
    "infusion.one": one,
    "infusion.new_dose": new_dose,
    "infusion.remove": removal,
}
