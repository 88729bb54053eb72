"""The torture of checkpoints, a little of it: what is damaged is named, what is killed or fails goes on bit for bit."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The two trainings, each with the run that nobody touches."""
    import checkpoint_torture

    work = tmp_path_factory.mktemp("torture")
    return checkpoint_torture.subjects(work, checkpoint_torture.samples(work), 5)


def test_a_few_kills_and_damages_of_both_trainings(pairs: Any) -> None:
    import checkpoint_torture
    import torture_page

    found = checkpoint_torture.tortured(pairs, flips=12, kills=4, every=0, disks=False)
    assert found.wrong() == []
    figures = found.figures()
    assert (figures["flips"], figures["truncations"], figures["detected"], figures["named"]) == (12, 12, 24, 24)
    assert (figures["kills"], figures["resumed_bit_exact"], figures["unreadable"]) == (4, 4, 0)
    assert figures["runs_to_the_end"] == figures["runs_bit_exact"] >= 2
    assert figures["table_as_ours"] == figures["table_rows"] == 8
    assert "| SIGKILL: every checkpoint that bears a name readable | 4 | 4 |" in torture_page.page(found, "command")


@pytest.mark.slow
def test_calls_that_fail_and_disks_that_refuse(pairs: Any) -> None:
    import checkpoint_torture

    found = checkpoint_torture.tortured(pairs[:1], flips=0, kills=0, every=6)
    figures = found.figures()
    assert found.wrong() == []
    assert figures["failures"] == figures["failures_told"] == figures["failures_resumed_bit_exact"] > 20
    assert figures["disk_cases"] == figures["disk_told"] == figures["disk_survived"] > 10
