"""From what a planner is given to :class:`~._moment.Moment` rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import REAR_AXLE_TO_CENTRE, AgentKind

from ._lookup import RoadCache
from ._moment import Moment, Others

Array = NDArray[np.float64]

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
        out.append(
            Moment(
                scenario.id, float(world.moving.tick[w]) * scenario.dt_s, axle, float(st.accel[w, a]),
                float(st.yaw_rate[w, a]) / v if v > 0.5 else 0.0, rear, float(st.length[w, a]),
                float(st.width[w, a]),
                Others(
                    *(np.ascontiguousarray(part[w, others], np.float64) for part in (
                        st.x, st.y, st.heading, st.speed, st.accel, st.yaw_rate, st.length, st.width)),
                    np.ascontiguousarray(st.kind[w, others]),
                ),
                np.array(others, np.int32), (world.lights.lane[w][used] - base).astype(np.int32),
                world.lights.state[w][used].copy(), roads.of(scenario.map, scenario.route),
            )
        )  # fmt: skip
    return out


def moments(observation: Any, roads: RoadCache) -> list[Moment]:
    """The moment of every row of an observation, from its typed scenes."""
    raise NotImplementedError
