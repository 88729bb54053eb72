"""What two results are said to differ in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from waytrace.cli import main
from waytrace.evaluate import Result, evaluate
from waytrace.evaluate.compare import compare, first_change, parting
from waytrace.observe import Reference
from waytrace.observe.features import ReferenceKind
from waytrace.scenario import StoreError
from waytrace.trace import Cause


@pytest.fixture(scope="module")
def results(store: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Result]:
    folder = tmp_path_factory.mktemp("compare")
    return tuple(  # type: ignore[return-value]
        evaluate(name, store, out=folder / name, workers=1) for name in ("constant-velocity", "idm")
    )


def test_a_result_beside_itself_is_the_same(results: tuple[Result, Result]) -> None:
    assert compare(results[0], results[0]) == []


def test_every_scene_that_went_differently_is_told(results: tuple[Result, Result]) -> None:
    before, after = results
    found = compare(before, after)
    assert {d.scene for d in found} == {i for i in before.ids if before.row(i)["digest"] != after.row(i)["digest"]}
    gains = [d.after - d.before for d in found]
    assert gains == sorted(gains)
    for d in found:
        assert d.terms == {
            name: (value, after.row(d.scene)["terms"][name])
            for name, value in before.row(d.scene)["terms"].items() if value != after.row(d.scene)["terms"][name]
        }  # fmt: skip
        one, two = before.rollout(d.scene), after.rollout(d.scene)
        assert d.first_tick is not None
        assert np.array_equal(one.pose[: d.first_tick], two.pose[: d.first_tick], equal_nan=True)
        struck = [e for e in before.row(d.scene)["events"] if e["at_fault"]]
        if struck and not after.row(d.scene)["events"]:
            assert len(d.gone) == len(before.row(d.scene)["events"])


def test_the_first_tick_is_the_first(results: tuple[Result, Result]) -> None:
    drive = results[0].rollout(results[0].ids[0])
    assert parting(drive, drive) == (None, None, None)
    pose = drive.pose.copy()
    pose[7:, drive.ego_index, 0] += 1e-9
    pose[30:, drive.ego_index, 1] += 1.0
    assert parting(drive, replace(drive, pose=pose)) == (7, 30, None)
    plans = drive.plan_waypoints.copy()
    plans[2:] += 0.1
    assert parting(drive, replace(drive, plan_waypoints=plans)) == (None, None, int(drive.decision_row[2]))


def _line(tick: int, *agents: int) -> Any:
    causes = tuple(
        Cause(Reference(ReferenceKind.AGENT, k), "longitudinal", "proximate", "headway", 0, 0) for k in agents
    )
    return SimpleNamespace(tick=tick, trace=SimpleNamespace(decision=SimpleNamespace(causes=causes)))


def test_the_cause_that_was_dropped_is_named_with_its_tick() -> None:
    left, right = [_line(0, 1), _line(5, 1, 2), _line(10, 1)], [_line(0, 1), _line(5, 1, 3), _line(10)]
    tick, dropped, added = first_change(left, right)
    assert tick == 5
    assert dropped == ("longitudinal headway, agent 2 (proximate)",)
    assert added == ("longitudinal headway, agent 3 (proximate)",)
    assert first_change(left, left) == (None, (), ())


def test_results_of_other_scenes_are_refused(results: tuple[Result, Result], store: Path, tmp_path: Path) -> None:
    fewer = evaluate("idm", store, out=tmp_path / "fewer", workers=1, limit=4)
    with pytest.raises(StoreError, match="not of the same scenes: 2 are in one alone"):
        compare(results[0], fewer)


def test_the_command_tells_the_scenes_and_ends_with_one(
    results: tuple[Result, Result], capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [str(result.path) for result in results]
    assert main(["compare", *paths, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["lower"] + found["higher"] <= len(found["differences"]) <= found["scenes"] == 6
    assert main(["compare", *paths]) == 1
    assert found["differences"][0]["scene"] in capsys.readouterr().out
    assert main(["compare", paths[0], paths[0]]) == 0
