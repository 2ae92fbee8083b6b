"""People name the city they live in, not the one that the time zone is named after."""

import pytest

from bot.services.errors import UnknownZone
from bot.services.places import zone_named


@pytest.mark.parametrize(
    ("typed", "country", "zone"),
    [
        ("München", "DE", "Europe/Berlin"),
        ("muenchen", "DE", "Europe/Berlin"),
        ("Hamburg", "US", "Europe/Berlin"),
        ("Köln, Deutschland", "DE", "Europe/Berlin"),
        ("Sevilla", "ES", "Europe/Madrid"),
        ("Bogotá", "ES", "America/Bogota"),
        ("Boston", "US", "America/New_York"),
        ("Houston", "US", "America/Chicago"),
        ("Ginebra", "ES", "Europe/Zurich"),
        ("Berln", "DE", "Europe/Berlin"),
        ("Hamburgg", "DE", "Europe/Berlin"),
        ("Valencia", "ES", "Europe/Madrid"),
        ("Valencia", "VE", "America/Caracas"),
        ("Europe/Vienna", "DE", "Europe/Vienna"),
        ("new york", "US", "America/New_York"),
        ("Etc/UTC", "US", "Etc/UTC"),
    ],
)
def test_a_city_is_known_by_the_name_that_people_use(typed: str, country: str, zone: str) -> None:
    assert zone_named(typed, country) == zone


@pytest.mark.parametrize("typed", ["", "x", "heute ist ein schlechter tag", "no sé", "12"])
def test_what_is_no_place_is_refused(typed: str) -> None:
    with pytest.raises(UnknownZone):
        zone_named(typed, "DE")
