"""The crisis letter, the numbers, and receipts that never say more than what a person did."""

from bot.chat.callbacks import Tap
from bot.chat.letters.about_you import plan_lines
from bot.chat.letters.content import Button, Content, Reader
from bot.chat.letters.enrolment import help_row
from bot.clinical.terms import Level
from bot.services import alert_cards, safety_line
from bot.services.alert_cards import AlertView
from bot.services.reading import LetterView
from bot.services.work import Work


def crisis(work: Work, letter: LetterView, reader: Reader) -> Content:
    """Numbers first, at RED the emergency number; the own plan; then the truth about who looks and when."""
    numbers = safety_line.numbers(work, letter.patient_id, letter.subject_id)
    red = letter.detail == Level.RED
    lines = [reader.say("chat.crisis.red" if red else "chat.crisis.open"), _numbers(numbers, reader, urgent=red)]
    if numbers.plan:
        lines.append(reader.say("chat.help.plan", plan=plan_lines(numbers.plan, reader)))
    lines += [*_who_sees_it(numbers, reader), reader.say("chat.crisis.not_watched")]
    asked = _now(reader) if red else [[reader.button("button.unsafe", Tap("crisis", detail="unsafe"))]]
    last = [_copy(numbers, reader)]
    if numbers.help_pressed and not red:
        last.append(reader.button("button.mistake", Tap("mistake")))
    return Content("\n\n".join(lines), [*asked, last])


def _who_sees_it(numbers: safety_line.Numbers, reader: Reader) -> list[str]:
    """What has been sent and who can answer when; what waits for the next working day is not called an alarm."""
    sent, cover = numbers.sent_at, numbers.cover
    later = numbers.level == Level.YELLOW
    if later and sent is None and not cover.now and cover.opens_at is not None:
        return [reader.say("crisis.goes_then", time=reader.day_and_time(cover.opens_at, numbers.zone))]
    line = reader.say("crisis.being_sent") if sent is None else reader.say(
        "chat.crisis.sent", time=reader.time(sent, numbers.zone)
    )  # fmt: skip
    return [line, *([reader.say("crisis.next_day")] if later else []), *_cover(numbers, reader)]


def _now(reader: Reader) -> list[list[Button]]:
    """What matters at RED: a call, who is there, and where."""
    return [
        [reader.button("button.call_me", Tap("crisis", detail="call"))],
        [
            reader.button("button.company", Tap("crisis", detail="company")),
            reader.button("button.alone", Tap("crisis", detail="alone")),
        ],
        [reader.button("button.where", Tap("where"))],
    ]


def _copy(numbers: safety_line.Numbers, reader: Reader) -> Button:
    """Short numbers are not tappable on every phone."""
    number = numbers.country.emergency
    return {"text": reader.say("button.copy_number", number=number), "copy_text": {"text": number}}


def body(work: Work, letter: LetterView, reader: Reader) -> Content:
    """A bodily emergency: chest pain, trouble breathing, fainting."""
    numbers = safety_line.numbers(work, letter.patient_id)
    return Content(
        reader.say("chat.crisis.body", emergency=numbers.country.emergency, phone=numbers.clinic_phone),
        [help_row(reader)],
    )


def help_numbers(work: Work, letter: LetterView, reader: Reader) -> Content:
    numbers = safety_line.numbers(work, letter.patient_id)
    lines = [reader.say("chat.help.open"), _numbers(numbers, reader)]
    if numbers.plan:
        lines.append(reader.say("chat.help.plan", plan=plan_lines(numbers.plan, reader)))
    lines.append(reader.say("chat.crisis.not_watched"))
    if letter.detail != "mistake":
        return Content(
            "\n\n".join(lines), [[_copy(numbers, reader)], help_row(reader)], pin=letter.detail == "enrolled"
        )
    lines.insert(1, reader.say("chat.help.alerted"))
    lines[-1:-1] = _cover(numbers, reader)
    unsafe = reader.button("button.unsafe", Tap("crisis", detail="unsafe"))
    return Content(
        "\n\n".join(lines), [[unsafe], [_copy(numbers, reader), reader.button("button.mistake", Tap("mistake"))]]
    )


def receipt_read(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    alert = _alert(work, letter)
    if alert is None or alert.owner is None or alert.acknowledged_at is None:
        return None
    zone = safety_line.numbers(work, letter.patient_id).zone
    return Content(reader.say("receipt.read", name=alert.owner, time=reader.time(alert.acknowledged_at, zone)))


def receipt_promised(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    alert = _alert(work, letter)
    if alert is None or alert.owner is None or alert.promised_at is None:
        return None
    zone = safety_line.numbers(work, letter.patient_id).zone
    return Content(reader.say("receipt.promised", name=alert.owner, time=reader.time(alert.promised_at, zone)))


def receipt_passed_on(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    """None when somebody has taken it meanwhile: that has a receipt of its own."""
    alert = _alert(work, letter)
    if alert is None or alert.owner is not None:
        return None
    return _with_numbers("receipt.passed_on", work, letter, reader)


def receipt_not_reached(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    alert = _alert(work, letter)
    if alert is None or alert.reached_at is not None:
        return None
    return _with_numbers("receipt.not_reached", work, letter, reader)


def _with_numbers(key: str, work: Work, letter: LetterView, reader: Reader) -> Content:
    numbers = safety_line.numbers(work, letter.patient_id)
    return Content(f"{reader.say(key)}\n\n{_numbers(numbers, reader)}", [help_row(reader)])


def _alert(work: Work, letter: LetterView) -> AlertView | None:
    return alert_cards.view(work, letter.subject_id) if letter.subject_id is not None else None


def _cover(numbers: safety_line.Numbers, reader: Reader) -> list[str]:
    """The truth about who can answer now; nothing when somebody can."""
    if numbers.cover.now:
        return []
    opens = numbers.cover.opens_at
    if opens is None:
        return [reader.say("crisis.nobody_on_call")]
    return [reader.say("crisis.nobody_before", time=reader.day_and_time(opens, numbers.zone))]


def _numbers(numbers: safety_line.Numbers, reader: Reader, *, urgent: bool = False) -> str:
    clinic = [reader.say("chat.number.clinic", phone=numbers.clinic_phone)] if numbers.clinic_phone else []
    lines = [f"{line.name}: {line.number}" for line in numbers.country.lines]
    emergency = [reader.say("chat.number.emergency", phone=numbers.country.emergency)]
    return "\n".join([*emergency, *clinic, *lines] if urgent else [*clinic, *lines, *emergency])


KINDS = {
    "crisis": crisis,
    "crisis.body": body,
    "help.numbers": help_numbers,
    "receipt.read": receipt_read,
    "receipt.promised": receipt_promised,
    "receipt.passed_on": receipt_passed_on,
    "receipt.not_reached": receipt_not_reached,
}
