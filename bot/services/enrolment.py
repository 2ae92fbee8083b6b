"""From an invitation to a diary: invites, joining, consent, language, zone and hour."""

import re
from datetime import timedelta
from zoneinfo import available_timezones

import tzfpy
from babel.core import get_global

from bot.clinical.schedule import diary_day
from bot.services import courses, letters, pausing, places, safety_line
from bot.services.errors import AlreadyJoined, BadInvite, CodeTaken, NobodyOnCall, NotATime, StaleButton, UnknownZone
from bot.services.letters import Urgency
from bot.services.work import Work
from bot.texts import LANGUAGES
from storage.tables.people import Invite, Patient, PatientState, Role

INVITE_VALID = timedelta(hours=48)
CONSENT_VERSION = "2"
DEFAULT_HOUR = 16 * 60  # so that at least three staffed hours follow an answer
AT_SEA = "Etc/"
WAITING_STATES = (PatientState.INVITED, PatientState.ONBOARDING)


def invite_staff(work: Work, role: Role) -> str:
    """The token of a one-time link for a member of the care team."""
    token = work.stores.invites.make(role=role, expires_at=work.now + INVITE_VALID, made_by=work.caller.id)
    work.stores.audit.record("invite.made", actor=work.caller.id, detail=role)
    return token


def send_staff_invite(work: Work, role: str) -> None:
    letters.reply(work, "invite.link", detail=invite_staff(work, Role(role)))


def enrol(work: Work, wanted: str = "") -> None:
    """A new patient under a code or the next free one; the reply carries the one-time link. Needs somebody on call."""
    if not work.stores.rota.in_order():
        raise NobodyOnCall
    code = wanted.strip().upper() or f"P-{work.stores.patients.count() + 1:04d}"
    if work.stores.patients.by_code(code) is not None:
        raise CodeTaken(code=code)
    patient = work.stores.patients.add(
        code=code, zone=work.clinic.zone, hour=DEFAULT_HOUR, country=work.clinic.country, protocol=work.clinic.protocol
    )
    token = work.stores.invites.make(
        role=Role.PATIENT, expires_at=work.now + INVITE_VALID, patient_id=patient.id, made_by=work.caller.id
    )
    work.stores.audit.record("patient.invited", actor=work.caller.id, subject=patient.id)
    letters.reply(work, "invite.patient", detail=token, subject=patient.id, patient=patient)


def join(work: Work, token: str, name: str) -> None:
    """Redeems a one-time link in the caller's chat."""
    invite = work.stores.invites.by_token(token)
    if invite is None or invite.used_at is not None or invite.expires_at <= work.now:
        raise BadInvite
    if work.caller.person is not None:
        raise AlreadyJoined
    invite.used_at = work.now
    if invite.role == Role.PATIENT:
        _join_as_patient(work, invite, name)
    else:
        _join_as_staff(work, invite, name)


def _join_as_staff(work: Work, invite: Invite, name: str) -> None:
    person = work.stores.people.add(role=invite.role, chat=work.chat(), name=name, language=work.clinic.language)
    if person.role != Role.ADMIN:
        on_rota = [known.id for known, _ in work.stores.rota.places()]
        work.stores.rota.set([*on_rota, person.id])
    work.stores.audit.record("staff.joined", actor=person.id, subject=person.id, detail=person.role)
    letters.to_person(work, person, "staff.welcome", Urgency.REPLY, detail=person.role)


def _join_as_patient(work: Work, invite: Invite, name: str) -> None:
    if invite.patient_id is None:
        raise BadInvite
    patient = work.stores.patients.get(invite.patient_id)
    person = work.stores.people.add(
        role=Role.PATIENT, chat=work.chat(), name=name, language=work.clinic.language, person_id=patient.id
    )
    patient.state = PatientState.ONBOARDING
    work.stores.audit.record("patient.joined", actor=person.id, subject=patient.id)
    letters.to_person(work, person, "enrolment.language", Urgency.REPLY, patient=patient, card="enrolment")


def welcome_back(work: Work) -> None:
    """/start without an invitation."""
    if work.caller.person is None:
        letters.reply(work, "notice", detail="start.stranger")
        return
    person = work.caller.person
    if person.role == Role.PATIENT:
        patient = work.stores.patients.get(person.id)
        if patient.state == PatientState.STOPPED:
            pausing.resume(work)
        else:
            _next_step(work, patient, fresh=True)
    else:
        letters.reply(work, "staff.welcome", detail=person.role)


def choose_language(work: Work, language: str) -> None:
    person = work.by()
    person.language = language if language in LANGUAGES else work.clinic.language
    patient = work.stores.patients.get(person.id)
    if patient.state in WAITING_STATES:
        _ask(work, patient, "enrolment.consent")
    else:
        letters.reply(work, "notice", detail="settings.saved")


def consent(work: Work) -> None:
    patient = _mine(work)
    patient.consent_version, patient.consented_at = CONSENT_VERSION, work.now
    work.stores.audit.record("consent.given", actor=patient.id, subject=patient.id, detail=CONSENT_VERSION)
    _ask(work, patient, "enrolment.zone")


def underage(work: Work) -> None:
    """Nobody under 18 is enrolled here; who invited them is told, and help stays near."""
    patient = _mine(work)
    if patient.state not in WAITING_STATES:
        raise StaleButton
    work.stores.audit.record("consent.underage", actor=patient.id, subject=patient.id)
    for person in work.stores.rota.in_order()[:1]:
        letters.to_person(work, person, "staff.underage", Urgency.REPLY, patient=patient)
    letters.reply(work, "notice", detail="enrolment.underage")
    letters.reply(work, "help.numbers", subject=patient.id, patient=patient)


def choose_zone(work: Work, city: str) -> None:
    """A city or the name of a zone, typed or on a button; raises `UnknownZone`."""
    _move_to(work, places.zone_named(city, _mine(work).country))


def choose_place(work: Work, latitude: float, longitude: float) -> None:
    """A shared location; only its zone and country are kept, unless the patient was asked where they are in danger.

    Raises `UnknownZone` on the open sea.
    """
    if safety_line.told_where(work, f"{latitude:.5f}, {longitude:.5f}"):
        return
    zone = tzfpy.get_tz(longitude, latitude)
    if zone.startswith(AT_SEA) or zone not in available_timezones():
        raise UnknownZone
    _move_to(work, zone)


def _move_to(work: Work, zone: str) -> None:
    patient = _mine(work)
    if zone != patient.zone and patient.state not in WAITING_STATES:
        day = diary_day(work.now, zone)
        work.stores.events.add(patient_id=patient.id, day=day, kind="travel", text=zone, by=patient.id)
    patient.zone = zone
    patient.country = get_global("zone_territories").get(zone, patient.country)
    if patient.state in WAITING_STATES:
        _ask(work, patient, "enrolment.hour")
    else:
        courses.replan(work, patient)
        letters.reply(work, "settings.zone_saved", patient=patient)


def choose_hour(work: Work, text: str) -> None:
    """«16», «19:30» or «7 pm»; the last step of enrolment, or a change of the hour later."""
    minutes = minutes_of(text)
    if minutes is None:
        raise NotATime
    patient = _mine(work)
    patient.hour = minutes
    first_time = patient.state in WAITING_STATES and patient.consented_at is not None
    if first_time:
        patient.state = PatientState.ACTIVE
        patient.enrolled_on = diary_day(work.now, patient.zone)
        patient.weekday = patient.enrolled_on.weekday()
        work.stores.audit.record("patient.enrolled", actor=patient.id, subject=patient.id)
    work.stores.dialogues.leave(work.chat())
    courses.replan(work, patient)
    letters.reply(work, "enrolment.done" if first_time else "notice", detail="" if first_time else "settings.saved",
                  subject=patient.id, patient=patient)  # fmt: skip
    if first_time:
        letters.reply(work, "help.numbers", subject=patient.id, patient=patient, detail="enrolled")


def typed(work: Work, text: str) -> bool:
    """A text that answers the running enrolment step; False when none is running."""
    step = work.stores.dialogues.current(work.chat())
    if step is None:
        return False
    match step[0]:
        case "enrolment.zone":
            choose_zone(work, text)
        case "enrolment.hour":
            try:
                choose_hour(work, text)
            except NotATime:
                _town_again(work, text)
        case _:
            return False
    return True


def _town_again(work: Work, text: str) -> None:
    """Where a time was asked for: the time that was shown was that of another town. Raises `NotATime`."""
    patient = _mine(work)
    try:
        zone = places.zone_named(text, patient.country, forgiving=False)
    except UnknownZone:
        raise NotATime from None
    if patient.state not in WAITING_STATES:
        raise NotATime
    _move_to(work, zone)


def minutes_of(text: str) -> int | None:
    match = re.fullmatch(r"\s*(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm|uhr|h)?\s*", text.casefold())
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if match[3] == "pm" and hour < 12:  # noqa: PLR2004 - noon
        hour += 12
    return hour * 60 + minute if hour < 24 and minute < 60 else None  # noqa: PLR2004 - a day has 24 hours of 60 minutes


def _next_step(work: Work, patient: Patient, *, fresh: bool) -> None:
    if patient.state not in WAITING_STATES:
        letters.reply(work, "help.numbers", subject=patient.id, patient=patient)
    elif patient.consented_at is None:
        letters.reply(work, "enrolment.language", card="enrolment", fresh=fresh, patient=patient)
    else:
        _ask(work, patient, "enrolment.zone", fresh=fresh)


def _ask(work: Work, patient: Patient, step: str, *, fresh: bool = True) -> None:
    work.stores.dialogues.enter(work.chat(), step)
    letters.reply(work, step, card="enrolment", fresh=fresh, patient=patient)


def _mine(work: Work) -> Patient:
    return work.stores.patients.get(work.by().id)
