"""What is wrong with the house itself, for those who can repair it."""

from bot.chat.letters.content import Content, Reader
from bot.services import incidents
from bot.services.incidents import IncidentView
from bot.services.reading import LetterView
from bot.services.work import Work


def incident(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    shown = incidents.view(work, letter.subject_id) if letter.subject_id else None
    if shown is None:
        return None
    lines = [
        reader.say("incident.title"),
        sentence(shown, reader),
        reader.say(f"incident.{shown.kind}.do", detail=shown.detail),
    ]
    if shown.closed_at is not None:
        lines = [
            sentence(shown, reader),
            reader.say("incident.over", time=reader.time(shown.closed_at, work.clinic.zone)),
        ]
    return Content("\n\n".join(lines))


def listed(work: Work, _letter: LetterView, reader: Reader) -> Content:
    zone = work.clinic.zone
    lines = [
        reader.say("incident.line", since=reader.day_and_time(shown.opened_at, zone), what=sentence(shown, reader))
        for shown in incidents.all_open(work)
    ]
    past = [
        reader.say(
            "incident.past", since=reader.day_and_time(shown.opened_at, zone),
            until=reader.day_and_time(shown.closed_at or shown.opened_at, zone), what=sentence(shown, reader),
        )
        for shown in incidents.lately_over(work)
    ]  # fmt: skip
    return Content("\n\n".join([*(lines or [reader.say("incident.none")]), *past]))


def sentence(shown: IncidentView, reader: Reader) -> str:
    return reader.say(f"incident.{shown.kind}", detail=shown.detail, who=shown.who or "?")


KINDS = {"incident": incident, "incident.list": listed}
