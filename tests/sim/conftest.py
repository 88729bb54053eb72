"""Small roads and scenes built by hand, and ways to drive and compare worlds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from waytrace.catalogue import families, generate
from waytrace.geometry import Polylines, boxes_overlap
from waytrace.planners import make_plan
from waytrace.scenario import (
    REAR_AXLE_TO_CENTRE,
    AgentKind,
    Agents,
    LaneControl,
    LaneKind,
    Lights,
    LightState,
    Plan,
    Provenance,
    RoadMap,
    Route,
    Scenario,
    Script,
)
from waytrace.sim import World
from waytrace.sim.arrays import STANDING

LIMIT_MPS = 12.0
START = 10
SIZE_M = {AgentKind.PEDESTRIAN: (0.5, 0.6), AgentKind.STATIC: (1.0, 1.0), AgentKind.LARGE_VEHICLE: (12.0, 2.5)}


@dataclass(frozen=True)
class Lane:
    """One lane 3.5 m wide along straight pieces, and where it leads."""

    points: Sequence[tuple[float, float]]
    on: tuple[int, ...] = ()
    control: LaneControl = LaneControl.NONE
    beside: tuple[int, int] = (-1, -1)
    """Left and right neighbour."""
    line: bool = False
    """Whether a stop line lies at its end."""


def road_map(*lanes: Lane, limit_mps: float = LIMIT_MPS) -> RoadMap:
    """A map of these lanes; all the plane may be driven on."""
    centre = [np.array(lane.points, float) for lane in lanes]
    side = []
    for line in centre:
        along = line[-1] - line[0]
        side.append(1.75 * np.array([-along[1], along[0]]) / np.hypot(*along))
    ends = [(centre[i][-1] - side[i], centre[i][-1] + side[i]) for i, lane in enumerate(lanes) if lane.line]
    n = len(lanes)
    everywhere = np.array([[-900.0, -900.0], [900.0, -900.0], [900.0, 900.0], [-900.0, 900.0]])
    return RoadMap(
        lane_id=tuple(str(i) for i in range(n)),
        centre=Polylines.of(centre),
        left=Polylines.of([line + by for line, by in zip(centre, side, strict=True)]),
        right=Polylines.of([line - by for line, by in zip(centre, side, strict=True)]),
        successor=np.array([k for lane in lanes for k in lane.on], np.int32),
        successor_start=np.cumsum([0] + [len(lane.on) for lane in lanes]).astype(np.int32),
        left_neighbor=np.array([lane.beside[0] for lane in lanes], np.int32),
        right_neighbor=np.array([lane.beside[1] for lane in lanes], np.int32),
        speed_limit_mps=np.full(n, limit_mps), lane_kind=np.full(n, LaneKind.VEHICLE, np.uint8),
        in_intersection=np.array([lane.control != LaneControl.NONE for lane in lanes], np.bool_),
        lane_control=np.array([lane.control for lane in lanes], np.uint8),
        stop_line_xy=np.array(ends, float).reshape(-1, 2, 2),
        stop_line_lane=np.array([i for i, lane in enumerate(lanes) if lane.line], np.int32),
        crosswalk=Polylines.of([]), drivable=Polylines.of([everywhere]),
    )  # fmt: skip


def straight(length_m: float = 500.0) -> RoadMap:
    """One lane along the x axis."""
    return road_map(Lane([(0.0, 0.0), (length_m, 0.0)]))


def two_lanes(length_m: float = 500.0) -> RoadMap:
    """Lane 0 along the x axis, lane 1 to its right."""
    return road_map(
        Lane([(0.0, 0.0), (length_m, 0.0)], beside=(-1, 1)), Lane([(0.0, -3.5), (length_m, -3.5)], beside=(0, -1))
    )


def crossing(control: LaneControl = LaneControl.YIELD) -> RoadMap:
    """East along the x axis (lanes 0, 1, 2) under ``control``, which a road north (3, 4, 5) crosses at the origin."""
    other = {LaneControl.YIELD: LaneControl.PRIORITY, LaneControl.STOP: LaneControl.PRIORITY}.get(control, control)
    return road_map(
        Lane([(-200.0, 0.0), (-10.0, 0.0)], on=(1,), line=True),
        Lane([(-10.0, 0.0), (10.0, 0.0)], on=(2,), control=control),
        Lane([(10.0, 0.0), (300.0, 0.0)]),
        Lane([(0.0, -300.0), (0.0, -10.0)], on=(4,), line=True),
        Lane([(0.0, -10.0), (0.0, 10.0)], on=(5,), control=other),
        Lane([(0.0, 10.0), (0.0, 400.0)]),
    )


@dataclass(frozen=True)
class Actor:
    """Somebody at the start step; the history, and the future where there is one, run at constant velocity."""

    x: float
    y: float = 0.0
    speed: float = 10.0
    heading: float = 0.0
    kind: AgentKind = AgentKind.VEHICLE
    future: bool = False
    """Whether a recording goes on after the start."""
    since: int = 0
    """First step of the recording."""
    route: tuple[int, ...] = ()
    size: tuple[float, float] | None = None
    path: Callable[[np.ndarray], np.ndarray] | None = field(default=None)
    """Distance gone at each time since the start, where it is not ``speed * time``."""


def scene(road: RoadMap, *actors: Actor, seconds: float = 15.0, **changes: Any) -> Scenario:
    """A scenario in which actor 0 is the ego."""
    steps = START + round(seconds * 10) + 1
    time = (np.arange(steps) - START) * 0.1
    n = len(actors)
    heading = np.array([a.heading for a in actors])
    unit = np.stack([np.cos(heading), np.sin(heading)], -1)
    gone = np.array([a.speed * time if a.path is None else a.path(time) for a in actors])
    speed = np.gradient(gone, 0.1, axis=1)
    valid = np.array([(np.arange(steps) >= a.since) & (a.future | (np.arange(steps) <= START)) for a in actors])
    xy = np.array([(a.x, a.y) for a in actors], float)[:, None] + gone[..., None] * unit[:, None]
    agents = Agents(
        tuple(f"a{i}" for i in range(n)), np.array([a.kind for a in actors], np.uint8),
        np.array([a.size or SIZE_M.get(a.kind, (4.8, 1.9)) for a in actors], float),
        np.where(valid[..., None], xy, 0.0), np.where(valid, heading[:, None], 0.0),
        np.where(valid[..., None], speed[..., None] * unit[:, None], 0.0), valid,
    )  # fmt: skip
    made = Scenario(
        id="by-hand", source="test", map=road, lights=Lights.none(steps), agents=agents, ego_index=0,
        route=Route(((0,),)), start_step=START, end_step=steps - 1, provenance=Provenance("CC0-1.0", "made by hand"),
        agent_route=tuple(a.route for a in actors), initial_speed_limit_mps=LIMIT_MPS,
    )  # fmt: skip
    return made.with_(**changes)


def light(scenario: Scenario, lane: int, change_s: float | None = None, first: LightState = LightState.RED) -> Scenario:
    """With a light at the entry of ``lane`` that shows ``first`` and turns from red to green after ``change_s``."""
    state = np.full((scenario.steps, 1), first, np.uint8)
    if change_s is not None:
        state[START + round(10 * change_s) :] = LightState.GREEN
    xy = scenario.map.centre[lane][0][None].copy()
    return scenario.with_(lights=Lights(np.array([lane], np.int32), xy, state))


def scripted(scenario: Scenario, *scripts: Script) -> Scenario:
    """With these scripts."""
    return scenario.with_(scripts=scripts)


FAR = Actor(-600.0, -600.0, speed=0.0)
"""An ego that stands far from everything."""


def advance(world: World, seconds: float, accel_mps2: float = 0.0) -> World:
    """Let everyone be for some seconds, the controlled agents at constant controls."""
    rows = np.zeros(len(world.rows.world))
    world.step_controls(rows + accel_mps2, rows, round(seconds * 10))
    return world


def wave(world: World, ticks: int, every: int = 5) -> World:
    """Drive the controlled agents by plans that differ from row to row and time to time, whatever their world."""
    for first in range(0, ticks, every):
        world.step_plans(weaving_plan(world), min(every, ticks - first))
    return world


def weaving_plan(world: World) -> Plan:
    """A plan a row, made from where its agent is and what its own world's tick says."""
    w, a = world.rows.world, world.rows.slot
    st, rear = world.state, world.fixed.rear[w, a]
    at = np.stack(
        [st.x[w, a] - rear * st.cos[w, a], st.y[w, a] - rear * st.sin[w, a], st.heading[w, a], st.speed[w, a]], -1
    )
    knot = np.arange(16) + world.tick[w][:, None] * 0.3
    return make_plan(world.tick[w] * 0.1, at, 1.5 * np.sin(knot), 0.01 * np.cos(2.0 * knot), "weaving")


def digest(world: World) -> str:
    """A hash over everything that the rollouts of a world hold."""
    h = hashlib.sha256()
    for rollout in world.rollouts():
        for name in ("pose", "speed_mps", "valid", "reactive", "visible", "ego_accel_mps2", "lights", "plan_waypoints"):
            h.update(np.ascontiguousarray(getattr(rollout, name)).tobytes())
    return h.hexdigest()


def same(one: Any, other: Any) -> None:
    """Assert that two rollouts hold the same bits."""
    for name, value in vars(one).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, getattr(other, name), err_msg=name)
        else:
            assert value == getattr(other, name), name


def overlaps(world: World, w: int = 0, *, parked: bool = True) -> list[tuple[int, int, int]]:
    """(first tick, agent, agent) of every pair of vehicles and people whose boxes meet; ``parked`` ones count."""
    r, s = world.rollouts()[w], world.scenarios[w]
    size, n = s.agents.size_m, len(s.agents)
    found = []
    for i in range(n):
        for j in range(i):
            if not parked and STANDING in (world.moving.mode[w, i], world.moving.mode[w, j]):
                continue
            near = np.hypot(*(r.pose[:, i, :2] - r.pose[:, j, :2]).T) < 0.5 * (size[i].sum() + size[j].sum())
            for t in np.flatnonzero(near & r.valid[:, i] & r.valid[:, j]):
                if boxes_overlap(*r.pose[t, i], *size[i], *r.pose[t, j], *size[j]):
                    found.append((int(t), j, i))
                    break
    return found


def axle(scenario: Scenario, a: int = 0) -> np.ndarray:
    """[T, 4] recorded rear axle (x, y, heading, speed) of an agent."""
    agents = scenario.agents
    h = agents.heading_rad[a]
    rear = REAR_AXLE_TO_CENTRE * agents.size_m[a, 0]
    at = agents.xy[a] - rear * np.stack([np.cos(h), np.sin(h)], -1)
    return np.column_stack([at, h, np.hypot(*agents.velocity_mps[a].T)])


def recorded(scenario: Scenario) -> Scenario:
    """A generated scene as a recording of what happened when nobody was controlled; scripts have become history."""
    world = World([scenario], controlled="none", traffic="reactive")
    world.advance(scenario.end_step - scenario.start_step)
    (r,), a, start = world.rollouts(), scenario.agents, scenario.start_step
    valid = np.concatenate([a.valid[:, :start], r.valid.T & np.logical_and.accumulate(r.valid.T, axis=1)], axis=1)
    xy = np.concatenate([a.xy[:, :start], r.pose[..., :2].transpose(1, 0, 2)], axis=1)
    heading = np.concatenate([a.heading_rad[:, :start], r.pose[..., 2].T], axis=1)
    speed = np.concatenate([np.hypot(*np.moveaxis(a.velocity_mps[:, :start], -1, 0)), r.speed_mps.T], axis=1)
    velocity = speed[..., None] * np.stack([np.cos(heading), np.sin(heading)], -1)
    agents = replace(
        a, valid=valid, xy=np.where(valid[..., None], xy, 0.0), heading_rad=np.where(valid, heading, 0.0),
        velocity_mps=np.where(valid[..., None], velocity, 0.0),
    )  # fmt: skip
    last = int(np.flatnonzero(valid[scenario.ego_index])[-1])
    return scenario.with_(
        id=f"{scenario.id}+recorded", agents=agents, scripts=(), end_step=last, lights=scenario.lights
    )


@pytest.fixture(scope="session")
def catalogue() -> list[Scenario]:
    """Two scenes of every family; then one of each with a recorded future."""
    generated = [generate(family, seed) for seed in (0, 1) for family in families("train")]
    return generated + [recorded(generate(family, 2)) for family in families("train")]
