"""Forward and inverse dynamics."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from waytrace.scenario import ACCEL_RANGE_MPS2, CURVATURE_RANGE_1PM, DT_S
from waytrace.sim import integrate, integrate_dense, invert
from waytrace.sim.dynamics import advance

ACCEL = arrays(np.float64, 16, elements=st.floats(*ACCEL_RANGE_MPS2))
CURVATURE = arrays(np.float64, 16, elements=st.floats(*CURVATURE_RANGE_1PM))
START = st.tuples(
    st.floats(-500.0, 500.0), st.floats(-500.0, 500.0), st.floats(-math.pi, math.pi), st.floats(0.0, 40.0)
)


@settings(max_examples=200)
@given(start=START, accel=ACCEL, curvature=CURVATURE)
def test_controls_come_back_from_the_states_they_lead_to(start, accel, curvature):
    states = integrate_dense(np.array(start), accel, curvature)[0]
    found_accel, found_curvature = invert(states)
    # Where the vehicle brakes to a halt within a tick it applies less than it was told, and standing it turns nothing.
    rolls = states[1:, 3] > 1e-2
    assert np.abs(found_accel - np.repeat(accel, 5))[rolls].max(initial=0.0) < 1e-9
    assert np.abs(found_curvature - np.repeat(curvature, 5))[rolls].max(initial=0.0) < 1e-8


@settings(max_examples=100)
@given(start=START, accel=ACCEL, curvature=CURVATURE)
def test_states_come_back_from_their_controls(start, accel, curvature):
    states = integrate_dense(np.array(start), np.maximum(accel, -1.0), curvature)[0]
    again = [states[0]]
    for a, k in zip(*invert(states), strict=True):
        again.append(np.array(advance(*again[-1], a, k, DT_S)))
    # A halt within a tick is reached sooner than its mean acceleration says: up to v dt / 2 a halt.
    off = np.abs(np.array(again) - states)[:, :2].max()
    halts = ((states[:-1, 3] > 0.0) & (states[1:, 3] == 0.0)).sum()
    assert off < 1e-8 + halts * 0.5 * 0.1 * 0.1


@settings(max_examples=100)
@given(start=START, accel=ACCEL, curvature=CURVATURE, pose=st.tuples(*[st.floats(-100.0, 100.0)] * 2, st.floats(-3, 3)))
def test_a_plan_moves_with_its_frame(start, accel, curvature, pose):
    x, y, heading, speed = start
    c, s = math.cos(pose[2]), math.sin(pose[2])
    moved = np.array([c * x - s * y + pose[0], s * x + c * y + pose[1], heading + pose[2], speed])
    here = integrate(np.array(start), accel, curvature)[0]
    there = integrate(moved, accel, curvature)[0]
    wanted = np.stack([c * here[:, 0] - s * here[:, 1] + pose[0], s * here[:, 0] + c * here[:, 1] + pose[1]], -1)
    assert np.abs(wanted - there[:, :2]).max() < 1e-8
    assert np.abs(here[:, 3] - there[:, 3]).max() < 1e-12


def test_speed_and_distance_are_those_of_constant_acceleration():
    x, y, heading, speed = advance(0.0, 0.0, 0.0, 10.0, 2.0, 0.0, 0.1)
    assert (x, y, heading, speed) == (1.01, 0.0, 0.0, 10.2)


def test_a_constant_curvature_drives_an_exact_circle():
    states = integrate_dense(np.array([0.0, 0.0, 0.0, 8.0]), np.zeros(16), np.full(16, 0.05))[0]
    assert np.abs(np.hypot(states[:, 0], states[:, 1] - 20.0) - 20.0).max() < 1e-12
    assert abs(states[-1, 2] - 0.05 * 64.0) < 1e-12


def test_braking_to_a_halt_takes_v2_over_2a_and_stays_there():
    states = integrate_dense(np.array([0.0, 0.0, 0.0, 9.5]), np.full(16, -4.0), np.zeros(16))[0]
    assert states[-1, 3] == 0.0
    assert abs(states[-1, 0] - 9.5**2 / 8.0) < 1e-12
    assert (states[40:] == states[40]).all()


def test_waypoints_are_every_fifth_dense_state():
    start, accel, curvature = np.array([[1.0, 2.0, 0.3, 7.0]]), np.full((1, 16), 0.5), np.full((1, 16), 0.02)
    dense = integrate_dense(start, accel, curvature)
    assert dense.shape == (1, 81, 4)
    np.testing.assert_array_equal(integrate(start, accel, curvature), dense[:, 5::5])
