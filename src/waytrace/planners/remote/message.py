"""The JSON that a planner's server is sent: one scene in the world frame (fields: ``docs/bring-your-own.md``)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Scene
from waytrace.planners.reading import rear_m
from waytrace.scenario import AgentKind, LaneControl, LaneKind, LightState

OBSERVATION_SCHEMA = "waytrace.observation/1"
MAP_M = 150.0
"""Lanes, crosswalks and drivable polygons with a point this near to the ego are sent, whole; and all of the route's."""
HISTORY_S = 2.0

Array = NDArray[np.float64]


def observation_message(scene: Scene, state: Any) -> dict[str, Any]:
    """A scene as plain JSON values. ``state`` is what the planner's last answer said of this drive, None at first."""
    return {
        "schema": OBSERVATION_SCHEMA, "scenario_id": scene.scenario_id, "tick": int(scene.tick),
        "time_s": float(scene.time_s), "dt_s": float(scene.dt_s), "ego": _ego(scene), "agents": _agents(scene),
        "lights": [
            {"lane": int(lane), "stop_xy": _plain(xy), "state": LightState(int(shown)).name.lower()}
            for lane, xy, shown in zip(scene.light_lane, scene.light_xy, scene.light_state, strict=True)
        ],
        "route": [[int(lane) for lane in group] for group in scene.route.groups], "map": _map(scene), "state": state,
    }  # fmt: skip


def _ego(scene: Scene) -> dict[str, Any]:
    ego = scene.ego
    back = rear_m(int(ego.kind), ego.length_m)
    x, y, heading = (float(v) for v in ego.pose)
    return {
        "length_m": ego.length_m, "width_m": ego.width_m, "pose": [x, y, heading],
        "rear_axle": [x - back * math.cos(heading), y - back * math.sin(heading), heading],
        "speed_mps": ego.speed_mps, "accel_mps2": ego.accel_mps2, "yaw_rate_radps": ego.yaw_rate_radps,
        "history": _history(ego.pose_history, ego.speed_history_mps, ego.history_valid, scene.dt_s),
    }  # fmt: skip


def _agents(scene: Scene) -> list[dict[str, Any]]:
    """Those in sight and those lost lately, nearest first."""
    them = scene.agents
    return [
        {
            "id": int(them.index[i]), "kind": AgentKind(int(them.kind[i])).name.lower(),
            "length_m": float(them.size_m[i, 0]), "width_m": float(them.size_m[i, 1]), "pose": _plain(them.pose[i]),
            "speed_mps": float(them.speed_mps[i]), "age_s": float(them.age_s[i]),
            "history": _history(
                them.pose_history[:, i], them.speed_history_mps[:, i], them.history_valid[:, i], scene.dt_s
            ),
        }
        for i in range(len(them))
    ]  # fmt: skip


def _history(pose: Array, speed: Array, valid: NDArray[np.bool_], dt_s: float) -> list[list[float]]:
    """Rows (seconds before now, at most 0; x, y, heading, speed), oldest first, of the last 2 s; gaps are left out."""
    ticks = min(len(valid), round(HISTORY_S / dt_s) + 1)
    return [[-k * dt_s, *_plain(pose[-1 - k]), float(speed[-1 - k])] for k in range(ticks - 1, -1, -1) if valid[-1 - k]]


def _map(scene: Scene) -> dict[str, Any]:
    road, at = scene.map, scene.ego.pose[:2]
    on_route = set(scene.route.lanes)
    lanes = [i for i in range(len(road)) if i in on_route or _near(road.centre[i], at)]
    return {
        "lanes": [
            {
                "id": i, "centre": _plain(road.centre[i]), "left": _plain(road.left[i]),
                "right": _plain(road.right[i]), "leads_to": _plain(road.successors(i)),
                "left_neighbor": _lane(road.left_neighbor[i]), "right_neighbor": _lane(road.right_neighbor[i]),
                "speed_limit_mps": _number(road.speed_limit_mps[i]),
                "kind": LaneKind(int(road.lane_kind[i])).name.lower(),
                "control": LaneControl(int(road.lane_control[i])).name.lower(),
                "in_intersection": bool(road.in_intersection[i]),
            }
            for i in lanes
        ],
        "stop_lines": [
            {"lane": int(lane), "xy": _plain(xy)}
            for lane, xy in zip(road.stop_line_lane, road.stop_line_xy, strict=True)
            if int(lane) in lanes
        ],
        "crosswalks": _near_ones(road.crosswalk, at),
        "drivable": _near_ones(road.drivable, at),
    }  # fmt: skip


def _near_ones(shapes: Iterable[Array], at: Array) -> list[Any]:
    return [_plain(shape) for shape in shapes if _near(shape, at)]


def _near(xy: Array, at: Array) -> bool:
    """Whether a shape's bounding box comes within reach: a long edge may pass by between far-off points."""
    if not len(xy):
        return False
    beyond = np.maximum(np.maximum(xy.min(0) - at, at - xy.max(0)), 0.0)
    return bool(np.hypot(beyond[0], beyond[1]) <= MAP_M)


def _plain(values: NDArray[Any]) -> Any:
    return values.tolist()


def _lane(number: int) -> int | None:
    return None if number < 0 else int(number)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
