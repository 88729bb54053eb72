"""A road that turns left by a quarter, and who drives on it: for planners, edits and audits."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from waytrace.geometry import Polylines, wrap
from waytrace.scenario import AgentKind, Agents, Lights, LightState, RoadMap, Route, Scenario

from .conftest import scene, straight_road

RADIUS_M, BEFORE_M, AFTER_M = 20.0, 100.0, 120.0
QUARTER_M = 0.5 * np.pi * RADIUS_M


def bent(s: ArrayLike, d: ArrayLike = 0.0) -> NDArray[np.float64]:
    """[..., 3] x, y, heading at ``s`` along a road that turns left by a quarter at 100 m, and ``d`` to its left."""
    s, d = np.broadcast_arrays(np.asarray(s, float), np.asarray(d, float))
    ahead = np.clip(s - BEFORE_M, 0.0, QUARTER_M)
    h = ahead / RADIUS_M
    x = np.minimum(s, BEFORE_M) + RADIUS_M * np.sin(h)
    y = RADIUS_M * (1.0 - np.cos(h)) + np.maximum(s - BEFORE_M - QUARTER_M, 0.0)
    return np.stack([x - d * np.sin(h), y + d * np.cos(h), h], -1)


def road() -> RoadMap:
    """Three lanes one after the other, the middle one bent, with a lane to the left of each."""
    cuts = [0.0, BEFORE_M, BEFORE_M + QUARTER_M, BEFORE_M + QUARTER_M + AFTER_M]
    parts = [np.linspace(a, b, 60) for a, b in itertools.pairwise(cuts)]
    centre, left, right = (
        Polylines.of(bent(s, middle + side)[:, :2] for middle in (0.0, 3.5) for s in parts)
        for side in (0.0, 1.75, -1.75)
    )
    whole = np.concatenate(parts)
    ring = np.concatenate([bent(whole, -2.5), bent(whole[::-1], 6.0)])[:, :2]
    walk = bent(np.array([120.0, 123.0, 123.0, 120.0]), np.array([-2.0, -2.0, 5.0, 5.0]))[:, :2]
    return replace(
        straight_road(), lane_id=tuple("abcdef"), centre=centre, left=left, right=right,
        successor=np.array([1, 2, 4, 5], np.int32), successor_start=np.array([0, 1, 2, 2, 3, 4, 4], np.int32),
        left_neighbor=np.array([3, 4, 5, -1, -1, -1], np.int32),
        right_neighbor=np.array([-1, -1, -1, 0, 1, 2], np.int32),
        speed_limit_mps=np.full(6, 12.0), lane_kind=np.zeros(6, np.uint8), in_intersection=np.zeros(6, np.bool_),
        lane_control=np.zeros(6, np.uint8), stop_line_xy=bent([140.0, 140.0], [-1.75, 1.75])[None, :, :2],
        stop_line_lane=np.array([2], np.int32), crosswalk=Polylines.of([walk]), drivable=Polylines.of([ring]),
    )  # fmt: skip


def driven(*ways: tuple[float, float, float], steps: int = 61) -> Scenario:
    """The ego at s = 60 m at 10 m/s, and others (s, d, speed along the road) that keep beside its middle."""
    rows = np.array([(60.0, 0.0, 10.0), *ways])
    time = (np.arange(steps) - 10) * 0.1
    pose = bent(rows[:, :1] + time * rows[:, 2:], rows[:, 1:2])
    onward = bent(rows[:, :1] + (time + 1e-4) * rows[:, 2:], rows[:, 1:2])
    n = len(rows)
    agents = Agents(
        tuple(f"a{i}" for i in range(n)), np.full(n, AgentKind.VEHICLE, np.uint8), np.tile([4.8, 1.9], (n, 1)),
        np.ascontiguousarray(pose[..., :2]), wrap(pose[..., 2]), (onward - pose)[..., :2] / 1e-4,
        np.ones((n, steps), np.bool_),
    )  # fmt: skip
    lights = Lights(np.array([2], np.int32), bent([130.0])[:, :2], np.full((steps, 1), LightState.GREEN, np.uint8))
    route = Route(((0, 3), (1, 4), (2, 5)))
    return scene().with_(map=road(), lights=lights, agents=agents, route=route, end_step=steps - 1)
