"""What the labels of scenes with one thing in them say, and that none of them breaks the grammar."""

import math

import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.label import LabelError, label_drive
from waytrace.observe import Reference, ReferenceKind
from waytrace.planners import Replay
from waytrace.scenario import AgentKind, LightState
from waytrace.trace import Present, decode, encode, sets
from waytrace.trace.check import check

CAR, WALKER = AgentKind.VEHICLE, AgentKind.PEDESTRIAN
AGENT, LIGHT = ReferenceKind.AGENT, ReferenceKind.LIGHT


def causes(moment, role="proximate", axis="longitudinal"):
    d = moment.label.trace.decision
    return {(c.constraint, str(c.ref)) for c in d.causes if c.role == role and c.axis == axis}


def test_an_empty_road_is_driven_at_the_speed_one_wants_and_for_no_reason(scene, labelled):
    d = labelled(scene(speed=11.5)).label.trace.decision
    assert (d.longitudinal, d.lateral, d.changed, d.causes) == ("set_speed", "keep", "no", ())


def test_a_slower_car_ahead_is_followed_for_its_sake(scene, labelled):
    moment = labelled(scene((CAR, 85.0, 0.0, 0.0, 6.0)))
    assert moment.label.trace.decision.longitudinal == "follow"
    assert causes(moment) == {("headway", "agent:1")}
    lead = next(e for e in moment.label.trace.entities if e.ref == Reference(AGENT, 1))
    assert (lead.relation, lead.class_, lead.motion) == ("lead", "vehicle", "steady")


def test_a_red_light_is_stopped_at_for_its_sake(scene, labelled):
    moment = labelled(scene(light=LightState.RED, speed=12.0), tick=25)
    d = moment.label.trace.decision
    assert d.longitudinal == "stop"
    assert causes(moment) == {("stop_point", "light:0")}
    assert moment.label.trace.scene_summary.signal_for_ego == "red"
    assert moment.label.trace.plan.stop_s_bin < len(sets.STOP_S.edges)
    assert moment.label.trace.plan.target_speed_bin == 0
    free = next(r for r in d.rejected if r.option in ("proceed", "set_speed"))
    assert (free.violates, free.ref) == ("stop_point", Reference(LIGHT, 0))


def test_someone_who_walks_across_is_yielded_to(scene, labelled):
    moment = labelled(scene((WALKER, 95.0, -5.0, math.pi / 2, 1.4)))
    assert moment.label.trace.decision.longitudinal == "yield"
    assert causes(moment) == {("cross_conflict", "agent:1")}
    crossing = next(p for p in moment.label.trace.predictions if p.ref == Reference(AGENT, 1))
    assert crossing.intent == "cross"
    assert crossing.conflict_s_bin < len(sets.CONFLICT_S.edges)


def test_a_slow_car_is_overtaken_for_its_sake_where_there_is_a_lane(scene, labelled):
    moment = labelled(scene((CAR, 90.0, -3.5, 0.0, 3.0), lanes=2, ego_y=-3.5))
    assert moment.label.trace.decision.lateral == "lane_change_left"
    assert causes(moment, axis="lateral") == {("headway", "agent:1")}
    assert any(g.lat == "change_left" for g in moment.label.trace.plan.segments)
    assert "keep" in {r.option for r in moment.label.trace.decision.rejected}


def test_the_runner_up_has_a_trace_and_a_plan_of_its_own(scene, labelled):
    moment = labelled(scene((CAR, 90.0, -3.5, 0.0, 3.0), lanes=2, ego_y=-3.5), runner_up=True)
    first, second = moment.label, moment.runner_up
    assert second is not None
    assert second.plan is moment.certificate.runner_up.plan
    apart = np.hypot(*(second.plan.waypoints[:12, :2] - first.plan.waypoints[:12, :2]).T).max()
    assert apart >= 1.0
    assert second.trace.decision != first.trace.decision
    assert first.trace.decision.confidence_bin >= sets.CONFIDENCE.number(0.5)
    assert second.trace.decision.confidence_bin <= sets.CONFIDENCE.number(0.5)


@pytest.mark.parametrize("family", ["merge", "unprotected-left", "pedestrian-near", "work-zone", "red-light"])
def test_whole_drives_obey_the_grammar_and_point_at_what_is_there(family):
    before = None
    for moment in label_drive(generate(family, 3), every_s=1.0, runner_up=True):
        observation = moment.world.observe()
        present = Present.of(observation, 0)
        for label in (moment.label, moment.runner_up):
            if label is None:
                continue
            assert decode(encode(label.trace, present), present) == label.trace
            rows = [present.row_of[e.ref] for e in label.trace.entities]
            assert rows == sorted(rows)
            assert all(c.ref in present.row_of for c in label.trace.decision.causes)
        d = moment.label.trace.decision
        if before is not None and moment.before is not None:
            last = moment.before.decision
            assert (d.changed == "yes") == ((last.longitudinal, last.lateral) != (d.longitudinal, d.lateral))
        before = moment


def test_what_a_label_says_of_scene_and_plan_is_true(scene, labelled):
    """On scenes that leave nothing open, no claim is false."""
    for made in (
        scene(speed=11.5), scene((CAR, 85.0, 0.0, 0.0, 6.0)), scene(light=LightState.RED, speed=12.0),
        scene((WALKER, 95.0, -5.0, math.pi / 2, 1.4)),
    ):  # fmt: skip
        moment = labelled(made)
        verdicts = check(moment.label.trace, moment.at.scene, moment.label.plan)
        assert [v for v in verdicts if v.value == "false"] == []


def test_replacing_the_recorded_future_by_noise_changes_no_label(scene, labelled):
    made = scene((CAR, 100.0, 0.0, 0.0, 5.0), (WALKER, 110.0, -4.0, 1.5, 1.0), light=LightState.RED)
    rng = np.random.default_rng(0)
    agents, lights, noise = made.agents, made.lights, {}
    for part in ("xy", "heading_rad", "velocity_mps"):
        array = getattr(agents, part).copy()
        array[:, made.start_step + 1 :] = rng.normal(size=array[:, made.start_step + 1 :].shape) * 50.0
        noise[part] = array
    states = lights.state.copy()
    states[made.start_step + 1 :] = LightState.GREEN
    other = made.with_(
        agents=type(agents)(agents.agent_id, agents.kind, agents.size_m, valid=agents.valid, **noise),
        lights=type(lights)(lights.lane, lights.xy, states),
    )
    one, two = (labelled(s, runner_up=True) for s in (made, other))
    assert one.label.trace == two.label.trace
    np.testing.assert_array_equal(one.label.plan.waypoints, two.label.plan.waypoints)
    assert (one.runner_up is None) == (two.runner_up is None)
    assert one.runner_up is None or one.runner_up.trace == two.runner_up.trace


def test_a_planner_that_may_know_the_future_is_refused(scene):
    with pytest.raises(LabelError, match="privileged"):
        next(label_drive(scene(), Replay()))


def test_a_planner_without_certificates_is_refused(scene):
    silent = type("Silent", (), {"privileged": False, "name": "silent"})()
    with pytest.raises(LabelError, match="certificates"):
        next(label_drive(scene(), silent))
