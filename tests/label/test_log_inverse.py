"""What recorded drivers did, explained by as little as possible; nobody else's future is looked at."""

from dataclasses import replace

import numpy as np

from waytrace.label import label_recorded
from waytrace.label.log_inverse import human_motion
from waytrace.observe import Reference, ReferenceKind
from waytrace.scenario import AgentKind

CAR = AgentKind.VEHICLE


def first(scenario):
    return next(label_recorded(scenario))


def test_a_driver_at_the_limit_on_an_empty_road_is_explained_by_nothing(scene):
    found = first(scene(speed=12.0))
    assert found.explained_by == ()
    assert found.label.gate == ""
    assert found.label.trace.decision.longitudinal == "set_speed"


def test_a_driver_behind_a_slow_car_is_explained_by_it(scene):
    found = first(scene((CAR, 80.0, 0.0, 0.0, 6.0), (CAR, 30.0, 0.0, 0.0, 6.0), speed=6.0))
    assert found.explained_by == (Reference(ReferenceKind.AGENT, 1),)
    assert found.label.trace.decision.longitudinal == "follow"


def test_a_driver_who_creeps_for_no_reason_is_unexplained(scene):
    found = first(scene(speed=2.0))
    assert found.explained_by is None
    assert found.label.gate == "unexplained"


def test_the_plan_is_the_recorded_motion(scene):
    made = scene(speed=9.0)
    found = first(made)
    pose, speed, known = human_motion(made, made.start_step)
    assert known == 81
    np.testing.assert_allclose(found.label.plan.waypoints[:, :2], pose[5::5, :2], atol=0.1)
    np.testing.assert_allclose(speed, 9.0)


def test_the_future_of_others_is_never_looked_at(scene):
    made = scene((CAR, 80.0, 0.0, 0.0, 6.0), (CAR, 60.0, 3.5, 0.0, 7.0), speed=6.0)
    rng = np.random.default_rng(1)
    agents, noise = made.agents, {}
    others = np.arange(len(agents)) != made.ego_index
    for part in ("xy", "heading_rad", "velocity_mps"):
        array = getattr(agents, part).copy()
        after = array[:, made.start_step + 1 :]
        after[others] = rng.normal(size=after[others].shape) * 50.0
        noise[part] = array
    one, two = first(made), first(made.with_(agents=replace(agents, **noise)))
    assert one.explained_by == two.explained_by
    assert one.label.trace == two.label.trace


def test_moments_without_six_seconds_ahead_have_no_label(scene):
    made = scene(speed=10.0)
    ticks = [m.tick for m in label_recorded(made, every_s=1.0)]
    assert ticks[0] == 0
    assert max(ticks) <= made.end_step - made.start_step - 60
