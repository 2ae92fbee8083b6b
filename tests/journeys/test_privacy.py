"""What is stored, a copy of it, and its end."""

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from zipfile import ZipFile

from bot.services import privacy
from bot.services.work import Work
from storage.engine import Database
from storage.stores.keys import CACHED_FOR, Erased
from tests.support.clinic import SimulatedClinic


async def answered(clinic: SimulatedClinic) -> None:
    await clinic.enrols(clinic.ana)
    await clinic.next_prompt(clinic.ana)
    await clinic.ana.taps("7", "7", "7", "0")
    await clinic.ana.says("the dog is well")


def anything_readable(clinic: SimulatedClinic) -> list[str]:
    """What can still be opened of the first patient: answers, notes and letters."""

    def read(work: Work) -> list[str]:
        patient = work.stores.patients.by_code("P-0001")
        assert patient is not None
        ways: list[Callable[[], list[str]]] = [
            lambda: [str(work.stores.responses.value(row)) for row in work.stores.responses.of(patient.id)],
            lambda: [work.stores.notes.text(row) for row in work.stores.notes.of(patient.id)],
            lambda: [work.stores.outbox.said(row) for row in work.stores.outbox.of_patient(patient.id)],
        ]
        return [said for way in ways for said in opened(way) if said]

    return clinic.desk.act_now(read)


def opened(way: Callable[[], list[str]]) -> list[str]:
    try:
        return way()
    except Erased:
        return []


async def test_a_patient_sees_and_gets_what_is_stored(clinic: SimulatedClinic) -> None:
    await answered(clinic)
    await clinic.ana.says("/mydata")
    assert "4 answers, 1 notes" in await clinic.ana.last()
    await clinic.ana.taps("Send me a copy")
    sent = (await clinic.ana.messages())[-1]
    assert sent["filename"] == "diary.zip"
    with ZipFile(BytesIO(await clinic.people.file(sent["file"]))) as archive:
        assert b"the dog is well" in archive.read("notes.csv")
        assert b"mood" in archive.read("responses.csv")


async def test_a_patient_is_erased_and_may_come_again(clinic: SimulatedClinic) -> None:
    await answered(clinic)
    await clinic.nurse.says("P-0001")
    assert anything_readable(clinic)
    await clinic.ana.says("/delete")
    assert "cannot be taken back" in await clinic.ana.last()
    await clinic.ana.taps("Yes, delete everything")
    assert "Everything about you is deleted" in await clinic.ana.last()

    assert anything_readable(clinic) == []
    assert bodies(clinic) == {b""}
    acts = clinic.desk.act_now(lambda work: [entry.act for entry in work.stores.audit.trail()])
    assert "erasure.asked" in acts and "patient.erased" in acts

    heard = len(await clinic.ana.messages())
    await clinic.forward(days=3)
    assert len(await clinic.ana.messages()) == heard
    await clinic.nurse.taps("Report (PDF)")  # on the old card
    assert "deleted at their own request" in await clinic.nurse.last()
    await clinic.nurse.says("P-0001")
    assert "No patient has this code" in await clinic.nurse.last()
    await clinic.ana.says("hello")
    assert "116 123" in await clinic.ana.last() or "988" in await clinic.ana.last()

    await clinic.enrols(clinic.ana)
    assert "Done." in await clinic.ana.all_texts()


def bodies(clinic: SimulatedClinic) -> set[bytes]:
    """The raw updates of her chat, as they lie in the database."""
    key = clinic.desk.act_now(lambda work: work.stores.chats.key(2001))
    with sqlite3.connect(clinic.folder / "afterglow.sqlite") as database:
        return {row[0] for row in database.execute("SELECT sealed_body FROM inbox WHERE chat_key = ?", [key])}


async def test_an_open_alert_is_handed_over_before_anything_is_erased(clinic: SimulatedClinic) -> None:
    await answered(clinic)
    await clinic.ana.taps("I need help")
    await clinic.ana.says("/delete")
    await clinic.ana.taps("Yes, delete everything")
    assert "looks at an open alert first" in await clinic.ana.last()
    for member in (clinic.nurse, clinic.physician):
        assert "P-0001 has asked to be deleted" in await member.all_texts()
    assert "the dog is well" in anything_readable(clinic)

    await clinic.ana.says("I've got the pills ready")  # still heard
    assert "Urgent, now: patient P-0001" in await clinic.nurse.last()
    await clinic.nurse.taps("Take it", "Contacted", "Close", "Reached and safe")
    await clinic.forward(hours=2)
    assert "Everything about you is deleted" in await clinic.ana.all_texts()
    assert anything_readable(clinic) == []


async def test_a_deletion_can_be_taken_back_while_it_waits(clinic: SimulatedClinic) -> None:
    await answered(clinic)
    await clinic.ana.taps("I need help")
    await clinic.ana.says("/delete")
    await clinic.ana.taps("Yes, delete everything", "Keep my diary")
    assert "Your diary stays" in await clinic.ana.all_texts()
    await clinic.forward(days=4)
    assert "the dog is well" in anything_readable(clinic)


async def test_the_own_chart_is_covered_and_says_the_same_in_words(clinic: SimulatedClinic) -> None:
    await answered(clinic)
    await clinic.ana.says("/chart")
    shown = (await clinic.ana.messages())[-1]
    assert shown["file"] and "7" in shown["text"]


async def test_somebody_who_was_invited_and_never_came_is_erased(clinic: SimulatedClinic) -> None:
    await clinic.nurse.says("/enrol")
    link = (await clinic.nurse.last()).split()[-1]
    erased = clinic.desk.act_now(privacy.erase_for_operator, "p-1", really=True)
    assert (erased.code, erased.joined) == ("P-0001", False)
    await clinic.nurse.says("P-0001")
    assert "No patient has this code" in await clinic.nurse.last()
    await clinic.ana.says(link)
    assert "I agree" not in await clinic.ana.all_texts() and "English" not in await clinic.ana.buttons()
    await clinic.forward(days=2)  # the day on which a chat is forgotten passes, though there was none


async def test_the_operator_erases_nobody_whose_alert_is_open(clinic: SimulatedClinic) -> None:
    await answered(clinic)
    await clinic.ana.taps("I need help")
    found = clinic.desk.act_now(privacy.erase_for_operator, "P-0001", really=True)
    assert found.open_alerts and "the dog is well" in anything_readable(clinic)
    await clinic.nurse.taps("Take it", "Contacted", "Close", "Reached and safe")
    erased = clinic.desk.act_now(privacy.erase_for_operator, "P-0001", really=True)
    assert (erased.stored.answers, erased.stored.notes, erased.joined) == (4, 1, True)
    assert anything_readable(clinic) == []


async def test_the_phone_of_the_dead_stays_silent_when_the_data_goes(clinic: SimulatedClinic) -> None:
    await answered(clinic)
    await clinic.nurse.says("P-0001")
    more = next(name for name in await clinic.nurse.buttons() if name.startswith("More"))
    await clinic.nurse.taps(more, "Deceased", "Yes, P-0001 has died", "Yes, P-0001 has died")
    heard = len(await clinic.ana.messages())
    clinic.desk.act_now(privacy.erase_for_operator, "P-0001", really=True)
    await clinic.forward(days=2)
    assert len(await clinic.ana.messages()) == heard
    assert anything_readable(clinic) == []


async def test_another_process_cannot_use_a_destroyed_key_for_longer_than_a_minute(clinic: SimulatedClinic) -> None:
    await answered(clinic)
    assert "the dog is well" in anything_readable(clinic)  # the key is in this process's memory now
    other = Database(clinic.settings.database, clinic.desk.database.masters)
    with other.unit_of_work(clinic.clock.now()) as stores:
        patient = stores.patients.by_code("P-0001")
        assert patient is not None
        stores.keys.erase(str(patient.id))
    other.close()
    clinic.clock.turn_to(clinic.clock.now() + CACHED_FOR + timedelta(seconds=1))
    assert anything_readable(clinic) == []
