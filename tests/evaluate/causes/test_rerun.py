"""Edited drives: the ego at one place with one speed, its past corrected, the others as they were."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from waytrace.evaluate.causes.edits import NONE, Edit, Element, edited, undo
from waytrace.evaluate.causes.rerun import EXPERT, Course, Rerun, course, covered, rerun
from waytrace.evaluate.causes.ruler import Moves, Ruler
from waytrace.evaluate.causes.veil import veiled
from waytrace.observe import REFERENCE_KIND, Observation, Reference, ReferenceKind, Scene, column
from waytrace.planners import ConstantVelocity, Idm
from waytrace.scenario import AgentKind, LaneControl, LightState, Route, Scenario
from waytrace.sim import World

from ...planners.bent_road import bent, driven
from ...planners.conftest import scene, straight_road

CAR = AgentKind.VEHICLE
LEAD, BEHIND = Element(Reference(ReferenceKind.AGENT, 1)), Element(Reference(ReferenceKind.AGENT, 2))
LIGHT = Element(Reference(ReferenceKind.LIGHT, 0))
LIMIT = Element(Reference(ReferenceKind.LANE, 0), limit=True)
CURVE = Element(Reference(ReferenceKind.LANE, 1), curve=True)
TICK = 20


@pytest.fixture(scope="module")
def following() -> tuple[Course, Scene]:
    """A slower car 25 m ahead and one far behind, two seconds into the drive: the ego has braked."""
    of, scenes = course(scene((CAR, 85.0, 0.0, 0.0, 5.0), (CAR, 5.0, 0.0, 0.0, 5.0)), [TICK], traffic="replay")
    return of, scenes[TICK]


@pytest.fixture(scope="module")
def tried(following: tuple[Course, Scene]) -> Rerun:
    edits = [undo(LEAD), undo(BEHIND), Edit("only", frozenset({LEAD})), undo(LIMIT), Edit("slow", frozenset({LEAD}))]
    return rerun(following[0], TICK, edits, {"blind": ConstantVelocity(), "idm": Idm()})


def _moved(of: Scene, tried: Rerun, who: str, edit: Edit) -> tuple[float, float]:
    answers = tried.answers[who]
    return Ruler(of).apart(answers[NONE].plan, answers[edit].plan)


def test_the_ego_is_at_one_place_with_one_speed_in_every_edited_drive(tried: Rerun) -> None:
    poses = np.stack([s.ego.pose for s in tried.observation.scenes])
    speeds = [s.ego.speed_mps for s in tried.observation.scenes]
    assert np.array_equal(poses, np.broadcast_to(poses[0], poses.shape))
    assert len(set(speeds)) == 1
    assert all(set(answers) == set(tried.edits) for answers in tried.answers.values())


def test_a_leader_moves_those_who_look_and_not_the_blind(following: tuple[Course, Scene], tried: Rerun) -> None:
    for who in (EXPERT, "idm"):
        away, ahead = _moved(following[1], tried, who, undo(LEAD))
        assert away > 2.0
        assert ahead > 2.0, f"{who} gets further without the leader"
        assert _moved(following[1], tried, who, undo(BEHIND))[0] == 0.0
        assert _moved(following[1], tried, who, Edit("only", frozenset({LEAD})))[0] == 0.0
    assert all(_moved(following[1], tried, "blind", edit)[0] == 0.0 for edit in tried.edits)


def test_the_past_does_not_betray_what_is_gone(tried: Rerun) -> None:
    rows = {edit: row for row, edit in enumerate(tried.edits)}
    with_lead, without = (tried.observation.scenes[rows[e]].ego for e in (NONE, undo(LEAD)))
    assert with_lead.accel_mps2 < -0.3, "it brakes for the leader"
    assert without.accel_mps2 > with_lead.accel_mps2 + 0.3
    assert without.speed_history_mps[-6] < with_lead.speed_history_mps[-6], "who speeds up was slower before"
    assert without.pose_history[-6, 0] > with_lead.pose_history[-6, 0], "and has come less far since"
    same = tried.observation.scenes[rows[undo(BEHIND)]].ego
    assert np.array_equal(same.speed_history_mps, with_lead.speed_history_mps)
    assert np.array_equal(same.pose_history, with_lead.pose_history)


def test_what_was_taken_away_was_never_seen_and_the_others_move_as_they_did(tried: Rerun) -> None:
    scenes = dict(zip(tried.edits, tried.observation.scenes, strict=True))
    assert len(scenes[undo(LEAD)].agents) == len(scenes[NONE].agents) - 1
    whole, after = scenes[NONE].agents, scenes[undo(LEAD)].agents
    names = [tried.edited[undo(LEAD)].before(Reference(ReferenceKind.AGENT, int(i))).index for i in after.index]
    found = dict(zip(names, after.pose, strict=True))
    before = {int(i): pose for i, pose in zip(whole.index, whole.pose, strict=True)}
    assert 1 not in found
    assert np.array_equal(found[2], before[2])


def test_a_red_light_turned_green_and_a_raised_limit_let_the_plan_go_further() -> None:
    of, scenes = course(scene(light=LightState.RED, speed=8.0), [TICK], traffic="replay")
    found = rerun(of, TICK, [undo(LIGHT)], {})
    assert _moved(scenes[TICK], found, EXPERT, undo(LIGHT))[1] > 2.0
    of, scenes = course(scene(speed=12.0), [TICK], traffic="replay")
    found = rerun(of, TICK, [undo(LIMIT)], {})
    assert _moved(scenes[TICK], found, EXPERT, undo(LIMIT))[1] > 2.0
    (limit,) = edited(of.scenario, undo(LIMIT)).scenario.map.speed_limit_mps
    assert limit == 2.0 * of.scenario.map.speed_limit_mps[0]


def test_a_straightened_curve_moves_those_who_slow_down_for_it_and_not_the_blind() -> None:
    """Just before a bend of 20 m radius; somebody stands far beyond it, 5.25 m beside the lane's middle."""
    tick = 30
    of, scenes = course(driven((200.0, 5.25, 0.0)), [tick], traffic="replay")
    found = rerun(of, tick, [undo(CURVE)], {"blind": ConstantVelocity(), "idm": Idm()})
    moves = {name: Moves(Ruler(scenes[tick]), answers) for name, answers in found.answers.items()}
    for who in (EXPERT, "idm"):
        assert (moves[who].moved(undo(CURVE)) or 0.0) > 2.0
        assert (moves[who].ahead(undo(CURVE)) or 0.0) > 2.0, f"{who} gets further without the bend"
    assert moves["blind"].moved(undo(CURVE)) == 0.0
    before, after = found.observation.scenes
    assert before.ego.pose == pytest.approx(after.ego.pose, abs=1e-12)
    assert after.ego.accel_mps2 > before.ego.accel_mps2 + 0.3, "the past does not betray the bend"
    place = after.agents.pose[0]
    assert place[:2] == pytest.approx([200.0, 5.25], abs=0.2)
    assert bent(200.0, 5.25)[0] < 130.0, "where it stood before"


def test_a_curve_that_cannot_be_straightened_is_compared_with_nothing() -> None:
    """Somebody walks about where the bend has its centre."""
    of, scenes = course(driven((112.0, 18.0, 1.0)), [TICK], traffic="replay")
    found = rerun(of, TICK, [undo(CURVE), undo(LEAD)], {})
    assert found.edits == (NONE, undo(LEAD))
    moves = Moves(Ruler(scenes[TICK]), found.answers[EXPERT])
    assert moves.moved(undo(CURVE)) is None
    assert moves.ahead(undo(CURVE)) is None
    both = rerun(of, TICK, [undo(CURVE, LEAD)], {})
    assert both.edits == (NONE, undo(CURVE, LEAD)), "without whom it can"


def test_only_keeps_what_is_named() -> None:
    scenario = scene((CAR, 85.0, 0.0, 0.0, 5.0), (CAR, 5.0, 0.0, 0.0, 5.0), light=LightState.RED)
    kept = edited(scenario, Edit("only", frozenset({BEHIND})))
    assert kept.agents == (0, 2)
    assert (kept.scenario.lights.state == LightState.GREEN).all()
    with_light = edited(scenario, Edit("only", frozenset({LIGHT}))).scenario
    assert len(with_light.agents) == 1
    assert (with_light.lights.state == LightState.RED).all()


def _seen(scenario: Scenario, ticks: int = 1) -> Any:
    return World([scenario] * ticks, traffic="replay").observe()


def test_a_veil_takes_one_thing_out_of_arrays_and_scene() -> None:
    scenario = scene((CAR, 85.0, 0.0, 0.0, 5.0), (CAR, 30.0, 0.0, 0.0, 5.0), light=LightState.RED)
    seen = _seen(scenario, 3)
    after = veiled(seen, [LEAD, LIGHT, None])
    assert after.valid("agents")[0].sum() == seen.valid("agents")[0].sum() - 1
    assert list(after.scenes[0].agents.index) == [2]
    held = after.reference[0][:31]
    assert held[0] == 2
    assert np.array_equal(after.agents[0, 0], seen.agents[0, list(seen.reference[0][:31]).index(2)])
    assert after.scenes[1].light_state[0] == LightState.GREEN
    assert after.lights[1, 0, 4] == 1.0, "is_green"
    assert after.lights[1, 0, 2] == 0.0, "is_red"
    assert np.array_equal(after.agents[1:], seen.agents[1:])
    for name in ("ego", "agents", "lights", "stop_lines", "reference"):
        assert np.array_equal(getattr(after, name)[2], getattr(seen, name)[2])
    assert seen.scenes[1].light_state[0] == LightState.RED, "the observation itself stays as it was"


def test_a_veil_is_over_the_pieces_of_lanes_too() -> None:
    """A lane's row says what its light shows and whether one has to stop: who reads it there would see through."""
    lit = _seen(scene(light=LightState.RED))
    assert _told(lit, 1, "light") == {1.0 + LightState.RED}
    covered_one = veiled(lit, [LIGHT])
    assert _told(covered_one, 1, "light") == {1.0 + LightState.GREEN}
    assert _told(covered_one, 0, "light") == _told(lit, 0, "light") == {0.0}

    made = scene(road=straight_road(stop_m=140.0))
    control = np.array([LaneControl.NONE, LaneControl.STOP], np.uint8)
    signed = _seen(made.with_(map=replace(made.map, lane_control=control), route=Route(((0,), (1,)))))
    assert _told(signed, 1, "control") == {float(LaneControl.STOP)}
    line = Element(Reference(ReferenceKind.STOP_LINE, 0))
    assert _told(veiled(signed, [line]), 1, "control") == {float(LaneControl.NONE)}
    assert _told(signed, 1, "control") == {float(LaneControl.STOP)}, "the observation itself stays as it was"


def _told(seen: Observation, lane: int, name: str) -> set[float]:
    """What the rows of a lane's pieces say in a column."""
    rows = seen.reference[0][REFERENCE_KIND == ReferenceKind.LANE] == lane
    assert rows.any()
    return {float(v) for v in seen.map[0, rows, column("map", name)]}


def test_covering_the_leader_moves_a_black_box(following: tuple[Course, Scene]) -> None:
    of, at = following
    base = rerun(of, TICK, [], {"idm": Idm()}).answers["idm"][NONE].plan
    plans = covered(of, TICK, [LEAD, BEHIND], Idm())
    ruler = Ruler(at)
    assert ruler.apart(base, plans[0])[0] > 2.0
    assert ruler.apart(base, plans[1])[0] == 0.0
    assert covered(of, TICK, [], Idm()) == []
