"""Two connectors begin at one entry: which one the ego takes decides which light it answers to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from waytrace.geometry import Polylines
from waytrace.scenario import Lights, LightState
from waytrace.score import score_rollout

RED, GREEN = LightState.RED, LightState.GREEN
BEARING = np.array([[100.0, 0.0], [120.0, 12.0]])


def forked(road):
    """The junction road with one more connector, bearing left by 31 degrees."""
    along = np.array([20.0, 12.0]) / np.hypot(20.0, 12.0)
    side = 1.75 * np.array([-along[1], along[0]])
    n = len(road)
    grown = {
        name: np.append(getattr(road, name), getattr(road, name)[1])
        for name in ("left_neighbor", "right_neighbor", "speed_limit_mps", "lane_kind", "in_intersection",
                     "lane_control")
    }  # fmt: skip
    lists = [list(road.successors(i)) for i in range(n)] + [[]]
    lists[0].append(n)
    return replace(
        road, lane_id=(*road.lane_id, "bearing"), centre=Polylines.of([*road.centre, BEARING]),
        left=Polylines.of([*road.left, BEARING + side]), right=Polylines.of([*road.right, BEARING - side]),
        successor=np.array([x for s in lists for x in s], np.int32),
        successor_start=np.concatenate([[0], np.cumsum([len(s) for s in lists])]).astype(np.int32), **grown,
    )  # fmt: skip


def term(drive, actor, road, *, straight, left, path):
    forks = forked(road(junction=True))
    n = len(path)
    scenario, rollout = drive(actor(speed=10.0, path=path), road=forks, rows=n)
    state = np.tile(np.array([straight, left], np.uint8), (n, 1))
    lights = Lights(np.array([1, len(forks) - 1], np.int32), np.array([[100.0, 0.0], [100.0, 0.0]]), state)
    return score_rollout(scenario.with_(lights=lights), replace(rollout, lights=state), 50.0).terms["TLC"]


STRAIGHT = np.stack([80.0 + np.arange(51.0), np.zeros(51)], -1)
TURNING = np.stack([STRAIGHT[:, 0], 0.6 * np.maximum(STRAIGHT[:, 0] - 100.0, 0.0)], -1)


@pytest.mark.parametrize(
    ("straight", "left", "path", "expected"),
    [
        (GREEN, RED, STRAIGHT, 1.0),
        (RED, GREEN, STRAIGHT, 0.0),
        (GREEN, RED, TURNING, 0.0),
        (RED, GREEN, TURNING, 1.0),
        (RED, RED, STRAIGHT, 0.0),
        # The drive ends where the two have hardly parted: the free one is believed.
        (RED, GREEN, STRAIGHT[:20], 1.0),
        (RED, RED, STRAIGHT[:20], 0.0),
    ],
)
def test_the_light_of_the_connector_that_is_driven_counts(drive, actor, road, straight, left, path, expected):
    assert term(drive, actor, road, straight=straight, left=left, path=path) == expected
