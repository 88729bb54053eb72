"""The learned planner drives, says why, and never stumbles over an odd scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.evaluate import drive
from waytrace.microgpt import MODES, GPTConfig, Learned
from waytrace.microgpt.columns import MOVES, STEER_KNOTS
from waytrace.microgpt.heads import moves
from waytrace.microgpt.parameters import drawn, initial
from waytrace.planners import Planner
from waytrace.scenario import ACCEL_RANGE_MPS2, CURVATURE_RANGE_1PM, WaytraceError
from waytrace.trace import Present, Trace, encode, sets

PARAMETERS = drawn(GPTConfig(2), seed=5)


@pytest.mark.parametrize("mode", MODES)
def test_it_drives_a_scenario_to_its_end(mode: str) -> None:
    planner = Learned(PARAMETERS, mode, temperature=1.0)
    assert isinstance(planner, Planner)
    said = []
    (rollout,) = drive(planner, [generate("work-zone", 3)], watch=lambda *seen: said.append(seen[3]))
    assert rollout.end in ("horizon", "collision", "off_road", "recording_end")
    assert np.isfinite(rollout.plan_waypoints).all()
    assert all((rows is not None) == (mode == "trace") for rows in said)


def test_a_trace_points_at_what_is_there_and_the_decision_is_remembered(moments) -> None:
    planner = Learned(PARAMETERS, temperature=1.0)
    plan, traces, state = planner.plan(moments.observation, None)
    assert traces is not None
    for b, trace in enumerate(traces):
        assert isinstance(trace, Trace)
        encode(trace, Present.of(moments.observation, b))
        assert sets.LONGITUDINAL.values[state[b, 0]] == trace.decision.longitudinal
        assert sets.LATERAL.values[state[b, 1]] == trace.decision.lateral
        assert planner.thoughts[b].logprob < 0.0
    assert plan.producer == "learned"


def test_decisions_alone_are_remembered_too_and_fast_mode_leaves_them_as_they_were(moments) -> None:
    state = Learned(PARAMETERS, "decision_only").plan(moments.observation, None)[2]
    assert (state >= 0).all()
    _, traces, after = Learned(PARAMETERS, "fast").plan(moments.observation, state)
    assert traces is None
    assert (after == state).all()


@pytest.mark.parametrize("mode", MODES)
def test_controls_lie_within_their_limits(moments, mode: str) -> None:
    wild = {name: 8.0 * value if name.startswith("head.control") else value for name, value in PARAMETERS.items()}
    plan = Learned(wild, mode).plan(moments.observation, None)[0]
    assert (plan.accel_mps2 >= ACCEL_RANGE_MPS2[0]).all()
    assert (plan.accel_mps2 <= ACCEL_RANGE_MPS2[1]).all()
    assert (np.abs(plan.curvature_1pm) <= CURVATURE_RANGE_1PM[1]).all()
    assert (np.abs(np.diff(plan.accel_mps2)) <= 4.0 + 1e-9).all()
    assert (np.abs(np.diff(plan.curvature_1pm)) <= 0.1 + 1e-9).all()
    assert (plan.waypoints[..., 3] >= 0.0).all()


def test_an_untrained_planner_keeps_its_speed_and_follows_all_moves_alike(moments) -> None:
    planner = Learned(initial(GPTConfig(2)), "fast")
    plan = planner.plan(moments.observation, None)[0]
    assert np.abs(plan.accel_mps2).max() < 1e-6
    steered = moves(moments.tokens.path).sum(1) / (len(MOVES) + 1)
    np.testing.assert_allclose([t.raw[:STEER_KNOTS, 1] for t in planner.thoughts], steered, atol=1e-5)
    assert np.abs(plan.curvature_1pm[:, STEER_KNOTS + 1 :]).max() == 0.0


def test_rows_are_planned_by_themselves(moments) -> None:
    """The plan of a row does not depend on the batch that it is in, to the last bit."""
    whole = Learned(PARAMETERS, temperature=1.0).plan(moments.observation, None)
    o = moments.observation
    one = replace(
        o, ids=o.ids[1:2], tick=o.tick[1:2], time_s=o.time_s[1:2], ego=o.ego[1:2], agents=o.agents[1:2],
        map=o.map[1:2], lights=o.lights[1:2], crosswalks=o.crosswalks[1:2], stop_lines=o.stop_lines[1:2],
        reference=o.reference[1:2], scenes=o.scenes[1:2],
    )  # fmt: skip
    alone = Learned(PARAMETERS, temperature=1.0).plan(one, None)
    assert (alone[0].waypoints[0] == whole[0].waypoints[1]).all()
    assert alone[1] is not None
    assert whole[1] is not None
    assert alone[1][0] == whole[1][1]


def test_draws_are_the_same_for_the_same_scene_and_seed(moments) -> None:
    def traces(seed: int) -> list[Trace | None] | None:
        return Learned(PARAMETERS, temperature=1.0, seed=seed).plan(moments.observation, None)[1]

    assert traces(0) == traces(0)
    assert traces(0) != traces(1)


@pytest.mark.parametrize("mode", MODES)
def test_a_scene_with_nothing_around_gives_a_plan(moments, mode: str) -> None:
    o = moments.observation
    tables = ("agents", "map", "lights", "crosswalks", "stop_lines")
    bare = replace(
        o, **{name: np.zeros_like(getattr(o, name)) for name in tables},
        reference=np.full_like(o.reference, -1),
        scenes=[replace(scene, reference=np.full_like(scene.reference, -1)) for scene in o.scenes],
    )  # fmt: skip
    plan, traces, _ = Learned(PARAMETERS, mode).plan(bare, None)
    assert np.isfinite(plan.waypoints).all()
    if traces is not None:
        assert all(trace is not None and not trace.entities for trace in traces)


def test_what_cannot_be_is_said_plainly(moments) -> None:
    with pytest.raises(WaytraceError, match="no mode 'quick'; there are trace"):
        Learned(PARAMETERS, "quick")
    with pytest.raises(WaytraceError, match="temperature must be 0 or more"):
        Learned(PARAMETERS, temperature=-1.0)
    with pytest.raises(WaytraceError, match="whole number from 0"):
        Learned(PARAMETERS, seed=-1)
    with pytest.raises(WaytraceError, match=r"none \(0\) or more"):
        Learned(PARAMETERS, second_thoughts=-1)
    with pytest.raises(WaytraceError, match="reset between batches"):
        Learned(PARAMETERS).plan(moments.observation, np.zeros((1, 2), np.int8))
    lacking = {name: value for name, value in PARAMETERS.items() if name != "head.trace.begin"}
    with pytest.raises(WaytraceError, match=r"lack 'head\.trace\.begin'"):
        Learned(lacking)
