"""The states and roles that views carry, so that nobody above the services reaches into storage for a name."""

from storage.tables.alerts import AlertState
from storage.tables.diary import CheckInState, InfusionState
from storage.tables.people import PatientState, Role

__all__ = ["AlertState", "CheckInState", "InfusionState", "PatientState", "Role"]
