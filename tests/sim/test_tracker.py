"""Following plans: within bounds whatever is asked, and close where it can be followed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from waytrace.planners import make_plan
from waytrace.scenario import ACCEL_RANGE_MPS2, CURVATURE_RANGE_1PM, DT_S
from waytrace.sim import World, integrate_dense
from waytrace.sim.tracker import (
    CURVATURE_RATE_1PMS,
    JERK_LIMIT_MPS3,
    LATERAL_JERK_LIMIT_MPS3,
    bounded,
    track,
)

from .conftest import Actor, scene, straight

WILD = st.floats(-1e6, 1e6)


@settings(max_examples=300)
@given(
    speed=st.floats(0.0, 60.0), last=st.tuples(st.floats(*ACCEL_RANGE_MPS2), st.floats(*CURVATURE_RANGE_1PM)),
    at=st.tuples(WILD, WILD, WILD), reference=st.tuples(WILD, WILD, WILD, WILD), controls=st.tuples(WILD, WILD),
)  # fmt: skip
def test_controls_stay_within_range_and_rate_for_any_plan(speed, last, at, reference, controls):
    accel, curvature = track(*at, speed, *last, *reference, *controls)
    assert ACCEL_RANGE_MPS2[0] <= accel <= ACCEL_RANGE_MPS2[1]
    assert CURVATURE_RANGE_1PM[0] <= curvature <= CURVATURE_RANGE_1PM[1]
    rate = min(CURVATURE_RATE_1PMS, LATERAL_JERK_LIMIT_MPS3 / max(speed, 1.0) ** 2)
    assert abs(accel - last[0]) <= JERK_LIMIT_MPS3 * DT_S + 1e-9
    assert abs(curvature - last[1]) <= rate * DT_S + 1e-9


@settings(max_examples=25)
@given(
    accel=arrays(np.float64, (1, 16), elements=st.floats(-100.0, 100.0)),
    curvature=arrays(np.float64, (1, 16), elements=st.floats(-5.0, 5.0)),
    shift=st.tuples(st.floats(-30.0, 30.0), st.floats(-30.0, 30.0), st.floats(-3.0, 3.0), st.floats(0.0, 30.0)),
)
def test_a_driven_vehicle_keeps_its_bounds_for_any_plan(accel, curvature, shift):
    world = World([scene(straight(), Actor(100.0), seconds=5.0)])
    start = np.array([[100.0 + shift[0], shift[1], shift[2], shift[3]]])
    world.step_plans(make_plan(np.zeros(1), start, accel, curvature, "wild"), 40)
    (r,) = world.rollouts()
    assert np.isfinite(r.pose).all()
    driven = r.ego_accel_mps2[:40]
    assert (r.speed_mps >= 0.0).all()
    assert driven.min() >= ACCEL_RANGE_MPS2[0] - 1e-9
    assert driven.max() <= ACCEL_RANGE_MPS2[1] + 1e-9
    moving = (r.speed_mps[:39, 0] > 0.0) & (r.speed_mps[1:40, 0] > 0.0) & (r.speed_mps[2:41, 0] > 0.0)
    assert np.abs(np.diff(driven))[moving].max(initial=0.0) <= JERK_LIMIT_MPS3 * DT_S + 1e-6
    assert np.abs(np.diff(r.ego_curvature_1pm[:40])).max() <= CURVATURE_RATE_1PMS * DT_S + 1e-9
    assert np.abs(r.ego_curvature_1pm).max() <= CURVATURE_RANGE_1PM[1]


SMOOTH = st.floats(0.0, 6.28)


@settings(max_examples=40)
@given(speed=st.floats(3.0, 20.0), size=st.floats(0.0, 1.0), phase=SMOOTH, turn=SMOOTH)
def test_a_plan_that_begins_where_the_vehicle_is_is_followed_within_five_centimetres(speed, size, phase, turn):
    world = World([scene(straight(), Actor(100.0, speed=speed), seconds=9.0)])
    knot = np.arange(16)[None] * 0.4
    accel = 1.5 * size * (np.sin(knot + phase) - np.sin(phase))
    rear = world.fixed.rear[0, 0]
    start = np.array([[100.0 - rear, 0.0, 0.0, speed]])
    fastest = integrate_dense(start, accel, np.zeros((1, 16)))[0, :, 3].max()
    curvature = size * min(0.05, 1.5 / fastest**2) * (np.sin(knot + turn) - np.sin(turn))
    world.step_plans(make_plan(np.zeros(1), start, accel, curvature, "smooth"), 80)
    (r,) = world.rollouts()
    pose = r.pose[:, 0]
    axle = pose[:, :2] - rear * np.stack([np.cos(pose[:, 2]), np.sin(pose[:, 2])], -1)
    wanted = integrate_dense(start, accel, curvature)[0][:, :2]
    # The plan's controls step at its knots; within the tracker's rates that costs centimetres.
    assert np.hypot(*(axle[:81] - wanted).T).max() < 0.05


def test_a_vehicle_beside_its_plan_comes_back_without_swinging_over():
    world = World([scene(straight(), Actor(100.0, y=1.0), seconds=8.0)])
    start = np.array([[100.0 - world.fixed.rear[0, 0], 0.0, 0.0, 10.0]])
    world.step_plans(make_plan(np.zeros(1), start, np.zeros((1, 16)), np.zeros((1, 16)), "beside"), 80)
    across = world.rollouts()[0].pose[:, 0, 1]
    assert abs(across[40:]).max() < 0.1
    assert across.min() > -0.15


def test_limits_hold_from_the_last_tick():
    assert bounded(10.0, 0.0, 0.0, 3.0, 0.2) == pytest.approx((2.0, 0.03))
    assert bounded(20.0, -7.0, 0.1, -20.0, -1.0) == pytest.approx((-8.0, 0.1 - 0.0075))


def test_a_held_plan_is_tracked_where_it_lies_in_the_world():
    s = scene(straight(), Actor(100.0), seconds=6.0)
    start = np.array([[100.0 - 0.28 * 4.8, 0.0, 0.0, 10.0]])
    plan = make_plan(np.zeros(1), start, np.full((1, 16), 0.5), np.zeros((1, 16)), "held")
    once, often = World([s]), World([s])
    once.step_plans(plan, 40)
    often.step_plans(plan, 5)
    often.advance(35)
    np.testing.assert_array_equal(once.rollouts()[0].pose, often.rollouts()[0].pose)
