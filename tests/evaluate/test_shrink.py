"""Shrinking: who is needed for a failure, and nobody else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waytrace.catalogue import generate
from waytrace.cli import main
from waytrace.evaluate import shrink as shrink_module
from waytrace.evaluate.shrink import Fails, search, shrink
from waytrace.scenario import WaytraceError
from waytrace.scenario.store import ScenarioStore


def _needs(*groups: set[int]) -> Fails:
    """Fails wherever all of one group are there."""

    def fails(sets: Sequence[Sequence[int]]) -> list[bool]:
        return [any(group <= set(s) for group in groups) for s in sets]

    return fails


@given(st.integers(1, 9), st.data())
def test_the_smallest_set_is_found(count: int, data: st.DataObject) -> None:
    groups = data.draw(st.lists(st.sets(st.integers(0, count - 1), max_size=count), min_size=1, max_size=3))
    kept, smallest = search(range(count), _needs(*groups))
    assert smallest
    assert len(kept) == min(map(len, groups))
    assert set(kept) in groups


@given(st.sets(st.integers(0, 59), min_size=3, max_size=8))
def test_among_many_agents_none_is_left_that_is_not_needed(group: set[int]) -> None:
    kept, smallest = search(range(60), _needs(group))
    assert set(kept) == group
    assert not smallest


def test_pairs_among_many_are_searched_by_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shrink_module, "TRIED_AT_MOST", 10)
    assert search(range(40), _needs({3, 31})) == ((3, 31), False)


def test_a_planner_that_strikes_its_lead_needs_the_lead_alone() -> None:
    scenario = generate("lead-braking", 0, "select")
    found = shrink(scenario, "constant-velocity")
    assert found.failure == "NC"
    assert found.smallest
    assert len(found.kept) == 1
    assert len(found.scenario.agents) == 2
    assert found.agents == len(scenario.agents) - 1


def test_a_planner_that_does_not_fail_is_refused() -> None:
    with pytest.raises(WaytraceError, match="Nothing to shrink"):
        shrink(generate("lead-braking", 0, "select"), "idm")


def test_the_command_writes_the_smaller_scene(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "small"
    arguments = ["shrink", "lead-braking/select/000000", "constant-velocity", "--out", str(out)]
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["failure"] == "NC"
    store = ScenarioStore.open(out)
    assert len(store[found["id"]].agents) == 1 + len(found["kept"])
    assert main(["shrink", "lead-braking/test/000000", "constant-velocity", "--out", str(tmp_path / "test")]) == 2
    assert "of split 'test'" in capsys.readouterr().err
    assert main(["shrink", "no-such/select/0", "idm", "--out", str(out)]) == 2
