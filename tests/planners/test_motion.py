import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waytrace.planners import fit_controls, make_plan
from waytrace.scenario import ACCEL_RANGE_MPS2, CURVATURE_RANGE_1PM
from waytrace.sim import integrate, integrate_dense


def motion(speed, accel, curvature):
    """Knot poses [16, 3], speeds [16] and the start of a motion with controls that change every 0.1 s."""
    state, poses, speeds = np.array([3.0, -2.0, 0.4, speed]), [], []
    start = state.copy()
    for i in range(80):
        t = i * 0.1
        step = integrate_dense(state[None], np.array([[accel(t)]]), np.array([[curvature(t)]]))[0]
        state = step[1]
        if i % 5 == 4:
            poses.append(state[:3].copy())
            speeds.append(state[3])
    return np.array(poses), np.array(speeds), start


@settings(max_examples=60)
@given(
    st.floats(2.0, 25.0), st.floats(-2.0, 1.5), st.floats(0.0, 2.0), st.floats(-0.04, 0.04), st.floats(0.3, 1.0)
)  # fmt: skip
def test_fitted_controls_follow_feasible_motion_within_a_decimetre(speed, accel, wave, curvature, rate):
    bend = curvature * min(1.0, 60.0 / speed**2)
    pose, speeds, start = motion(
        speed, lambda t: accel + wave * 0.5 * np.sin(rate * t), lambda t: bend * np.cos(rate * t)
    )
    a, k = fit_controls(pose, speeds, start)
    waypoints = integrate(start[None], a[None], k[None])[0]
    assert np.hypot(*(waypoints[:, :2] - pose[:, :2]).T).max() < 0.12


def test_fitted_controls_keep_their_limits_where_the_motion_does_not():
    pose = np.column_stack([np.linspace(0.0, 400.0, 16), np.linspace(0.0, -90.0, 16), np.linspace(0.0, 9.0, 16)])
    a, k = fit_controls(pose, np.linspace(0.0, 60.0, 16), np.zeros(4))
    assert ACCEL_RANGE_MPS2[0] <= a.min() <= a.max() <= ACCEL_RANGE_MPS2[1]
    assert CURVATURE_RANGE_1PM[0] <= k.min() <= k.max() <= CURVATURE_RANGE_1PM[1]


def test_standing_still_is_fitted_by_standing_still():
    start = np.array([5.0, 6.0, 1.0, 0.0])
    a, k = fit_controls(np.repeat(start[None, :3], 16, 0), np.zeros(16), start)
    assert np.abs(integrate(start[None], a[None], k[None])[0, :, :2] - start[:2]).max() < 1e-6


def test_a_stop_within_a_knot_ends_where_it_should():
    pose, speeds, start = motion(8.0, lambda t: -3.1, lambda t: 0.0)
    a, k = fit_controls(pose, speeds, start)
    end = integrate(start[None], a[None], k[None])[0, -1]
    assert np.hypot(*(end[:2] - pose[-1, :2])) < 0.1
    assert end[3] == 0.0


@pytest.mark.parametrize("rows", [1, 3])
def test_waypoints_are_the_integrated_controls(rows):
    rng = np.random.default_rng(rows)
    start = rng.normal(size=(rows, 4)) + np.array([0.0, 0.0, 0.0, 8.0])
    a, k = rng.uniform(-2, 2, (rows, 16)), rng.uniform(-0.05, 0.05, (rows, 16))
    plan = make_plan(np.zeros(rows), start, a, k, "x")
    np.testing.assert_array_equal(plan.waypoints, integrate(start, a, k))
