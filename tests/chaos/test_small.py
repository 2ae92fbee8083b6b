"""The proofs of `make chaos`, small: every test run kills a few processes."""

from pathlib import Path

from tests.chaos import kills, syscalls


async def test_kills_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    verdict = await kills.prove(tmp_path, kills=5, answers=200, seed=20_261_124)
    assert not verdict.broken, verdict


async def test_a_kill_at_a_writing_system_call_leaves_nothing_half_written(tmp_path: Path) -> None:
    verdict = await syscalls.prove(tmp_path, most=1)
    assert verdict.broken in ([], [syscalls.MISSING]), verdict
