"""The limits of one patient's alert rules, and what others would have done, in the message of the patient's card."""

from uuid import UUID

from bot.chat.callbacks import Tap
from bot.chat.letters.content import Button, Content, Reader, labelled
from bot.chat.letters.infusions import back_to_card
from bot.services import limits, reading
from bot.services.limits import BY_RULE
from bot.services.reading import LetterView
from bot.services.work import Work


def shown(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.subject_id is None:
        return None
    name, _, value = letter.detail.partition("=")
    title = reader.say("limits.title", code=reading.patient_code(work, letter.subject_id))
    if not name:
        rows = [
            [labelled(f"{rule} · {reader.say(f'limits.rule.{rule}')}", Tap("limits", letter.subject_id, rule))]
            for rule in BY_RULE
        ]
        return Content(title, [*rows, back_to_card(letter.subject_id, reader)])
    if name in BY_RULE:
        rows = [[labelled(_line(work, letter.subject_id, one, reader), Tap("limits", letter.subject_id, one))]
                for one in BY_RULE[name]]  # fmt: skip
        return Content(title, [*rows, _back(letter.subject_id, "", reader)])
    return _trial(work, letter.subject_id, name, value, reader) if value else _values(
        work, letter.subject_id, name, reader
    )  # fmt: skip


def _values(work: Work, patient: UUID, name: str, reader: Reader) -> Content:
    offered = [
        labelled(f"{value:g}", Tap("limits", patient, f"{name}={value:g}"))
        for value in limits.choices(work, patient, name)
    ]
    _, own = limits.current(work, patient, name)
    undo = [[reader.button("button.reset_limit", Tap("limit_reset", patient, name))]] if own else []
    return Content(_line(work, patient, name, reader), [offered, *undo, _back(patient, _rule(name), reader)])


def _trial(work: Work, patient: UUID, name: str, value: str, reader: Reader) -> Content:
    found = limits.trial(work, patient, name, value)
    text = reader.say(
        "limits.trial", line=_line(work, patient, name, reader), value=value, before=_counted(found.before),
        after=_counted(found.after),
    )  # fmt: skip
    save = reader.button("button.save_limit", Tap("limit_set", patient, f"{name}={value}"), value=value)
    return Content(text, [[save], _back(patient, name, reader)])


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{rule} {n}" for rule, n in counts.items()) or "–"


def _line(work: Work, patient: UUID, name: str, reader: Reader) -> str:
    value, own = limits.current(work, patient, name)
    mark = f" ({reader.say('limits.own')})" if own else ""
    return f"{reader.say(f'limits.{name}')}: {value:g}{mark}"


def _rule(name: str) -> str:
    return next(rule for rule, names in BY_RULE.items() if name in names)


def _back(patient: UUID, to: str, reader: Reader) -> list[Button]:
    return [reader.button("button.back", Tap("limits", patient, to))]


KINDS = {"limits": shown}
