"""Evaluations: the same whoever runs them, whole whatever the planner does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.evaluate import Result, drive, evaluate, load_planner, load_result
from waytrace.evaluate import run as run_module
from waytrace.evaluate.digest import result_hash
from waytrace.evaluate.schema import ResultRecord, RowRecord
from waytrace.scenario import StoreError, WaytraceError
from waytrace.score import score_rollout


@pytest.fixture(scope="module")
def result(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    return evaluate("constant-velocity", store, out=tmp_path_factory.mktemp("result") / "cv", workers=1)


def test_one_worker_and_two_give_the_same_result(result: Result, store: Path, tmp_path: Path) -> None:
    other = evaluate("constant-velocity", store, out=tmp_path / "two", workers=2)
    assert other.meta["result_hash"] == result.meta["result_hash"]
    assert [r | {"seconds": 0, "latency": 0} for r in other.meta["scenarios"]] == [
        r | {"seconds": 0, "latency": 0} for r in result.meta["scenarios"]
    ]


def test_every_key_of_a_result_is_documented(result: Result) -> None:
    assert result.meta.keys() - {"schema"} <= ResultRecord.model_fields.keys()
    assert result.meta["scenarios"][0].keys() <= RowRecord.model_fields.keys()


def test_a_drive_alone_is_the_drive_within_a_batch(result: Result) -> None:
    scenario_id = result.ids[3]
    scenario = result.scenario(scenario_id)
    (rollout,) = drive(load_planner("constant-velocity"), [scenario])
    assert np.array_equal(rollout.pose, result.rollout(scenario_id).pose)
    assert np.array_equal(rollout.plan_waypoints, result.rollout(scenario_id).plan_waypoints)


def test_a_result_gives_back_what_was_judged(result: Result) -> None:
    for scenario_id in result.ids:
        score = result.score(scenario_id)
        again = score_rollout(
            result.scenario(scenario_id), result.rollout(scenario_id), score.figures["reference_progress_m"]
        )
        assert again.score == score.score
        assert dict(again.terms) == dict(score.terms)
        assert again.events == score.events
        assert again.ticks.keys() == score.ticks.keys()
        assert all(np.array_equal(again.ticks[k], score.ticks[k], equal_nan=True) for k in score.ticks)


def test_aggregates_are_those_of_the_rows(result: Result) -> None:
    rows = result.meta["scenarios"]
    assert result.meta["score"] == pytest.approx(np.mean([r["score"] for r in rows]))
    assert result.meta["at_fault_collision_rate"] == pytest.approx(np.mean([r["terms"]["NC"] < 1 for r in rows]))
    assert set(result.meta["families"]) == {r["family"] for r in rows}
    assert result.meta["errors"] == []


def test_an_interrupted_evaluation_is_continued(
    result: Result, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driven: list[str] = []
    real = run_module.run_tasks

    def stop_after_one(setup: Any, tasks: list[Any], **options: Any) -> Any:
        for outcome in real(setup, tasks, **options):
            driven.extend(outcome.task.ids)
            yield outcome
            raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "run_tasks", stop_after_one)
    with pytest.raises(KeyboardInterrupt):
        evaluate("constant-velocity", store, out=tmp_path / "r")
    assert len(driven) == 4
    assert not (tmp_path / "r" / "result.json").exists()

    monkeypatch.setattr(run_module, "run_tasks", real)
    seen: list[tuple[int, int]] = []
    again = evaluate("constant-velocity", store, out=tmp_path / "r", progress=lambda d, n, _: seen.append((d, n)))
    assert seen == [(6, 6)]
    assert again.meta["result_hash"] == result.meta["result_hash"]
    assert not (tmp_path / "r" / "partial").exists()


def test_other_settings_are_refused_with_the_difference(store: Path, tmp_path: Path) -> None:
    evaluate("constant-velocity", store, out=tmp_path / "r", limit=1)
    with pytest.raises(WaytraceError, match=r"seed: 0 -> 5"):
        evaluate("constant-velocity", store, out=tmp_path / "r", limit=1, seed=5)
    assert evaluate("constant-velocity", store, out=tmp_path / "r", limit=1, seed=5, overwrite=True).meta["seed"] == 5


@pytest.mark.parametrize(
    ("planner", "said", "timeout_s"),
    [
        ("Raises", "no pedestrians, please", 300.0),
        ("Dies", "status 7", 300.0),
        pytest.param("Hangs", "took longer than 4 s", 4.0, marks=pytest.mark.slow),
    ],
)
def test_a_planner_that_fails_on_one_scenario_costs_no_other_its_result(
    planner: str, said: str, timeout_s: float, result: Result, store: Path, own: str, tmp_path: Path
) -> None:
    found = evaluate(f"{own}:{planner}", store, out=tmp_path / "r", workers=2, timeout_s=timeout_s)
    (error,) = found.errors
    assert error["id"].startswith("pedestrian-near")
    assert said in error["message"]
    assert said in (found.path / error["log"]).read_text()
    assert set(found.ids) == set(result.ids) - {error["id"]}
    others = [r["score"] for r in result.meta["scenarios"] if r["id"] != error["id"]]
    assert found.meta["score"] == pytest.approx(np.mean(others))


def test_a_plan_that_is_not_finite_is_an_error_and_no_score(store: Path, own: str, tmp_path: Path) -> None:
    found = evaluate(f"{own}:NotFinite", store, out=tmp_path / "r", limit=1)
    assert "not finite" in found.errors[0]["message"]
    assert found.meta["score"] is None


def test_scenarios_in_hand_are_kept_with_the_result(tmp_path: Path) -> None:
    found = evaluate("constant-velocity", [generate("cut-in", 1)], out=tmp_path / "r")
    moved = tmp_path / "moved"
    found.path.rename(moved)
    again = load_result(moved)
    assert again.scenario(again.ids[0]).family == "cut-in"
    with pytest.raises(WaytraceError, match="out=FOLDER"):
        evaluate("constant-velocity", [generate("cut-in", 1)])


def test_the_hash_covers_scores_and_not_time() -> None:
    row = {"id": "a", "score": 0.5, "digest": "d", "seconds": 1.0}
    base = result_hash({"planner": "p"}, [row], [])
    assert result_hash({"planner": "p"}, [row | {"seconds": 9.0}], []) == base
    assert result_hash({"planner": "p"}, [row | {"score": np.nextafter(0.5, 1)}], []) != base
    assert result_hash({"planner": "q"}, [row], []) != base
    assert result_hash({"planner": "p"}, [row], [{"id": "b"}]) != base


def test_what_is_no_result_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No result at"):
        load_result(tmp_path)
    (tmp_path / "result.json").write_text("{")
    with pytest.raises(StoreError, match="cannot be read as JSON"):
        load_result(tmp_path)
    (tmp_path / "result.json").write_text(json.dumps({"schema": "something/9"}))
    with pytest.raises(StoreError, match="schema"):
        load_result(tmp_path)
