"""The stores of one unit of work. Stores never commit."""

from datetime import datetime

from sqlalchemy.orm import Session

from storage.crypto import MasterKeys, Sealer
from storage.stores.agenda import Agenda
from storage.stores.alerts import Alerts, Audit, Findings
from storage.stores.baselines import Baselines
from storage.stores.diary import CheckIns, Events, Infusions, Notes, Responses
from storage.stores.inbox import Inbox
from storage.stores.incidents import Incidents
from storage.stores.keys import Facts, KeyCache, Keys
from storage.stores.leases import Leases
from storage.stores.outbox import Outbox
from storage.stores.people import Chats, Dialogues, Invites, Patients, People, Rota
from storage.stores.roads import Roads


class Stores:
    """All stores, bound to one session and one moment."""

    def __init__(self, session: Session, masters: MasterKeys, cache: KeyCache, now: datetime, fresh: set[str]) -> None:
        self.now = now
        self.keys = Keys(session, masters, cache, now, fresh)
        sealer = Sealer(self.keys)
        self.facts = Facts(session, now)
        self.chats = Chats(session, sealer, now)
        self.people = People(session, sealer, now)
        self.patients = Patients(session, sealer, now)
        self.invites = Invites(session, now)
        self.rota = Rota(session, now)
        self.dialogues = Dialogues(session, sealer, now)
        self.infusions = Infusions(session, sealer, now)
        self.check_ins = CheckIns(session)
        self.responses = Responses(session, sealer, now)
        self.notes = Notes(session, sealer, now)
        self.events = Events(session, sealer, now)
        self.alerts = Alerts(session, sealer, now)
        self.findings = Findings(session, sealer, now)
        self.audit = Audit(session, now)
        self.roads = Roads(session, sealer, now)
        self.incidents = Incidents(session, now)
        self.baselines = Baselines(session, sealer, now)
        self.inbox = Inbox(session, sealer, now)
        self.outbox = Outbox(session, sealer, now)
        self.leases = Leases(session)
        self.agenda = Agenda(session)
