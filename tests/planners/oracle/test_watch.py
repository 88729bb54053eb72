import numpy as np
import pytest

from waytrace.planners.oracle.watch import Watcher
from waytrace.scenario import AgentKind, Plan
from waytrace.score import score_rollout
from waytrace.sim import World

from ..conftest import scene

CAR = AgentKind.VEHICLE


def watched(made, accel_mps2, traffic="replay"):
    """A drive straight on at given accelerations (one each half second), the watcher of it, and its score."""
    world = World([made], traffic=traffic)
    watcher = Watcher(world)
    for accel in accel_mps2:
        if not world.active.any():
            break
        held = np.full((1, 16), accel)
        a = made.ego_index
        rear = world.fixed.rear[0, a]
        start = np.array([[world.state.x[0, a] - rear, world.state.y[0, a], 0.0, world.state.speed[0, a]]])
        world.hold(Plan(np.zeros(1), start, held, np.zeros((1, 16)), np.zeros((1, 16, 4)), ""))
        for _ in range(5):
            active = world.active.copy()
            world.advance(1)
            watcher.see(active)
        watcher.judge_comfort(np.ones(1, np.bool_), 5, not world.active.any())
    return watcher.watch, watcher, score_rollout(made, world.rollouts()[0], 100.0)


@pytest.mark.parametrize(
    "accel", [[0.0] * 30, [2.0] * 30, [0.0] * 10 + [-3.0] * 20, [0.0] * 10 + [-7.0] * 20, [2.3, -3.9] * 15]
)
@pytest.mark.parametrize("lead", [90.0, 200.0, 390.0])
def test_it_weighs_a_drive_as_the_score_does(accel, lead):
    watch, watcher, scored = watched(scene((CAR, lead, 0.0, 0.0, 0.0)), accel)
    assert watch.clean[0] == (scored.terms["NC"] == scored.terms["DAC"] == 1.0)
    assert watch.safe[0] == (scored.terms["TTC"] == 1.0)
    assert watch.comfortable[0] == (scored.terms["C"] == 1.0)
    assert watch.over_m[0] / (2.23 * 15.1) == pytest.approx(1.0 - scored.terms["SL"], abs=1e-3) or watch.over_m[0] > 33
    assert watcher.driven_m[0] == pytest.approx(scored.figures["progress_m"])


def test_who_is_cut_off_is_noticed():
    still, _, _ = watched(scene((CAR, 20.0, 0.0, 0.0, 15.0), speed=0.0), [0.0] * 8, "reactive")
    free, _, _ = watched(scene((CAR, 20.0, 0.0, 0.0, 15.0), speed=15.0), [0.0] * 8, "reactive")
    assert still.harsh[0] > 0.0
    assert free.harsh[0] == 0.0
