"""All handlers, each with who may call it. A handler decodes what came and makes one service call."""

from bot.chat.handlers import about_you, alerts, care_team, infusions, patient, staff, standing, start
from bot.chat.handlers.routes import Route

ROUTES: tuple[Route, ...] = (
    *start.ROUTES,
    *patient.ROUTES,
    *care_team.ROUTES,
    *infusions.ROUTES,
    *standing.ROUTES,
    *about_you.ROUTES,
    *alerts.ROUTES,
    *staff.ROUTES,
    *patient.FALLBACKS,
)
