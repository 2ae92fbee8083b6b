"""Breaks from the questions."""

from babel.dates import format_date

from bot.chat.callbacks import Tap
from bot.chat.letters.content import Content, Reader, labelled
from bot.chat.letters.enrolment import help_row
from bot.services.pausing import DAYS, ends_on
from bot.services.reading import LetterView
from bot.services.work import Work


def ask_pause(work: Work, letter: LetterView, reader: Reader) -> Content:
    row = [labelled(reader.count("pause.days", int(days)), Tap("pause", detail=days)) for days in DAYS]
    paused = ends_on(work, letter.person_id) is not None
    go_on = [[reader.button("button.resume", Tap("resume"))]] if paused else []
    return Content(reader.say("pause.ask"), [row, *go_on, help_row(reader)])


def begun(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    day = ends_on(work, letter.patient_id)
    if day is None:
        return None
    text = reader.say("pause.begun", day=format_date(day, "EEEE d MMMM", locale=reader.language))
    return Content(text, [[reader.button("button.resume", Tap("resume"))], help_row(reader)])


def ask_stop(_work: Work, _letter: LetterView, reader: Reader) -> Content:
    return Content(reader.say("stop.ask"), [[reader.button("button.stop", Tap("stop"))], help_row(reader)])


def done(_work: Work, _letter: LetterView, reader: Reader) -> Content:
    return Content(reader.say("stop.done"), [[reader.button("button.resume", Tap("resume"))], help_row(reader)])


KINDS = {"pause.ask": ask_pause, "pause.begun": begun, "stop.ask": ask_stop, "stop.done": done}
