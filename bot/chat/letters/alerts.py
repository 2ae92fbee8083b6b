"""An alert's card, in a private chat and in the team's group; in a group never more than a neutral line and a code."""

from bot.chat.callbacks import Tap
from bot.chat.letters.about_you import contact_lines
from bot.chat.letters.content import Button, Content, Reader
from bot.services import alert_cards, alerts
from bot.services.alert_cards import AlertView, FindingView
from bot.services.alerts import OUTCOMES
from bot.services.reading import LetterView
from bot.services.states import AlertState
from bot.services.work import Work


def page(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    """What triggered it, in words; value against own baseline; who owns it."""
    if letter.subject_id is None:
        return None
    alert = alert_cards.view(work, letter.subject_id)
    if letter.fresh and alert.state == AlertState.CLOSED:
        return None  # closed while the page was on its way: nothing must sound any more
    lines = [reader.say(f"alert.first_line.{alert.level}", patient=alert.patient, code=alert.code)]
    lines += [_sentence(finding, reader) for finding in alert.findings[-3:]]
    if alert.days_since_infusion is not None:
        lines.append(reader.count("alert.since_infusion", alert.days_since_infusion))
    lines += contact_lines(alert.contact, reader)[:1] and ["\n".join(contact_lines(alert.contact, reader))]
    if alert.state != AlertState.CLOSED and "phone" not in alert.contact:
        lines.append(reader.say("alert.no_phone"))
    lines.append(_state(alert, reader))
    if alert.note:
        lines.append(reader.say("alert.note", note=alert.note))
    return Content("\n\n".join(lines), _actions(work, alert, letter, reader))


def team(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.subject_id is None:
        return None
    alert = alert_cards.view(work, letter.subject_id)
    if letter.fresh and alert.state == AlertState.CLOSED:
        return None
    first = reader.say(f"alert.first_line.{alert.level}", patient=alert.patient, code=alert.code)
    take = [[reader.button("button.take", Tap("take", alert.id))]] if alert.state == AlertState.OPEN else []
    return Content(f"{first}\n{_state(alert, reader)}", take)


def _sentence(finding: FindingView, reader: Reader) -> str:
    values = dict(finding.values)
    if "item" in values:
        values["item"] = (
            reader.say(f"item.{values['item']}") if reader.texts.has(f"item.{values['item']}") else values["item"]
        )
    return reader.say(f"finding.{finding.reason}", **values)


def _state(alert: AlertView, reader: Reader) -> str:
    def at(key: str) -> str:
        moment = {"taken": alert.acknowledged_at, "contacted": alert.contacted_at, "closed": alert.closed_at}[key]
        return reader.time(moment or alert.raised_at, alert.zone)

    match alert.state:
        case AlertState.OPEN:
            return reader.say("alert.open", time=reader.time(alert.raised_at, alert.zone))
        case AlertState.ACKNOWLEDGED:
            taken = reader.say("alert.taken", name=alert.owner or "", time=at("taken"))
            if alert.promised_at is None:
                return taken
            return f"{taken} {reader.say('alert.promised', time=reader.time(alert.promised_at, alert.zone))}"
        case AlertState.CONTACTED:
            return reader.say("alert.contacted", name=alert.owner or "", time=at("contacted"))
        case _:
            return reader.say(
                "alert.closed",
                name=alert.owner or "",
                time=at("closed"),
                outcome=reader.say(f"outcome.{alert.outcome}"),
            )


def _actions(work: Work, alert: AlertView, letter: LetterView, reader: Reader) -> list[list[Button]]:
    if alert.state == AlertState.CLOSED:
        return []
    take = reader.button("button.take", Tap("take", alert.id))
    contacted = reader.button("button.contacted", Tap("contacted", alert.id))
    not_now = reader.button("button.not_now", Tap("notnow", alert.id))
    close = reader.button("button.close", Tap("close", alert.id))
    chart = reader.button("button.chart", Tap("alertchart", alert.id))
    look = [chart, *([reader.button("button.words", Tap("words", alert.id))] if _has_words(alert) else [])]
    if alert.state != AlertState.OPEN and alert.owner_id != letter.person_id:
        over = reader.button("button.take_over", Tap("takeover", alert.id))
        return [[over, contacted], [close], look] if alert.state == AlertState.ACKNOWLEDGED else [[over, close], look]
    promises = []
    if alert.owner_id == letter.person_id and alert.promised_at is None:
        promises = [
            reader.button("button.promise", Tap("promise", alert.id, str(minutes)), minutes=minutes)
            for minutes in alerts.call_minutes(work, alert.id)
        ]
    return {
        AlertState.OPEN: [[take, contacted], [not_now], look],
        AlertState.ACKNOWLEDGED: [*([promises] if promises else []), [contacted, not_now], [close], look],
        AlertState.CONTACTED: [[close], look],
    }[alert.state]


def _has_words(alert: AlertView) -> bool:
    return any(finding.reason == "r0.text" for finding in alert.findings)


def words(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    """What the patient wrote; kept from being forwarded."""
    if letter.subject_id is None:
        return None
    alert = alert_cards.view(work, letter.subject_id)
    title = reader.say("alert.words", patient=alert.patient, code=alert.code)
    said = [f"{reader.day_and_time(at, alert.zone)}\n«{text}»" for at, text in alert_cards.words(work, alert.id)]
    return Content("\n\n".join([title, *(said or [reader.say("alert.words_gone")])]), protect=True)


def outcomes(_work: Work, letter: LetterView, reader: Reader) -> Content:
    rows = [[reader.button(f"outcome.{outcome}", Tap("outcome", letter.subject_id, outcome))] for outcome in OUTCOMES]
    return Content(reader.say("alert.which_outcome"), rows)


def closed(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.subject_id is None:
        return None
    state = _state(alert_cards.view(work, letter.subject_id), reader)
    return Content(f"{state}\n\n{reader.say('alert.note_ask')}")


KINDS = {
    "alert.page": page,
    "alert.team": team,
    "alert.outcomes": outcomes,
    "alert.words": words,
    "alert.closed": closed,
}
