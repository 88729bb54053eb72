"""A driving scene as a language model is told it: compact JSON in the ego's frame, and its answer as a trace."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from waytrace.geometry import from_frame, heading_in_frame, to_frame, wrap
from waytrace.observe import ReferenceKind, Scene
from waytrace.scenario import PLAN_KNOTS, AgentKind, LightState, Plan
from waytrace.trace import Header, Producer, Trace, TraceError, from_json, vocabulary_hash
from waytrace.trace.file import plan_of

REACH_M = 120.0
LANE_POINTS = 6


def told(scene: Scene) -> str:
    """Everything that the ego's arrays hold of a scene, as JSON without blanks."""
    frame = scene.ego.pose
    groups = {lane: k for k, group in enumerate(scene.route.groups) for lane in group}
    held: dict[str, dict[str, Any]] = {"agents": {}, "lanes": {}, "lights": {}, "crosswalks": {}, "stop_lines": {}}
    accel, _ = scene.agents.rate(1.0, scene.dt_s)
    for ref in scene.elements():
        if ref.kind == ReferenceKind.AGENT:
            held["agents"][str(ref)] = _agent(scene, ref.index, accel)
        elif ref.kind == ReferenceKind.LANE:
            held["lanes"][str(ref)] = _lane(scene, ref.index, frame, groups)
        elif ref.kind == ReferenceKind.LIGHT:
            held["lights"][str(ref)] = {
                "xy": _points(scene.light_xy[ref.index : ref.index + 1], frame)[0],
                "into": f"lane:{int(scene.light_lane[ref.index])}",
                "shows": LightState(int(scene.light_state[ref.index])).name.lower(),
            }
        elif ref.kind == ReferenceKind.CROSSWALK:
            held["crosswalks"][str(ref)] = {"outline": _points(scene.map.crosswalk[ref.index], frame)}
        elif ref.kind == ReferenceKind.STOP_LINE:
            at = int(np.flatnonzero(scene.map.stop_line_lane == ref.index)[0])
            held["stop_lines"][str(ref)] = {"ends": _points(scene.map.stop_line_xy[at], frame)}
    ego = {
        "speed": round(scene.ego.speed_mps, 2), "accel": round(scene.ego.accel_mps2, 2),
        "size": [round(scene.ego.length_m, 2), round(scene.ego.width_m, 2)],
    }  # fmt: skip
    route = [[f"lane:{lane}" for lane in group] for group in scene.route.groups]
    record = {"ego": ego, "route": route, **{name: part for name, part in held.items() if part}}
    return json.dumps(record, separators=(",", ":"))


def _agent(scene: Scene, index: int, accel: np.ndarray[Any, Any]) -> dict[str, Any]:
    agents, frame = scene.agents, scene.ego.pose
    k = int(np.flatnonzero(agents.index == index)[0])
    heading = float(heading_in_frame(agents.pose[k, 2], frame))
    return {
        "class": AgentKind(int(agents.kind[k])).name.lower(),
        "pose": [*_points(agents.pose[k : k + 1, :2], frame)[0], round(heading, 2)],
        "speed": round(float(agents.speed_mps[k]), 2), "accel": round(float(accel[k]), 2),
        "size": [round(float(v), 1) for v in agents.size_m[k]],
        **({"unseen_s": round(float(agents.age_s[k]), 1)} if agents.age_s[k] else {}),
    }  # fmt: skip


def _lane(scene: Scene, lane: int, frame: np.ndarray[Any, Any], groups: dict[int, int]) -> dict[str, Any]:
    road = scene.map
    points = to_frame(np.asarray(road.centre[lane], np.float64)[:, :2], frame)
    near = np.flatnonzero(np.hypot(points[:, 0], points[:, 1]) <= REACH_M)
    shown = points[near[0] : near[-1] + 1] if len(near) else points
    chosen = np.unique(np.linspace(0, len(shown) - 1, min(LANE_POINTS, len(shown))).round().astype(int))
    limit = float(road.speed_limit_mps[lane])
    neighbours = {"left": int(road.left_neighbor[lane]), "right": int(road.right_neighbor[lane])}
    return {
        "centre": np.round(shown[chosen], 1).tolist(),
        **({"limit": round(limit, 2)} if np.isfinite(limit) else {}),
        "next": [f"lane:{int(k)}" for k in road.successors(lane)],
        **{side: f"lane:{k}" for side, k in neighbours.items() if k >= 0},
        **({"junction": True} if road.in_intersection[lane] else {}),
        **({"route_group": groups[lane]} if lane in groups else {}),
    }


def _points(xy: np.ndarray[Any, Any], frame: np.ndarray[Any, Any]) -> list[list[float]]:
    rounded: list[list[float]] = np.round(to_frame(np.asarray(xy, np.float64)[:, :2], frame), 1).tolist()
    return rounded


def to_ego(waypoints: np.ndarray[Any, Any], scene: Scene) -> list[list[float]]:
    """Waypoints [16, 4] of the world in the ego's frame, as an answer gives them."""
    frame = scene.ego.pose
    heading = heading_in_frame(waypoints[:, 2], frame)
    out = np.concatenate([to_frame(waypoints[:, :2], frame), heading[:, None], waypoints[:, 3:]], axis=1)
    rounded: list[list[float]] = np.round(out, 3).tolist()
    return rounded


def read(stages: object, scene: Scene) -> tuple[Header, Trace, Plan]:
    """An answer's stages as a trace and a plan in the world. Raises :class:`TraceError` that names what is wrong."""
    if not isinstance(stages, dict):
        raise TraceError("a trace is a JSON object")
    if "header" in stages:
        raise TraceError("the header is not part of the answer")
    header = header_of(scene)
    _, trace, waypoints = from_json({"header": _record(header), **stages})
    if waypoints is None or len(waypoints) != PLAN_KNOTS:
        raise TraceError(f"plan.waypoints has {PLAN_KNOTS} rows [x, y, heading, speed]")
    local = np.array(waypoints)
    heading = wrap(local[:, 2] + scene.ego.pose[2])
    world = np.concatenate([from_frame(local[:, :2], scene.ego.pose), heading[:, None], local[:, 3:]], axis=1)
    plan = plan_of(None, world.tolist(), scene.time_s)
    assert plan is not None
    return header, trace, plan


def header_of(scene: Scene) -> Header:
    """The header of an answer: of a provider, about this moment."""
    history_s = (len(scene.ego.history_valid) - 1) * scene.dt_s
    producer = Producer("provider", vocabulary=vocabulary_hash())
    return Header("", round(scene.time_s * 1e6), round(history_s, 6), scene.dt_s, producer)


def _record(header: Header) -> dict[str, Any]:
    return {**vars(header), "producer": vars(header.producer)}
