"""PDMS and EPDMS of one plan, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from waytrace.scenario import Agents, Plan
from waytrace.score import epdms, pdms, score_rollout
from waytrace.score.navsim import plan_states

REAR = 0.28 * 4.0
"""Box centre ahead of the rear axle, metres, of a 4 m car."""


def plan(speed, *, x=0.0, y=0.0, y_end=None, t0=0.0):
    """16 knots straight on from box centre (x, y); ``y_end``: reached sideways within the first 4 s."""
    at = 0.5 * np.arange(17)
    side = np.interp(at, [0.0, 4.0], [y, y if y_end is None else y_end])
    states = np.stack([x - REAR + speed * at, side, np.zeros(17), np.full(17, speed)], -1)
    return Plan(np.asarray(t0), states[0], np.zeros(16), np.zeros(16), states[1:])


def braking_plan():
    """From 10 m/s at 2.5 m/s2 until it stands."""
    at = np.minimum(0.5 * np.arange(17), 4.0)
    states = np.stack([10 * at - 1.25 * at**2 - REAR, 0 * at, 0 * at, 10 - 2.5 * at], -1)
    return Plan(np.asarray(0.0), states[0], np.zeros(16), np.zeros(16), states[1:])


def test_a_plan_is_followed_exactly(drive, actor):
    scenario, _ = drive(actor(speed=10.0))
    pose, speed = plan_states(scenario, plan(10.0), 41)
    assert pose[:, 0] == pytest.approx(np.arange(41.0))
    assert pose[:, 1] == pytest.approx(np.zeros(41))
    assert speed == pytest.approx(np.full(41, 10.0))


def test_a_plan_round_a_bend_stays_on_its_arc(drive, actor):
    # Radius 20 m at 10 m/s: the rear axle is never off the circle by more than a centimetre.
    scenario, _ = drive(actor(speed=10.0))
    angle = 0.5 * 0.5 * np.arange(17)
    states = np.stack([20 * np.sin(angle), 20 * (1 - np.cos(angle)), angle, np.full(17, 10.0)], -1)
    pose, _ = plan_states(scenario, Plan(np.asarray(0.0), states[0], np.zeros(16), np.zeros(16), states[1:]), 41)
    rear = pose[:, :2] - REAR * np.stack([np.cos(pose[:, 2]), np.sin(pose[:, 2])], -1)
    assert np.hypot(rear[:, 0], rear[:, 1] - 20.0) == pytest.approx(np.full(41, 20.0), abs=0.01)


def test_the_logged_drive_as_a_plan_has_the_full_score(drive, actor):
    scenario, _ = drive(actor(speed=10.0))
    assert pdms(scenario, plan(10.0)).score == 1.0
    assert pdms(scenario, plan(10.0)).terms == {"NC": 1, "DAC": 1, "EP": 1, "TTC": 1, "C": 1}
    full = epdms(scenario, plan(10.0), following=plan(10.0, x=5.0, t0=0.5))
    assert full.score == 1.0
    assert full.terms == {"NC": 1, "DAC": 1, "DDC": 1, "EP": 1, "TTC": 1, "LK": 1, "HC": 1, "EC": 1}


def test_progress_is_measured_against_the_log(drive, actor):
    scenario, _ = drive(actor(speed=10.0))
    # Driven 20 m of the log's 40: (5 * 0.5 + 5 + 2) / 12
    assert pdms(scenario, plan(5.0)).score == pytest.approx(9.5 / 12)
    # Against 25 m: 20 / 25 = 0.8
    assert pdms(scenario, plan(5.0), reference_progress_m=25.0).terms["EP"] == pytest.approx(0.8)
    slow, _ = drive(actor(speed=1.0))  # 4 m, and the plan 2 m: below 5 m nobody is held to progress
    assert pdms(slow, plan(0.5)).terms["EP"] == 1.0


def test_running_into_a_standing_car(drive, actor):
    scenario, _ = drive(actor(speed=5.0), [actor(x=30.0)])
    struck = pdms(scenario, plan(10.0))  # 26 m of gap: struck at 2.6 s
    assert struck.terms["NC"] == 0.0
    assert struck.terms["TTC"] == 0.0
    assert struck.score == 0.0
    # Braking from 10 m/s at 2.5: it stops after 20 m, 0.5 m short of a car 24.5 m ahead. But at 3.1 s it is at
    # 10 * 3.1 - 1.25 * 3.1^2 = 18.99 m with 2.25 m/s: 0.9 s on, at 21.01 m, it would have struck.
    scenario, _ = drive(actor(speed=5.0), [actor(x=24.5)])
    near = pdms(scenario, braking_plan())
    assert near.terms["NC"] == 1.0
    assert near.terms["TTC"] == 0.0
    far, _ = drive(actor(speed=5.0), [actor(x=25.5)])
    assert pdms(far, braking_plan()).terms["TTC"] == 1.0


def test_lane_keeping(drive, actor):
    scenario, _ = drive(actor(speed=10.0))
    assert epdms(scenario, plan(10.0, y=0.4)).terms["LK"] == 1.0
    assert epdms(scenario, plan(10.0, y=0.6)).terms["LK"] == 0.0
    # Only 0.5 m and less for at least one row in every 2 s: crossing from 0 to 3.5 m in 4 s, lanes 3.5 m apart,
    # it is more than 0.5 m from both for 4 * 2.5 / 3.5 = 2.86 s.
    assert epdms(scenario, plan(10.0, y_end=3.5)).terms["LK"] == 0.0


def test_what_the_logged_driver_does_too_is_no_fault(drive, actor):
    # The log keeps 0.6 m beside the centre line.
    scenario, _ = drive(actor(y=0.6, speed=10.0))
    assert epdms(scenario, plan(10.0, y=0.6)).terms["LK"] == 1.0
    assert epdms(scenario, plan(10.0, y=0.6)).score == 1.0


def test_extended_comfort_wants_successive_plans_to_agree(drive, actor):
    scenario, _ = drive(actor(speed=10.0))

    def next_plan(accel):
        at = 0.5 * np.arange(17)
        states = np.stack(
            [5.0 - REAR + 10 * at + accel * at**2 / 2, np.zeros(17), np.zeros(17), 10 + accel * at], -1
        )  # fmt: skip
        return Plan(np.asarray(0.5), states[0], np.full(16, accel), np.zeros(16), states[1:])

    # The plans differ by a constant acceleration: 0.6 <= 0.7 < 0.8 m/s2.
    assert epdms(scenario, plan(10.0), following=next_plan(0.6)).terms["EC"] == 1.0
    assert epdms(scenario, plan(10.0), following=next_plan(0.8)).terms["EC"] == 0.0
    # (5 + 5 + 2 + 2 + 0) / 16; without the next plan EC is left out
    assert epdms(scenario, plan(10.0), following=next_plan(0.8)).score == pytest.approx(14 / 16)
    assert epdms(scenario, plan(10.0)).score == 1.0


def test_history_comfort_looks_back(drive, actor):
    # 2 s of log at 10 m/s, then a plan that begins at 12 m/s: a jump of 20 m/s2 in one step.
    scenario, _ = drive(actor(speed=10.0), rows=71)
    later = scenario.with_(start_step=20)
    jump = plan(12.0, x=20.0)
    judged = epdms(later, jump)
    assert judged.terms["HC"] == 0.0
    assert pdms(later, jump).terms["C"] == 1.0


def test_without_a_recorded_future_there_is_no_such_score(drive, actor):
    scenario, _ = drive(actor(speed=10.0))
    agents = scenario.agents
    valid = agents.valid.copy()
    valid[:, 1:] = False
    bare = Agents(
        agents.agent_id, agents.kind, agents.size_m, agents.xy, agents.heading_rad, agents.velocity_mps, valid
    )  # fmt: skip
    assert pdms(scenario.with_(agents=bare), plan(10.0)) is None
    assert epdms(scenario.with_(agents=bare), plan(10.0)) is None


def test_both_are_figures_of_a_recorded_drive(drive, actor):
    scenario, rollout = drive(actor(speed=10.0))
    first, second = plan(5.0), plan(5.0, x=2.5, t0=0.5)
    planned = replace(
        rollout, decision_row=np.array([0, 5], np.int32),
        plan_waypoints=np.stack([first.waypoints, second.waypoints]), plan_accel_mps2=np.zeros((2, 16)),
        plan_curvature_1pm=np.zeros((2, 16)),
    )  # fmt: skip
    start = planned.speed_mps.copy()
    start[:, 0] = 5.0
    figures = score_rollout(scenario, replace(planned, speed_mps=start), 50.0).figures
    assert figures["pdms"] == pytest.approx(9.5 / 12)
    assert figures["epdms"] == pytest.approx((5 * 0.5 + 5 + 2 + 2 + 2) / 16)
    assert "pdms" not in score_rollout(scenario, rollout, 50.0).figures
