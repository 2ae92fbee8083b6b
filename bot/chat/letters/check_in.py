"""One message per check-in, edited in place: the prompt, the question that is next, and the folded summary."""

from bot.chat.callbacks import AnswerTap, Tap
from bot.chat.letters.content import Button, Buttons, Content, Reader, labelled
from bot.chat.letters.enrolment import help_row
from bot.clinical.instrument import ItemStyle
from bot.services import care, check_ins
from bot.services.check_ins import Question, Summary
from bot.services.reading import LetterView
from bot.services.states import CheckInState
from bot.services.work import Work

FIRST_ROW = 6  # 0 to 5, then 6 to 10


def prompt(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    """Notification texts contain no clinical word."""
    if letter.subject_id is None:
        return None
    shown = check_ins.view(work, letter.subject_id)
    if isinstance(shown, Summary):
        return None  # answered or over before the prompt could go out
    key = "check_in.reminder" if letter.kind == "check_in.reminder" else "check_in.prompt"
    start = reader.button("button.start", Tap("begin", letter.subject_id))
    snooze = reader.button("button.snooze", Tap("snooze", letter.subject_id))
    return Content(reader.say(key), [[start, snooze], help_row(reader)])


def gentle(_work: Work, _letter: LetterView, reader: Reader) -> Content:
    """After the second question without an answer: no scolding, and help stays near."""
    return Content(reader.say("silence.gentle"), [help_row(reader)])


def nudge(_work: Work, letter: LetterView, reader: Reader) -> Content:
    """A safety question is open: once, and without urging."""
    start = reader.button("button.start", Tap("begin", letter.subject_id))
    return Content(reader.say("check_in.nudge"), [[start], help_row(reader)])


def card(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.subject_id is None:
        return None
    shown = check_ins.view(work, letter.subject_id, letter.detail)
    if isinstance(shown, Question):
        return _question(shown, reader)
    if letter.detail == "choose" and shown.can_change:
        return _choose(work, shown, reader)
    return _summary(work, shown, reader)


def _question(shown: Question, reader: Reader) -> Content:
    wording = shown.instrument.wording(reader.language)
    item = wording.items[shown.item.code]
    lines = [reader.say("check_in.place", number=shown.number, of=shown.of)]
    if wording.stem:
        lines.append(wording.stem)
    lines.append(item.question)
    if shown.item.style == ItemStyle.SCALE:
        lines.append(f"{shown.item.low} = {item.low}\n{shown.item.high} = {item.high}")
        lines.append(reader.say("check_in.how", low=shown.item.low, high=shown.item.high))
    return Content("\n\n".join(lines), [*_answers(shown, item.options), _last_row(shown, reader), help_row(reader)])


def _answers(shown: Question, options: tuple[str, ...]) -> Buttons:
    def tap(value: int) -> AnswerTap:
        return AnswerTap(shown.check_in, shown.instrument.code, shown.item.code, value)

    values = range(shown.item.low, shown.item.high + 1)
    if shown.item.style == ItemStyle.SCALE:
        digits = [labelled(str(value), tap(value)) for value in values]
        return [digits[:FIRST_ROW], digits[FIRST_ROW:]]
    return [[labelled(option, tap(value))] for value, option in zip(values, options, strict=True)]


def _last_row(shown: Question, reader: Reader) -> list[Button]:
    if shown.given:  # skipping would take back what was answered
        return [reader.button("button.leave_answer", Tap("begin", shown.check_in))]
    skip = reader.button("button.skip", AnswerTap(shown.check_in, shown.instrument.code, shown.item.code, None))
    back = reader.button("button.back", Tap("back", shown.check_in))
    return [back, skip] if shown.can_go_back else [skip]


def _choose(work: Work, shown: Summary, reader: Reader) -> Content:
    rows = [
        [
            labelled(
                f"{instrument.wording(reader.language).items[item.code].question[:40]} · {_said(value)}",
                Tap("change", shown.check_in, f"{instrument.code}.{item.code}"),
            )
        ]
        for instrument, item, value in check_ins.answers(work, shown.check_in)
    ]
    return Content(reader.say("check_in.choose"), [*rows, help_row(reader)])


def _summary(work: Work, shown: Summary, reader: Reader) -> Content:
    answers = check_ins.answers(work, shown.check_in)
    values = " · ".join(_said(value) for _, _, value in answers)
    if shown.state != CheckInState.FINISHED:
        over = reader.say("check_in.expired_some", answers=values) if answers else reader.say("check_in.expired")
        return Content(over, [help_row(reader)])
    mood = next((value for form, item, value in answers if (form.code, item.code) == ("daily", "mood")), None)
    is_low = mood is not None and mood <= care.LOW_MOOD
    key = "check_in.stopped" if shown.crisis else "check_in.done_low" if is_low else "check_in.done"
    zone = work.stores.patients.get(shown.patient).zone
    text = reader.say(key, answers=values, time=reader.day_and_time(care.next_digest(work), zone))
    change = reader.button("button.change", Tap("change", shown.check_in))
    proxy = reader.button("button.proxy", Tap("proxy", shown.check_in))
    return Content(text, [*([[change, proxy]] if shown.can_change else []), help_row(reader)])


def _said(value: int | None) -> str:
    return "–" if value is None else str(value)


KINDS = {
    "check_in.prompt": prompt,
    "check_in.reminder": prompt,
    "check_in.nudge": nudge,
    "silence.gentle": gentle,
    "check_in.card": card,
}
