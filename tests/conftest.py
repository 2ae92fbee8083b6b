"""Fixtures that many tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.clinic import SimulatedClinic, opened


@pytest.fixture
async def clinic(tmp_path: Path) -> AsyncIterator[SimulatedClinic]:
    """Nurse and physician are on the rota, in this order; nobody is enrolled."""
    async with opened(tmp_path) as running:
        yield running
