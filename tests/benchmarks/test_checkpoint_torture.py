"""The torture of checkpoints, a little of it: what is damaged is named, what is killed or fails goes on bit for bit."""

from __future__ import annotations

from typing import Any

import pytest

from ..learn.drawn_samples import sample_store


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The two trainings, each with the run that nobody touches."""
    import checkpoint_torture
    from torture_children import warm

    work = tmp_path_factory.mktemp("torture")
    stores = sample_store(work / "train", 24), sample_store(work / "select", 8, seed=1, split="select")
    warm()
    return checkpoint_torture.subjects(work, (str(stores[0]), str(stores[1])), 6)


def test_a_few_kills_and_damages_of_both_trainings(pairs: Any) -> None:
    import checkpoint_torture
    import torture_page

    found = checkpoint_torture.tortured(pairs, flips=8, kills=2, every=0, disks=False)
    assert found.wrong() == []
    figures = found.figures()
    assert (figures["flips"], figures["truncations"], figures["detected"], figures["named"]) == (8, 8, 16, 16)
    assert (figures["kills"], figures["resumed_bit_exact"], figures["unreadable"]) == (2, 2, 0)
    assert figures["runs_to_the_end"] == figures["runs_bit_exact"] >= 2
    assert figures["table_as_ours"] == figures["table_rows"] == 8
    assert "| SIGKILL: every checkpoint that bears a name readable | 2 | 2 |" in torture_page.page(found, "command")


@pytest.mark.slow
def test_many_kills_calls_that_fail_and_disks_that_refuse(pairs: Any) -> None:
    import checkpoint_torture

    found = checkpoint_torture.tortured(pairs, flips=60, kills=24, every=6)
    figures = found.figures()
    assert found.wrong() == []
    assert figures["kills"] == figures["resumed_bit_exact"] == 24
    assert figures["failures"] == figures["failures_told"] == figures["failures_resumed_bit_exact"] > 20
    assert figures["disk_cases"] == figures["disk_told"] == figures["disk_survived"] > 20
