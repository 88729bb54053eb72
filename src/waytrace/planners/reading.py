"""From what a planner is given to :class:`~.moment.Moment` rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import ReferenceKind
from waytrace.scenario import REAR_AXLE_TO_CENTRE, AgentKind
from waytrace.scenario.roads import RoadCache

from .moment import Moment, Others

if TYPE_CHECKING:
    from waytrace.observe import Observation, Scene

Array = NDArray[np.float64]

RATE_WINDOW_S = 0.5
"""Accelerations and yaw rates of others are read off this much history."""

MOVING_MPS = 0.5

_NO_AXLE = (AgentKind.CYCLIST, AgentKind.PEDESTRIAN, AgentKind.STATIC, AgentKind.UNKNOWN)


def rear_m(kind: int, length_m: float) -> float:
    """Distance from the reference point (rear axle) to the box centre."""
    return 0.0 if kind in _NO_AXLE else REAR_AXLE_TO_CENTRE * length_m


def moments_of_world(world: Any, roads: RoadCache, worlds: NDArray[np.int_] | None = None) -> list[Moment]:
    """The moment of each world's first controlled agent, read from the simulator itself: for privileged planners.

    Everyone present is in it, hidden or not.
    """
    st, out = world.state, []
    for w in range(len(world)) if worlds is None else worlds:
        scenario = world.scenarios[w]
        a = int(world.rows.slot[world.rows.lo[w]])
        others = [b for b in range(len(scenario.agents)) if b != a and st.present[w, b]]
        rear = rear_m(int(st.kind[w, a]), float(st.length[w, a]))
        h, v = float(st.heading[w, a]), float(st.speed[w, a])
        axle = np.array([st.x[w, a] - rear * np.cos(h), st.y[w, a] - rear * np.sin(h), h, v])
        base = int(world.maps.index.lane_lo[world.maps.map_of[w]])
        used = world.lights.lane[w] >= 0
        tick = int(world.moving.tick[w])
        ticks = min(round(RATE_WINDOW_S / scenario.dt_s), tick)
        now, before = world.record.pose[w, tick], world.record.pose[w, tick - ticks]
        out.append(
            Moment(
                scenario.id, float(world.moving.tick[w]) * scenario.dt_s, axle, float(st.accel[w, a]),
                float(st.yaw_rate[w, a]) / v if v > 0.5 else 0.0, rear, float(st.length[w, a]),
                float(st.width[w, a]),
                Others._make([
                    *(np.ascontiguousarray(part[w, others], np.float64) for part in (
                        st.x, st.y, st.heading, st.speed, st.accel, st.yaw_rate)),
                    sideways(before[others], now[others], ticks * scenario.dt_s),
                    *(np.ascontiguousarray(part[w, others], np.float64) for part in (st.length, st.width)),
                    np.ascontiguousarray(st.kind[w, others]),
                ]),
                np.array(others, np.int32), np.flatnonzero(used).astype(np.int32),
                (world.lights.lane[w][used] - base).astype(np.int32),
                world.lights.state[w][used].copy(), roads.of(scenario.map, scenario.route),
                still_s(world.record.speed[w, : tick + 1, others], scenario.dt_s),
            )
        )  # fmt: skip
    return out


def still_s(speed_mps: Array, dt_s: float) -> Array:
    """Time since each was last seen to move [A] from speeds [A, t], the last of which is now; infinity for never."""
    moving = np.abs(speed_mps) > MOVING_MPS
    since: Array = np.where(moving.any(1), np.argmax(moving[:, ::-1], axis=1) * dt_s, np.inf)
    return since


def sideways(before: Array, now: Array, seconds: float) -> Array:
    """Speed across the heading [A], left positive, m/s, between two poses [A, 3] of each; 0 for no time between."""
    if seconds <= 0.0:
        return np.zeros(len(now))
    turn = (now[:, 2] - before[:, 2] + np.pi) % (2.0 * np.pi) - np.pi
    middle = before[:, 2] + 0.5 * turn
    moved = now[:, :2] - before[:, :2]
    across: Array = (moved[:, 1] * np.cos(middle) - moved[:, 0] * np.sin(middle)) / seconds
    return across


def moments(observation: Observation, roads: RoadCache) -> list[Moment]:
    """The moment of every row of an observation, from its typed scenes."""
    return [moment_of_scene(scene, roads) for scene in observation.scenes]


def moment_of_scene(scene: Scene, roads: RoadCache) -> Moment:
    """The moment of one scene.

    Only agents and lights that the observation's arrays hold are in it. An agent that went out of sight is taken to
    have gone on straight at its last seen speed.
    """
    ego, agents = scene.ego, scene.agents
    rear = rear_m(int(ego.kind), ego.length_m)
    x, y, h = (float(v) for v in ego.pose)
    v = ego.speed_mps
    held = np.flatnonzero(agents.in_arrays)
    accel, yaw = agents.rate(RATE_WINDOW_S, scene.dt_s)
    gone = agents.age_s[held] * agents.speed_mps[held]
    heading = agents.pose[held, 2]
    ticks = min(round(RATE_WINDOW_S / scene.dt_s), len(agents.history_valid) - 1)
    drift = sideways(agents.pose_history[-1 - ticks, held], agents.pose_history[-1, held], ticks * scene.dt_s)
    drift[~(agents.history_valid[-1 - ticks, held] & agents.history_valid[-1, held])] = 0.0
    elements = frozenset(scene.elements())
    lights = np.array(sorted(e.index for e in elements if e.kind == ReferenceKind.LIGHT), np.int32)
    return Moment(
        scene.scenario_id, scene.time_s, np.array([x - rear * np.cos(h), y - rear * np.sin(h), h, v]),
        ego.accel_mps2, ego.yaw_rate_radps / v if v > 0.5 else 0.0, rear, ego.length_m, ego.width_m,
        Others(
            agents.pose[held, 0] + gone * np.cos(heading), agents.pose[held, 1] + gone * np.sin(heading),
            np.ascontiguousarray(heading), agents.speed_mps[held], accel[held], yaw[held], drift,
            np.ascontiguousarray(agents.size_m[held, 0]), np.ascontiguousarray(agents.size_m[held, 1]),
            agents.kind[held],
        ),
        agents.index[held], lights, scene.light_lane[lights], scene.light_state[lights],
        roads.of(scene.map, scene.route),
        still_s(np.where(agents.history_valid, agents.speed_history_mps, 0.0)[:, held].T, scene.dt_s), elements,
    )  # fmt: skip
