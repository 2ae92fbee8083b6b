"""The same day in the same clinic, whichever engine keeps it."""

from pathlib import Path

from tests.support.clinic import opened


async def test_a_patient_in_danger_is_seen_on_either_engine(tmp_path: Path, database_url: str) -> None:
    async with opened(tmp_path, url=database_url) as clinic:
        await clinic.enrols(clinic.ana)
        await clinic.infuses()
        await clinic.next_prompt(clinic.ana)
        await clinic.ana.taps("3")
        await clinic.ana.says("I've got the pills ready")
        assert "patient P-0001" in await clinic.nurse.last()
        assert "+1 555 0100" in await clinic.ana.all_texts()
