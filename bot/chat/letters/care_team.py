"""Alerts, patient cards, the roster and the digest. In a group never more than "Urgent" and a code."""

from babel.dates import format_date
from telegram import InlineKeyboardButton

from bot.chat.callbacks import Tap
from bot.chat.letters.about_you import contact_lines
from bot.chat.letters.content import Content, Reader, labelled
from bot.chat.letters.infusions import moment_words
from bot.chat.menus import STAFF_COMMANDS, menu
from bot.exports import report
from bot.services import alerts, care
from bot.services.alerts import OUTCOMES, AlertView, FindingView
from bot.services.care import PatientCard
from bot.services.reading import LetterView
from bot.services.states import AlertState, Role
from bot.services.work import Work


def page(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    """What triggered it, in words; value against own baseline; who owns it."""
    if letter.subject_id is None:
        return None
    alert = alerts.view(work, letter.subject_id)
    lines = [reader.say(f"alert.first_line.{alert.level}", patient=alert.patient, code=alert.code)]
    lines += [_sentence(finding, reader) for finding in alert.findings[-3:]]
    if alert.days_since_infusion is not None:
        lines.append(reader.count("alert.since_infusion", alert.days_since_infusion))
    lines += contact_lines(alert.contact, reader)[:1] and ["\n".join(contact_lines(alert.contact, reader))]
    lines.append(_state(alert, reader))
    return Content("\n\n".join(lines), _actions(alert, reader))


def team(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.subject_id is None:
        return None
    alert = alerts.view(work, letter.subject_id)
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
            return reader.say("alert.taken", name=alert.owner or "", time=at("taken"))
        case AlertState.CONTACTED:
            return reader.say("alert.contacted", name=alert.owner or "", time=at("contacted"))
        case _:
            return reader.say(
                "alert.closed",
                name=alert.owner or "",
                time=at("closed"),
                outcome=reader.say(f"outcome.{alert.outcome}"),
            )


def _actions(alert: AlertView, reader: Reader) -> list[list[InlineKeyboardButton]]:
    if alert.state == AlertState.CLOSED:
        return []
    take = reader.button("button.take", Tap("take", alert.id))
    contacted = reader.button("button.contacted", Tap("contacted", alert.id))
    not_now = reader.button("button.not_now", Tap("notnow", alert.id))
    close = reader.button("button.close", Tap("close", alert.id))
    return {
        AlertState.OPEN: [[take, contacted], [not_now]],
        AlertState.ACKNOWLEDGED: [[contacted, not_now], [close]],
        AlertState.CONTACTED: [[close]],
    }[alert.state]


def outcomes(_work: Work, letter: LetterView, reader: Reader) -> Content:
    rows = [[reader.button(f"outcome.{outcome}", Tap("outcome", letter.subject_id, outcome))] for outcome in OUTCOMES]
    return Content(reader.say("alert.which_outcome"), rows)


def closed(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.subject_id is None:
        return None
    return Content(_state(alerts.view(work, letter.subject_id), reader))


def welcome(_work: Work, letter: LetterView, reader: Reader) -> Content:
    text = reader.say("staff.welcome", role=reader.say(f"role.{letter.detail}"))
    offered = menu(STAFF_COMMANDS, reader.texts, reader.language)
    if letter.detail != Role.ADMIN:
        return Content(text, menu=offered)
    nurse = reader.button("button.invite_nurse", Tap("invite", detail=Role.NURSE))
    physician = reader.button("button.invite_physician", Tap("invite", detail=Role.PHYSICIAN))
    return Content(text, [[nurse, physician]], menu=offered)


def patients(work: Work, _letter: LetterView, reader: Reader) -> Content:
    rows = [
        [labelled(f"{code} · {reader.say(f'state.{state.value}')}", Tap("patient", patient_id))]
        for patient_id, code, state in care.roster(work)
    ]
    return Content(reader.say("patient.list" if rows else "patient.none"), rows[:90])


def patient(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.subject_id is None:
        return None
    shown = care.card(work, letter.subject_id)
    lines = [f"{shown.code} · {reader.say(f'state.{shown.state.value}')}"]
    if shown.high_risk_until is not None:
        day = format_date(shown.high_risk_until, "d MMM", locale=reader.language)
        lines.append(reader.say("patient.high_risk", day=day))
    lines += [reader.say(f"flag.{flag}") for flag in dict.fromkeys(shown.flags)]
    if shown.days_since_infusion is None:
        lines.append(reader.say("patient.no_infusion"))
    else:
        lines.append(reader.count("patient.infusions", shown.infusions, days=shown.days_since_infusion))
    if shown.next_infusion is not None:
        lines.append(reader.say("patient.next_infusion", day=moment_words(shown.next_infusion, shown.zone, reader)))
    if shown.moods:
        lines.append(reader.say("patient.moods", moods=" ".join(str(mood) for _, mood in shown.moods)))
    lines.append(reader.say("patient.answered", answered=shown.answered, asked=shown.asked))
    lines += [f"{code}: {reader.say(f'level.{level.value}')}" for code, level in shown.open_alerts]
    lines += contact_lines(shown.contact, reader)
    if letter.detail:  # something that may be typed now
        lines.append(f"\n{reader.say(letter.detail)}")
    return Content("\n".join(lines), _patient_buttons(shown, reader))


def _patient_buttons(shown: PatientCard, reader: Reader) -> list[list[InlineKeyboardButton]]:
    return [
        [
            reader.button("button.infuse", Tap("infuse", shown.id)),
            reader.button("button.plan_infusion", Tap("plan", shown.id)),
        ],
        [
            reader.button("button.infusions", Tap("infusions", shown.id)),
            reader.button("button.report", Tap("report", shown.id)),
        ],
        [reader.button("button.chart", Tap("chart", shown.id)), reader.button("button.more", Tap("more", shown.id))],
    ]


def report_letter(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.subject_id is None:
        return None
    record = care.diary_of(work, letter.subject_id)
    library, clinic, now = work.knowledge.library, work.clinic.name, work.now

    def make() -> bytes:
        return report.render(
            record, library=library, texts=reader.texts, language=reader.language, made_at=now, clinic=clinic
        )

    return Content(reader.say("patient.report", code=record.patient), document=make, filename=f"{record.patient}.pdf")


def digest(work: Work, _letter: LetterView, reader: Reader) -> Content:
    shown = care.digest(work)
    lines = [reader.say("digest.title")]
    lines.append(reader.say("digest.answered", codes=", ".join(shown.answered) or "–"))
    lines.append(reader.say("digest.silent", codes=", ".join(shown.silent) or "–"))
    lines += [
        f"{patient} · {code} · {reader.say(f'level.{level.value}')}" for code, patient, level in shown.open_alerts
    ]
    return Content("\n".join(lines), silent=True)


def rota(work: Work, _letter: LetterView, reader: Reader) -> Content:
    names = [f"{place}. {name}" for place, (_, name) in enumerate(care.rota(work), 1)]
    text = "\n".join([reader.say("rota.title" if names else "rota.empty"), *names])
    return Content(text, [[reader.button("button.on_call", Tap("oncall"))]])


KINDS = {
    "alert.page": page,
    "alert.team": team,
    "alert.outcomes": outcomes,
    "alert.closed": closed,
    "staff.welcome": welcome,
    "patient.list": patients,
    "patient.card": patient,
    "patient.report": report_letter,
    "digest": digest,
    "rota": rota,
}
