"""What must hold of every score: no frame, no order of agents and no lie may improve it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from waytrace.geometry import from_frame
from waytrace.scenario.edits import permuted, transformed
from waytrace.score import score_rollout

SETTINGS = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)


def busy(drive, actor, road, seed):
    """A drive on a junction road among a few cars, some of which it meets."""
    random = np.random.default_rng(seed)
    others = [
        actor(
            x=random.uniform(10.0, 60.0), y=random.choice([0.0, 3.5, 7.0]), speed=random.uniform(0.0, 12.0),
            heading=random.normal(0.0, 0.05),
        )
        for _ in range(5)
    ]  # fmt: skip
    rows = 41
    path = np.stack([70.0 + 1.2 * np.arange(rows), 0.4 * np.sin(0.1 * np.arange(rows))], -1)
    light = random.integers(1, 4, rows)
    ego = actor(speed=12.0, path=path)
    return drive(ego, others, road=road(junction=True, lanes=3, oncoming=True), rows=rows, light=light)


def moved(scenario, rollout, pose):
    xy = from_frame(rollout.pose[..., :2], np.asarray(pose))
    turned = np.concatenate([xy, rollout.pose[..., 2:] + pose[2]], -1)
    return transformed(scenario, pose), replace(rollout, pose=turned)


@SETTINGS
@given(
    seed=st.integers(0, 50),
    pose=st.tuples(st.floats(-500, 500), st.floats(-500, 500), st.floats(-3.1, 3.1)),
)
def test_the_frame_does_not_matter(drive, actor, road, seed, pose):
    made = busy(drive, actor, road, seed)
    before, after = score_rollout(*made, 40.0), score_rollout(*moved(*made, pose), 40.0)
    assert after.terms == pytest.approx(before.terms, abs=1e-6)
    assert [(e.row, e.kind, e.agent_id, e.at_fault) for e in after.events] == [
        (e.row, e.kind, e.agent_id, e.at_fault) for e in before.events
    ]
    for key, values in before.ticks.items():
        np.testing.assert_allclose(after.ticks[key], values, atol=1e-6, err_msg=key)


@SETTINGS
@given(seed=st.integers(0, 50), order=st.permutations(range(6)))
def test_the_order_of_agents_does_not_matter(drive, actor, road, seed, order):
    scenario, rollout = busy(drive, actor, road, seed)
    at = list(order)
    shuffled = replace(
        rollout, ego_index=at.index(0), pose=rollout.pose[:, at], speed_mps=rollout.speed_mps[:, at],
        valid=rollout.valid[:, at], reactive=rollout.reactive[:, at], visible=rollout.visible[:, at],
    )  # fmt: skip
    for field in ("pose", "speed_mps"):
        object.__setattr__(shuffled, field, np.ascontiguousarray(getattr(shuffled, field)))
    before, after = score_rollout(scenario, rollout, 40.0), score_rollout(permuted(scenario, at), shuffled, 40.0)
    assert after.terms == before.terms
    assert after.events == before.events
    for key, values in before.ticks.items():
        np.testing.assert_array_equal(after.ticks[key], values, err_msg=key)


def test_the_same_drive_is_scored_to_the_same_bit(drive, actor, road):
    made = busy(drive, actor, road, 3)
    first, second = score_rollout(*made, 40.0), score_rollout(*made, 40.0)
    assert first.score == second.score
    for key, values in first.ticks.items():
        assert values.tobytes() == second.ticks[key].tobytes(), key


def test_liars_stand_below_an_honest_driver(drive, actor):
    def score(speed, others=()):
        return score_rollout(*drive(actor(speed=speed), others), 90.0)

    honest = score(18.0)
    speeding = score(30.0)  # all the progress there is, at half as much again as allowed
    parked = score(0.0)  # never collides, never speeds, always comfortable
    assert honest.score > 0.9
    assert parked.terms["MP"] == 0.0
    assert parked.score == 0.0
    assert speeding.terms["EP"] == 1.0
    assert speeding.score < honest.score
    through = score(18.0, [actor(x=40.0)])  # drives as if the car in front were not there
    assert through.score == 0.0
