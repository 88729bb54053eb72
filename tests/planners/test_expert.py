import numpy as np
import pytest

from waytrace.planners import make
from waytrace.scenario import AgentKind, LightState
from waytrace.sim import World

from .conftest import drive, observed, scene

CAR, WALKER = AgentKind.VEHICLE, AgentKind.PEDESTRIAN


@pytest.mark.parametrize("name", ["idm", "expert"])
def test_the_recorded_future_is_never_looked_at(name):
    """Noise in place of everything recorded after the present leaves the plan bit-identical."""
    made = scene((CAR, 100.0, 0.0, 0.0, 5.0), (WALKER, 110.0, -4.0, 1.5, 1.0), light=LightState.RED)
    rng = np.random.default_rng(0)
    agents, lights = made.agents, made.lights
    noise = {}
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
    plans = []
    for scenario in (made, other):
        planner = make(name)
        planner.reset([scenario.id])
        plan, _, _ = planner.plan(observed(World([scenario], traffic="replay")), None)
        plans.append(plan)
    np.testing.assert_array_equal(plans[0].accel_mps2, plans[1].accel_mps2)
    np.testing.assert_array_equal(plans[0].waypoints, plans[1].waypoints)


def test_it_does_not_move_in_before_a_car_that_comes_up_fast(ego_path):
    blocked = (CAR, 130.0, -3.5, 0.0, 0.0)
    fast = (CAR, 45.0, 0.0, 0.0, 14.0)
    pose, _ = ego_path(drive(make("expert"), [scene(blocked, fast, lanes=2, ego_y=-3.5, speed=8.0)]))
    passed = 45.0 + 1.4 * np.arange(len(pose)) > pose[:, 0] + 4.8
    moved = np.flatnonzero(pose[:, 1] > -2.4)
    assert len(moved)
    assert passed[moved[0]]
