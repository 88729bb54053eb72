"""Small scenes for planners, and a closed loop that shows them scenes built by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from waytrace.geometry import Polylines
from waytrace.observe import REFERENCE_KIND, ReferenceKind
from waytrace.observe.scene import Scene, SceneRecord
from waytrace.planners import Planner
from waytrace.scenario import (
    AgentKind,
    Agents,
    LaneControl,
    LaneKind,
    Lights,
    LightState,
    Provenance,
    RoadMap,
    Route,
    Scenario,
)
from waytrace.sim import World

LIMIT_MPS = 12.0
STEPS, START = 160, 10


def straight_road(length_m: float = 400.0, lanes: int = 1, stop_m: float | None = None) -> RoadMap:
    """Lanes 3.5 m wide along the x axis, lane 0 the leftmost; cut in two at ``stop_m`` where there is a line."""
    cuts = [0.0, length_m] if stop_m is None else [0.0, stop_m, length_m]
    pieces = len(cuts) - 1
    centre, left, right, successor, starts = [], [], [], [], [0]
    for i in range(lanes):
        for k in range(pieces):
            x = np.array([cuts[k], cuts[k + 1]])
            for out, shift in ((centre, 0.0), (left, 1.75), (right, -1.75)):
                out.append(np.stack([x, np.full(2, -3.5 * i + shift)], -1))
            if k + 1 < pieces:
                successor.append(i * pieces + k + 1)
            starts.append(len(successor))
    n = lanes * pieces
    number = np.arange(n).reshape(lanes, pieces)
    left_of, right_of = np.full((lanes, pieces), -1), np.full((lanes, pieces), -1)
    left_of[1:], right_of[:-1] = number[:-1], number[1:]
    low = -3.5 * (lanes - 1) - 1.75 - 0.8
    ring = np.array([[-5.0, low], [length_m + 5.0, low], [length_m + 5.0, 2.55], [-5.0, 2.55]])
    line = np.zeros((0, 2, 2)) if stop_m is None else np.array([[[stop_m, low], [stop_m, 1.75]]])
    return RoadMap(
        lane_id=tuple(str(i) for i in range(n)),
        centre=Polylines.of(centre), left=Polylines.of(left), right=Polylines.of(right),
        successor=np.array(successor, np.int32), successor_start=np.array(starts, np.int32),
        left_neighbor=left_of.reshape(-1).astype(np.int32), right_neighbor=right_of.reshape(-1).astype(np.int32),
        speed_limit_mps=np.full(n, LIMIT_MPS), lane_kind=np.full(n, LaneKind.VEHICLE, np.uint8),
        in_intersection=np.zeros(n, np.bool_), lane_control=np.full(n, LaneControl.NONE, np.uint8),
        stop_line_xy=line, stop_line_lane=np.zeros(len(line), np.int32),
        crosswalk=Polylines.of([]), drivable=Polylines.of([ring]),
    )  # fmt: skip


def scene(
    *others: tuple[AgentKind, float, float, float, float], speed: float = 10.0, lanes: int = 1,
    light: LightState | None = None, road: RoadMap | None = None, ego_y: float = 0.0,
) -> Scenario:  # fmt: skip
    """The ego at x = 60 m and others (kind, x, y, heading, speed); recorded at constant velocity throughout."""
    stop = 140.0 if light is not None else None
    road = road or straight_road(lanes=lanes, stop_m=stop)
    rows = [(AgentKind.VEHICLE, 60.0, ego_y, 0.0, speed), *others]
    n = len(rows)
    time = (np.arange(STEPS) - START) * 0.1
    heading = np.array([r[3] for r in rows])
    velocity = np.array([r[4] for r in rows])[:, None] * np.stack([np.cos(heading), np.sin(heading)], -1)
    still = np.ones((1, STEPS))
    xy = np.array([[r[1], r[2]] for r in rows])[:, None] + time[None, :, None] * velocity[:, None]
    pedestrian = np.array([r[0] == AgentKind.PEDESTRIAN for r in rows])
    size = np.where(pedestrian[:, None], [0.5, 0.6], [4.8, 1.9])
    pieces = 1 if stop is None else 2
    groups = tuple(tuple(i * pieces + k for i in range(lanes)) for k in range(pieces))
    lights = Lights.none(STEPS)
    if light is not None:
        lights = Lights(np.array([1], np.int32), np.array([[140.0, 0.0]]), np.full((STEPS, 1), light, np.uint8))
    return Scenario(
        id="by-hand", source="test", map=road, lights=lights,
        agents=Agents(
            tuple(f"a{i}" for i in range(n)), np.array([r[0] for r in rows], np.uint8), size.astype(np.float64), xy,
            heading[:, None] * still, velocity[:, None] * still[..., None], np.ones((n, STEPS), np.bool_),
        ),
        ego_index=0, route=Route(groups), start_step=START, end_step=STEPS - 1,
        provenance=Provenance("CC0-1.0", "made by hand"),
    )  # fmt: skip


def observed(world: World) -> Any:
    """What ``plan`` needs of an observation, made from the world's record with everyone in sight."""
    scenes = []
    for w, scenario in enumerate(world.scenarios):
        ego, n = scenario.ego_index, len(scenario.agents)
        t = int(world.tick[w]) + 1
        others = [a for a in range(n) if a != ego][:31]
        reference = np.full(len(REFERENCE_KIND), -1, np.int32)
        reference[np.flatnonzero(REFERENCE_KIND == ReferenceKind.AGENT)[: len(others)]] = others
        counts = {ReferenceKind.LANE: len(scenario.map), ReferenceKind.LIGHT: len(scenario.lights.lane)}
        for kind, count in counts.items():
            rows = np.flatnonzero(int(kind) == REFERENCE_KIND)[:count]
            reference[rows] = np.arange(len(rows))
        base = int(world.maps.index.lane_lo[world.maps.map_of[w]])
        k = len(scenario.lights.lane)
        record = SceneRecord(
            scenario.id, scenario.map, scenario.route, t - 1, ego, scenario.agents.kind, scenario.agents.size_m,
            world.record.pose[w, :t, :n], world.record.speed[w, :t, :n], np.ones((t, n), np.bool_),
            np.ones((t, n), np.bool_), float(world.state.accel[w, ego]), float(world.state.yaw_rate[w, ego]),
            world.lights.lane[w, :k] - base, scenario.lights.xy, world.lights.state[w, :k].copy(),
        )  # fmt: skip
        scenes.append(Scene.of(record, reference))
    return SimpleNamespace(scenes=scenes)


def drive(planner: Planner, scenarios: list[Scenario], traffic: str = "replay", seconds: float = 100.0) -> World:
    """The world after a planner has driven every scenario to its end (or for some seconds)."""
    world = World(scenarios, traffic=traffic)
    planner.reset([s.id for s in scenarios], world if planner.privileged else None)
    state = None
    while world.active.any() and world.tick.max() < seconds * 10:
        plan, _, state = planner.plan(observed(world), state)
        world.step_plans(plan)
    return world


@pytest.fixture
def ego_path() -> Any:
    """The ego's recorded poses [T, 3] and speeds [T] of one world."""

    def of(world: World, w: int = 0) -> tuple[np.ndarray, np.ndarray]:
        rollout = world.rollouts()[w]
        return rollout.pose[:, rollout.ego_index], rollout.speed_mps[:, rollout.ego_index]

    return of
