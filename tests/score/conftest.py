"""A straight road to score drives on: lanes run east, 3.5 m wide, lane 0 centred on y = 0."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from waytrace.geometry import Polylines
from waytrace.scenario import (
    AgentKind,
    Agents,
    Lights,
    LightState,
    Provenance,
    RoadMap,
    Rollout,
    Route,
    Scenario,
)

Array = NDArray[np.float64]
WIDTH_M = 3.5


def _line(x0: float, x1: float, y: float) -> Array:
    return np.array([[x0, y], [x1, y]])


def straight_road(
    *, limit_mps: float = 20.0, oncoming: bool = False, junction: bool = False, lanes: int = 2, length_m: float = 400.0
) -> RoadMap:
    """Eastbound lanes at y = 0, 3.5, ... from x = -100; ``oncoming``: the last one runs west.

    ``junction``: lane 0 is cut at x = 100 and 120, the piece between is a connector.
    """
    centre, left, right, names, successor = [], [], [], [], []
    cuts = [-100.0, 100.0, 120.0, length_m - 100.0] if junction else [-100.0, length_m - 100.0]
    for lane in range(lanes):
        y = lane * WIDTH_M
        west = oncoming and lane == lanes - 1
        pieces = cuts if lane == 0 else [cuts[0], cuts[-1]]
        for k, (a, b) in enumerate(itertools.pairwise(pieces)):
            s = -1.0 if west else 1.0
            ends = (b, a) if west else (a, b)
            centre.append(_line(*ends, y))
            left.append(_line(*ends, y + s * WIDTH_M / 2))
            right.append(_line(*ends, y - s * WIDTH_M / 2))
            names.append(f"lane{lane}" if len(pieces) == 2 else f"lane{lane}.{k}")
            successor.append([len(names)] if k + 2 < len(pieces) else [])
    n = len(names)
    starts = np.concatenate([[0], np.cumsum([len(s) for s in successor])]).astype(np.int32)
    neighbor_left, neighbor_right = np.full(n, -1, np.int32), np.full(n, -1, np.int32)
    if not junction and lanes > 1 and not oncoming:
        neighbor_left[:-1], neighbor_right[1:] = np.arange(1, n), np.arange(n - 1)
    low, high = -WIDTH_M / 2, lanes * WIDTH_M - WIDTH_M / 2
    box = np.array([[cuts[0], low], [cuts[-1], low], [cuts[-1], high], [cuts[0], high]])
    return RoadMap(
        lane_id=tuple(names), centre=Polylines.of(centre), left=Polylines.of(left), right=Polylines.of(right),
        successor=np.array([x for s in successor for x in s], np.int32), successor_start=starts,
        left_neighbor=neighbor_left, right_neighbor=neighbor_right,
        speed_limit_mps=np.full(n, limit_mps), lane_kind=np.zeros(n, np.uint8),
        in_intersection=np.array([junction and name == "lane0.1" for name in names]),
        lane_control=np.zeros(n, np.uint8), stop_line_xy=np.zeros((0, 2, 2)), stop_line_lane=np.zeros(0, np.int32),
        crosswalk=Polylines.of([]), drivable=Polylines.of([box]),
    )  # fmt: skip


@dataclass
class Actor:
    """One road user's drive: by default straight on at a constant speed."""

    x: float = 0.0
    y: float = 0.0
    speed: float | Array = 0.0
    heading: float | Array = 0.0
    kind: AgentKind = AgentKind.VEHICLE
    size: tuple[float, float] = (4.0, 2.0)
    path: Array | None = field(default=None)
    """[T, 2] positions instead of x, y and speed."""

    def track(self, rows: int) -> tuple[Array, Array, Array]:
        speed = np.broadcast_to(np.asarray(self.speed, float), (rows,)).copy()
        heading = np.broadcast_to(np.asarray(self.heading, float), (rows,)).copy()
        if self.path is not None:
            return self.path, heading, speed
        step = 0.1 * speed[:-1]
        gone = np.concatenate([[0.0], np.cumsum(step)])
        way = np.stack([np.cos(heading), np.sin(heading)], -1)
        return np.array([self.x, self.y]) + gone[:, None] * way, heading, speed


def make_drive(
    ego: Actor,
    others: Sequence[Actor] = (),
    *,
    road: RoadMap | None = None,
    rows: int = 51,
    logged: Actor | None = None,
    light: Sequence[int] | None = None,
    light_lane: int = 1,
    horizon: int | None = None,
) -> tuple[Scenario, Rollout]:
    """A scenario and the drive of its ego (agent 0). ``light`` gives the state of one light per row."""
    road = road or straight_road()
    actors = [ego, *others]
    tracks = [a.track(rows) for a in actors]
    recorded = [(logged or ego).track(rows), *tracks[1:]]
    xy = np.stack([t[0] for t in recorded])
    heading = np.stack([t[1] for t in recorded])
    speed = np.stack([t[2] for t in recorded])
    agents = Agents(
        tuple(f"a{i}" for i in range(len(actors))),
        np.array([a.kind for a in actors], np.uint8),
        np.array([a.size for a in actors], float),
        xy, heading, speed[..., None] * np.stack([np.cos(heading), np.sin(heading)], -1),
        np.ones(xy.shape[:2], np.bool_),
    )  # fmt: skip
    lights = Lights.none(rows)
    if light is not None:
        at = road.centre[light_lane][0]
        state = np.asarray(light, np.uint8).reshape(rows, 1)
        lights = Lights(np.array([light_lane], np.int32), at[None].astype(float), state)
    groups = tuple((lane,) for lane in range(3)) if "lane0.1" in road.lane_id else (tuple(range(len(road))),)
    if len(road) == 2 and road.centre[1][0, 0] > road.centre[1][1, 0]:
        groups = ((0,),)
    scenario = Scenario(
        id="s", source="test", map=road, lights=lights, agents=agents, ego_index=0, route=Route(groups),
        start_step=0, end_step=rows - 1 if horizon is None else horizon, provenance=Provenance("none", "tests"),
    )  # fmt: skip
    pose = np.stack([np.concatenate([t[0], t[1][:, None]], -1) for t in tracks], axis=1)
    rollout = Rollout(
        scenario_id="s", scenario_hash="", planner="test", traffic="replay", seed=0, dt_s=0.1, start_step=0,
        ego_index=0, pose=np.ascontiguousarray(pose), speed_mps=np.stack([t[2] for t in tracks], 1),
        valid=np.ones(pose.shape[:2], np.bool_), reactive=np.zeros(pose.shape[:2], np.bool_),
        visible=np.ones(pose.shape[:2], np.bool_), ego_accel_mps2=np.zeros(rows), ego_curvature_1pm=np.zeros(rows),
        lights=lights.state, decision_row=np.zeros(0, np.int32), plan_waypoints=np.zeros((0, 16, 4)),
        plan_accel_mps2=np.zeros((0, 16)), plan_curvature_1pm=np.zeros((0, 16)),
    )  # fmt: skip
    return scenario, rollout


@pytest.fixture
def drive() -> Callable[..., tuple[Scenario, Rollout]]:
    return make_drive


@pytest.fixture
def actor() -> type[Actor]:
    return Actor


@pytest.fixture
def road() -> Callable[..., RoadMap]:
    return straight_road


@pytest.fixture
def red() -> int:
    return int(LightState.RED)
