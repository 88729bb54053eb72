"""What two results are said to differ in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from waytrace.cli import main
from waytrace.evaluate import Result, evaluate, load_result
from waytrace.evaluate.compare import SceneDifference, compare, parting
from waytrace.evaluate.compare_said import SaidDifference, Saying, said_difference
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


def _saying(tick: int, *agents: int, longitudinal: str = "follow", lateral: str = "keep") -> Saying:
    causes = tuple(
        Cause(Reference(ReferenceKind.AGENT, k), "longitudinal", "proximate", "headway", 0, 0) for k in agents
    )
    decision = SimpleNamespace(causes=causes, longitudinal=longitudinal, lateral=lateral)
    return Saying.of(tick, SimpleNamespace(decision=decision))  # type: ignore[arg-type]


def test_the_cause_that_was_dropped_is_named_with_its_tick() -> None:
    left = [_saying(0, 1), _saying(5, 1, 2), _saying(10, 1)]
    found = said_difference(left, [_saying(0, 1), _saying(5, 1, 3), _saying(10)])
    assert (found.cause_tick, found.other_causes, found.other_decisions) == (5, 2, 0)
    assert found.dropped == ("longitudinal headway, agent 2 (proximate)",)
    assert found.added == ("longitudinal headway, agent 3 (proximate)",)
    assert said_difference(left, left) == SaidDifference()


def test_the_first_other_decision_is_named_and_decisions_that_one_lacks_are_passed_over() -> None:
    left = [_saying(0, 1), _saying(5, 1), _saying(10, 1)]
    right = [_saying(5, 1, longitudinal="yield", lateral="nudge_in_lane_left"), _saying(15, 2)]
    found = said_difference(left, right)
    assert (found.decision_tick, found.decided) == (5, ("follow", "yield, nudge in lane left"))
    assert (found.other_decisions, found.other_causes) == (1, 0)


@pytest.mark.parametrize(
    ("before", "after", "said", "unseen"),
    [
        (0.8, 0.801, SaidDifference(other_causes=1), True),
        (0.8, 0.81, SaidDifference(other_causes=1), False),
        (0.8, 0.8, SaidDifference(), False),
        (0.8, float("nan"), SaidDifference(other_decisions=1), False),
    ],
)
def test_a_score_that_stands_still_does_not_see_another_cause(
    before: float, after: float, said: SaidDifference, unseen: bool
) -> None:
    difference = SceneDifference("scene", before, after, {}, (), (), None, None, None, said)
    assert difference.unseen_by_score is unseen
    assert difference.to_json()["unseen_by_score"] is unseen
    assert difference.to_json()["other_causes"] == said.other_causes


def test_a_scene_that_was_driven_alike_and_says_something_else_is_told(
    results: tuple[Result, Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    same, scene = results[0], results[0].ids[0]
    said = iter([{scene: [_saying(0, 1)]}, {scene: [_saying(0, 2)]}])
    monkeypatch.setattr("waytrace.evaluate.compare.read_sayings", lambda _: next(said))
    (found,) = compare(same, same)
    assert (found.scene, found.first_tick, found.unseen_by_score) == (scene, None, True)


def test_what_only_one_was_driven_with_is_a_dash_and_null(
    results: tuple[Result, Result], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = json.loads((results[0].path / "result.json").read_text())
    scene = record["scenarios"][0]
    value = scene["terms"].pop("C")
    (tmp_path / "result.json").write_text(
        json.dumps(record | {"traffic": "replay", "scenarios": [scene | {"digest": "x"}, *record["scenarios"][1:]]})
    )
    paths = [str(results[0].path), str(tmp_path)]
    assert main(["compare", *paths, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [d["terms"] for d in found["differences"]] == [{"C": [value, None]}]
    assert found["conditions"] == {"traffic": ["mixed", "replay"]}
    assert main(["compare", *paths]) == 1
    out = capsys.readouterr().out
    assert "Not driven alike: traffic mixed -> replay" in out
    assert f"C {value:.2f} -> -" in out
    del scene["score"]
    (tmp_path / "result.json").write_text(json.dumps(record | {"scenarios": [scene]}))
    assert main(["compare", *paths]) == 2
    assert "scenarios.0.score" in capsys.readouterr().err


def _edited(result: Result, folder: Path, **changes: object) -> Result:
    folder.mkdir()
    record = json.loads((result.path / "result.json").read_text()) | changes
    (folder / "result.json").write_text(json.dumps(record))
    return load_result(folder)


def test_failures_lead_and_scenes_that_no_longer_fail_come_last(
    results: tuple[Result, Result], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = results[1].meta["scenarios"]
    first, last = rows[0]["id"], rows[3]["id"]

    def failing(name: str, scene: str, rows: list[dict[str, object]]) -> Result:
        errors = [{"id": scene, "message": "ValueError: no", "log": "logs/0"}]
        return _edited(results[0], tmp_path / name, errors=errors, scenarios=[r for r in rows if r["id"] != scene])

    before, after = failing("a", last, results[0].meta["scenarios"]), failing("b", first, rows)
    found = compare(before, after)
    assert [d.scene for d in (found[0], found[-1])] == [first, last]
    gains = [d.after - d.before for d in found[1:-1]]
    assert gains == sorted(gains)
    assert (found[0].new, found[-1].gone) == (("the planner failed: ValueError: no",),) * 2
    assert main(["compare", str(before.path), str(after.path), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["lower"] == 1 + sum(g < 0 for g in gains)
    assert said["higher"] == 1 + sum(g > 0 for g in gains)


def test_one_drive_that_is_judged_otherwise_is_told(results: tuple[Result, Result], tmp_path: Path) -> None:
    """Such as by another oracle: the drive is the same to the last bit, its score is not."""
    rows = results[0].meta["scenarios"]
    other = [rows[0] | {"score": 0.123}, *rows[1:]]
    (found,) = compare(results[0], _edited(results[0], tmp_path / "other", scenarios=other))
    assert (found.scene, found.after, found.first_tick) == (rows[0]["id"], 0.123, None)


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


def test_the_command_writes_a_report_of_the_scenes_that_differ(
    results: tuple[Result, Result], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [str(result.path) for result in results]
    assert main(["compare", *paths, "--report", str(tmp_path / "out"), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["report"] == str(tmp_path / "out" / "index.html")
    assert len(list((tmp_path / "out" / "scenes").iterdir())) == len(found["differences"])
