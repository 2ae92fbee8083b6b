"""What a person can be told when something cannot be done: a text key each. Nothing was changed when it is raised."""


class Kind(Exception):
    """The root: `key` names the sentence, `values` its placeholders. Never holds health text."""

    key = "error.unknown"

    def __init__(self, **values: str | int) -> None:
        super().__init__(self.key)
        self.values = values


class NotForYou(Kind):
    key = "error.not_for_you"


class StaleButton(Kind):
    key = "error.stale"


class BadInvite(Kind):
    key = "error.invite"


class AlreadyJoined(Kind):
    key = "error.already_joined"


class NotANumber(Kind):
    key = "error.not_a_number"


class NotAnOption(NotANumber):
    key = "error.not_an_option"


class UnknownZone(Kind):
    key = "error.zone"


class NotATime(Kind):
    key = "error.time"


class UnknownPatient(Kind):
    key = "error.patient"


class NobodyOnCall(Kind):
    key = "error.nobody_on_call"


class AlreadyTaken(Kind):
    key = "error.taken"


class AlertClosed(Kind):
    key = "error.alert_closed"


class CodeTaken(Kind):
    key = "error.code_taken"


class NotADose(Kind):
    key = "error.dose"


class PatientErased(Kind):
    key = "error.erased"


class NotADay(Kind):
    key = "error.day"


class DayInFuture(NotADay):
    key = "error.day_future"


class DayInPast(NotADay):
    key = "error.day_past"


class DayTooFar(NotADay):
    key = "error.day_far"


class InfusionTwice(Kind):
    key = "error.infusion_twice"


class NotAPressure(Kind):
    key = "error.pressure"


class NotYours(Kind):
    key = "error.not_yours"


class NotOnRota(Kind):
    key = "error.not_on_rota"


class BadChannel(Kind):
    key = "error.channel"


class NoMailRoad(Kind):
    key = "error.no_mail_road"


class NoSmsRoad(Kind):
    key = "error.no_sms_road"
