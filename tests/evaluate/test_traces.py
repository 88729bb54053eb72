"""Traces of an evaluation: one checked line a decision, and a result that does not depend on them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.evaluate import evaluate
from waytrace.evaluate.traces import TraceBook
from waytrace.label import label_drive, runner_up_of
from waytrace.planners import ConstantVelocity, Expert
from waytrace.scenario.store import ScenarioWriter
from waytrace.sim import World
from waytrace.trace import TraceError
from waytrace.trace.file import read_traces


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("traced") / "store"
    with ScenarioWriter(path) as writer:
        writer.add(generate("ccrm", 0))
    return path


def test_the_result_is_the_same_with_and_without(store: Path, tmp_path: Path) -> None:
    plain = evaluate("expert", store, out=tmp_path / "plain")
    traced = evaluate("expert", store, out=tmp_path / "traced", traces=True)
    assert plain.meta["result_hash"] == traced.meta["result_hash"]
    assert not (plain.path / "traces.jsonl").exists()
    lines = list(read_traces(traced.path / "traces.jsonl"))
    rollout_decisions = len({line.tick for line in lines})
    assert rollout_decisions == len(lines) > 10
    assert [line.tick for line in lines] == sorted(line.tick for line in lines)
    assert all(line.verdicts for line in lines)
    assert all(line.header.producer.kind == "expert_certificate" for line in lines)
    assert any(line.ghosts for line in lines)
    for line in lines:
        for ghost in line.ghosts:
            assert len(ghost.xy) in (16, 17)
            start = line.plan.start[:2] if line.plan is not None else np.zeros(2)
            assert np.hypot(*(np.array(ghost.xy[0]) - start)) < 30.0
        second = runner_up_of(line)
        assert second is None or second.trace != line.trace


def test_a_planner_without_evidence_leaves_no_traces(store: Path, tmp_path: Path) -> None:
    result = evaluate("constant-velocity", store, out=tmp_path / "out", traces=True)
    assert (result.path / "traces.jsonl").read_text() == ""


def _told(planner: object, traces: object) -> list[object]:
    scenario = generate("ccrm", 0)
    world = World([scenario])
    observation = world.observe()
    expert = Expert()
    expert.reset([scenario.id])
    plan, _, _ = expert.plan(observation, None)
    book = TraceBook(["hash"], 0)
    book.take(planner, observation, plan, traces, world.active, None)
    return list(book.lines())


def test_a_planner_that_says_why_itself_is_quoted() -> None:
    (moment,) = label_drive(generate("ccrm", 0), ticks=[0])
    (line,) = _told(SimpleNamespace(), [moment.label.trace])
    assert line.trace == moment.label.trace
    assert line.header.producer.kind == "model"
    assert line.verdicts
    assert _told(SimpleNamespace(), [None]) == []
    assert _told(ConstantVelocity(), None) == []


def test_a_trace_that_breaks_the_grammar_is_an_error() -> None:
    from dataclasses import replace

    (moment,) = label_drive(generate("ccrm", 0), ticks=[0])
    decision = replace(moment.label.trace.decision, longitudinal="follow", causes=())
    broken = replace(moment.label.trace, decision=decision)
    with pytest.raises(TraceError, match=r"causes\.ref"):
        _told(SimpleNamespace(), [broken])
