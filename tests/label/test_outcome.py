"""Whether forecasts came true."""

import numpy as np
import pytest

from waytrace.label.outcome import came_true, light_came_true
from waytrace.label.predictions import HORIZON_STEPS, intent_of
from waytrace.scenario import AgentKind, LightState

T = np.arange(HORIZON_STEPS + 1) * 0.2


def motion(speed, accel=0.0, aside=0.0, turned=0.0):
    v = np.maximum(speed + accel * T, 0.0)
    x = np.concatenate([[0.0], np.cumsum(0.5 * (v[1:] + v[:-1]) * 0.2)])
    share = np.linspace(0.0, 1.0, len(T))
    return np.column_stack([x, aside * share, turned * share, v])


CASES = {
    "keep": motion(10.0), "accelerate": motion(10.0, 1.0), "brake": motion(10.0, -1.0), "stop": motion(4.0, -2.0),
    "stay_stopped": motion(0.0), "start": motion(0.0, 1.0), "turn_left": motion(6.0, turned=1.2),
    "turn_right": motion(6.0, turned=-1.2),
}  # fmt: skip


@pytest.mark.parametrize("intent", CASES)
def test_a_motion_is_called_by_a_name_that_comes_true_of_it(intent):
    assert intent_of(CASES[intent], AgentKind.VEHICLE, changes=False, crossing=False, first=False) == intent
    assert came_true(intent, CASES[intent])


def test_names_do_not_come_true_of_other_motions():
    assert not came_true("keep", CASES["brake"])
    assert not came_true("stay_stopped", CASES["start"])
    assert not came_true("lane_change_left", motion(10.0, aside=-3.5))
    assert came_true("lane_change_left", motion(10.0, aside=3.5))


def test_who_comes_first_is_told_by_arrivals():
    assert came_true("go_before_ego", CASES["keep"], enters_s=2.0, ego_s=5.0)
    assert not came_true("go_before_ego", CASES["keep"], enters_s=5.0, ego_s=2.0)
    assert not came_true("cross", CASES["keep"])


def test_lights():
    red, green = (np.full(40, state, np.uint8) for state in (LightState.RED, LightState.GREEN))
    assert light_came_true("stays_red", red)
    assert not light_came_true("stays_red", np.concatenate([red, green]))
    assert light_came_true("turns_green", np.concatenate([red, green]))
    assert light_came_true("stays_green", green)
