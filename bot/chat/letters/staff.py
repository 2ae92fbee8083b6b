"""The rota, absences, and the channels of the second road."""

from bot.chat.callbacks import Tap
from bot.chat.letters.content import Content, Reader, labelled
from bot.services import staff
from bot.services.reading import LetterView, staff_name
from bot.services.staff import AWAY_DAYS, Place
from bot.services.work import Work


def rota(work: Work, letter: LetterView, reader: Reader) -> Content:
    shown = staff.rota(work)
    lines = [reader.say("rota.title" if shown.on_call else "rota.empty")]
    lines += [f"{number}. {_place(work, place, reader)}" for number, place in enumerate(shown.places, 1)]
    if shown.others:
        lines.append(reader.say("rota.others", names=", ".join(place.name for place in shown.others)))
    me = next((place for place in shown.places if place.id == letter.person_id), None)
    away = reader.button("button.away", Tap("away"))
    if me is not None and me.away_until is not None:
        away = reader.button("button.back_again", Tap("away", detail="0"))
    return Content(
        "\n".join(lines),
        [
            [reader.button("button.on_call", Tap("oncall")), reader.button("button.hand_shift", Tap("shift"))],
            [away, reader.button("button.order", Tap("order"))],
            [reader.button("button.channels", Tap("roads"))],
        ],
    )


def order(work: Work, _letter: LetterView, reader: Reader) -> Content:
    """Each person moves up by a tap; an administrator also opens their channels."""
    shown = staff.rota(work)
    rows = [
        [labelled(f"↑ {place.name}", Tap("up", place.id)), reader.button("button.off_rota", Tap("off", place.id))]
        for place in shown.places
    ]
    rows += [[labelled(f"+ {place.name}", Tap("up", place.id))] for place in shown.others]
    names = [f"{number}. {_place(work, place, reader)}" for number, place in enumerate(shown.places, 1)]
    return Content("\n".join([reader.say("rota.order"), *names]), rows)


def shift(work: Work, letter: LetterView, reader: Reader) -> Content:
    shown = staff.rota(work)
    rows = [
        [labelled(place.name, Tap("shift", place.id))]
        for place in (*shown.places, *shown.others)
        if place.id != letter.person_id
    ]
    return Content(reader.say("rota.shift" if rows else "rota.alone"), rows)


def absence(_work: Work, _letter: LetterView, reader: Reader) -> Content:
    row = [labelled(reader.count("rota.days", int(days)), Tap("away", detail=days)) for days in AWAY_DAYS]
    return Content(reader.say("rota.absence"), [row])


def handed(work: Work, letter: LetterView, reader: Reader) -> Content:
    return Content(reader.say("rota.handed", name=staff_name(work, letter.subject_id)))


def channels(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.subject_id is None:
        return None
    shown = staff.channels(work, letter.subject_id)
    lines = [reader.say("channels.title" if shown.channels else "channels.none", name=shown.name)]
    lines += [hint for _, hint in shown.channels]
    rows = [
        [reader.button("button.drop_channel", Tap("roaddrop", channel), hint=hint)] for channel, hint in shown.channels
    ]
    add = reader.button("button.add_channel", Tap("roadadd", shown.person))
    test = [reader.button("button.test_channels", Tap("roadtest", shown.person))] if shown.channels else []
    others = []
    if letter.person_id == shown.person and staff.is_admin(work, letter.person_id):
        rota_now = staff.rota(work)
        others = [
            [reader.button("button.channels_of", Tap("roads", place.id), name=place.name, n=place.channels)]
            for place in (*rota_now.places, *rota_now.others)
            if place.id != shown.person
        ]
    return Content("\n".join(lines), [[add, *test], *rows, *others])


def ask_channel(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.subject_id is None:
        return None
    shown = staff.channels(work, letter.subject_id)
    lines = [reader.say("channels.ask")]
    if shown.mail:
        lines.append(reader.say("channels.ask_mail"))
    if shown.sms:
        lines.append(reader.say("channels.ask_sms"))
    lines.append(reader.say("channels.ask_url"))
    return Content("\n".join(lines))


def _place(work: Work, place: Place, reader: Reader) -> str:
    said = [place.name]
    if place.away_until is not None:
        said.append(reader.say("rota.away", until=reader.day_and_time(place.away_until, work.clinic.zone)))
    if not place.reachable:
        said.append(reader.say("rota.unreachable"))
    said.append(reader.count("rota.channels", place.channels) if place.channels else reader.say("rota.no_channel"))
    return " · ".join(said)


KINDS = {
    "rota": rota,
    "rota.order": order,
    "rota.shift": shift,
    "rota.absence": absence,
    "rota.handed": handed,
    "channels": channels,
    "channels.ask": ask_channel,
}
