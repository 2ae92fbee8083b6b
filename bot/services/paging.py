"""Who is paged about an open alert, when, and over which road. Steps are rows: a restart loses and repeats none."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.clinical import escalation
from bot.clinical.terms import Level
from bot.services import letters, receipts, roads
from bot.services.alert_cards import card_of, show_everywhere
from bot.services.letters import Urgency
from bot.services.work import Work
from bot.settings import Ladder
from storage.tables.alerts import Alert, AlertState
from storage.tables.people import Chat, ChatState, Patient, Person
from storage.tables.post import LetterState


def start_clock(work: Work, alert: Alert) -> None:
    """Escalation time runs from now. RED and ORANGE page at once, YELLOW in working hours."""
    alert.clock_from, alert.round = work.now, 0
    alert.next_step_at = work.now if Level(alert.level).at_least(Level.ORANGE) else _working(work)


def ladder_of(work: Work, alert: Alert) -> Ladder | None:
    """None for YELLOW, which goes by working days."""
    match Level(alert.level):
        case Level.RED:
            return work.clinic.escalation.red
        case Level.ORANGE:
            return work.clinic.escalation.orange
        case _:
            return None


def deadline(work: Work, seconds: int | None) -> datetime:
    """So many seconds from now; None: the next working day."""
    return work.now + timedelta(seconds=seconds) if seconds is not None else next_working_day(work)


def next_working_day(work: Work) -> datetime:
    hours = work.clinic.working_hours
    return escalation.next_working_day(work.now, hours.days, hours.opens, hours.closes, work.clinic.zone)


def _working(work: Work) -> datetime:
    hours = work.clinic.working_hours
    return escalation.next_working_moment(work.now, hours.days, hours.opens, hours.closes, work.clinic.zone)


def escalate_due(work: Work) -> int:
    """Does every escalation step that is due; returns how many alerts moved."""
    due = work.stores.alerts.due_for_a_step(work.now)
    for alert in due:
        if alert.state == AlertState.OPEN:
            escalate(work, alert)
        else:
            _owner_is_late(work, alert)
    return len(due)


def hasten(work: Work) -> None:
    """A member of staff was lost: what is open looks for another road to them, or for somebody else, now."""
    for alert in work.stores.alerts.all_open():
        if alert.state == AlertState.OPEN and ladder_of(work, alert) is not None:
            alert.next_step_at = work.now


def escalate(work: Work, alert: Alert) -> None:
    """Pages whoever is to be paged now, when the step is due."""
    if alert.state != AlertState.OPEN or alert.next_step_at is None or alert.next_step_at > work.now:
        return
    ladder = ladder_of(work, alert)
    if ladder is None:
        reach = _everybody(work) if alert.round else _first_in_line(work, alert, 1)
        repeat, alert.next_step_at = 0, next_working_day(work)
    else:
        step = escalation.step(times_of(ladder), alert.clock_from, work.now)
        reach = _everybody(work) if step.reach is None else _first_in_line(work, alert, step.reach)
        repeat, alert.next_step_at = step.repeat, step.next_at
    alert.round += 1
    stuck = ladder is not None and _is_stuck(work, alert, ladder.second_road_unsent)
    patient = work.stores.patients.get(alert.patient_id)
    paged = [person for person in reach if _page(work, alert, patient, person, repeat)]
    for chat in work.stores.chats.team():
        if _sounds_again(work, alert, chat, repeat):
            letters.to_chat(work, chat, "alert.team", Urgency.ALERT, patient=patient, subject=alert.id,
                            card=card_of(alert))  # fmt: skip
    called = _take_second_road(work, alert, reach, ladder, stuck=stuck) if ladder is not None else 0
    work.stores.audit.record(
        "alert.paged", actor=None, subject=alert.id, detail=f"step {alert.round}: {len(paged)} paged, {called} called"
    )


def times_of(ladder: Ladder) -> escalation.Times:
    return escalation.Times(
        ladder.repeat, ladder.next_person, ladder.second_road, ladder.second_road_unsent, ladder.everybody,
        ladder.repeat_at_last,
    )  # fmt: skip


def _first_in_line(work: Work, alert: Alert, number: int) -> list[Person]:
    """From the top of the rota, without those who have passed this alert on; when nobody is left, everybody."""
    passed = work.stores.alerts.passed_over(alert)
    line = [person for person in work.stores.rota.in_order() if person.id not in passed]
    return line[:number] or _everybody(work)


def _everybody(work: Work) -> list[Person]:
    return list(work.stores.people.staff())


def _page(work: Work, alert: Alert, patient: Patient, person: Person, repeat: int) -> bool:
    chat = work.stores.chats.get(person.chat_id)
    if chat.state != ChatState.OPEN or not _sounds_again(work, alert, chat, repeat):
        return False
    letters.to_person(work, person, "alert.page", Urgency.ALERT, patient=patient, subject=alert.id, card=card_of(alert))
    return True


def _sounds_again(work: Work, alert: Alert, chat: Chat, repeat: int) -> bool:
    """Not while the page before is still on its way (it will say what is true then), and not too soon after it."""
    last = work.stores.outbox.last_fresh(chat.id, card_of(alert))
    if last is None or last.written_at < alert.clock_from:
        return True
    # A step may come some seconds late, and the next one in time: three quarters of the pause are enough.
    enough = (work.now - last.written_at).total_seconds() >= repeat * 0.75
    return enough and last.state != LetterState.WAITING


def _take_second_road(work: Work, alert: Alert, reach: Sequence[Person], ladder: Ladder, *, stuck: bool) -> int:
    """Channels beside Telegram: when nobody reacts, when Telegram does not take pages, or takes none for a person."""
    running = (work.now - alert.clock_from).total_seconds()
    called = 0
    for person in reach:
        if running >= ladder.second_road or stuck or not _is_open(work, person):
            called += roads.call_once(work, person, alert.id, ladder.second_road)
    if running >= ladder.second_road_unsent:
        receipts.not_reached(work, alert)
    return called


def _is_stuck(work: Work, alert: Alert, seconds: int) -> bool:
    """A page that was written so long ago has not been taken by Telegram."""
    for person in _everybody(work):
        last = work.stores.outbox.last_fresh(person.chat_id, card_of(alert))
        if last is None or last.state != LetterState.WAITING or not _is_open(work, person):
            continue
        if (work.now - last.written_at).total_seconds() >= seconds:
            return True
    return False


def _is_open(work: Work, person: Person) -> bool:
    return work.stores.chats.get(person.chat_id).state == ChatState.OPEN


def _owner_is_late(work: Work, alert: Alert) -> None:
    """Taking is not contact: without it the alert goes to the next person. A contact not closed is reminded once."""
    ladder = ladder_of(work, alert)
    if alert.state == AlertState.CONTACTED and alert.owner_id is not None and alert.round == 0:
        owner = work.stores.people.get(alert.owner_id)
        patient = work.stores.patients.get(alert.patient_id)
        letters.to_person(
            work, owner, "alert.page", Urgency.ALERT, patient=patient, subject=alert.id, card=card_of(alert)
        )
        alert.round = 1
        alert.next_step_at = deadline(work, ladder.close_within if ladder else None)
        work.stores.audit.record("alert.reminded", actor=None, subject=alert.id)
        return
    was = alert.state
    work.stores.audit.record("alert.returned", actor=alert.owner_id, subject=alert.id, detail=was)
    pass_on(work, alert)
    if was == AlertState.ACKNOWLEDGED:
        receipts.passed_on(work, alert)


def pass_on(work: Work, alert: Alert) -> None:
    """From its owner to the next person, who is paged at once."""
    if alert.owner_id is not None:
        work.stores.alerts.pass_over(alert, alert.owner_id)
    alert.state, alert.owner_id, alert.promised_at = AlertState.OPEN, None, None
    alert.clock_from, alert.round, alert.next_step_at = work.now, 0, work.now
    escalate(work, alert)
    show_everywhere(work, alert)
