"""Obstacles and planning problems of a CommonRoad file as tracks at steps of 0.1 s."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import wrap
from waytrace.scenario import DT_S, AgentKind

from .commonroad_xml import IN_SECONDS, Element, Values
from .tracks import Track
from .untrusted import MAX_AGENTS, MAX_COORDINATE_M, MAX_STATES, MAX_STEPS, refuse

Array = NDArray[np.float64]

_KINDS = {
    **dict.fromkeys(("car", "taxi", "priorityVehicle", "parkedVehicle"), AgentKind.VEHICLE),
    **dict.fromkeys(("truck", "bus", "train"), AgentKind.LARGE_VEHICLE),
    "motorcycle": AgentKind.MOTORCYCLE,
    "bicycle": AgentKind.CYCLIST,
    "pedestrian": AgentKind.PEDESTRIAN,
    **dict.fromkeys(("constructionZone", "building", "pillar", "median_strip", "roadBoundary"), AgentKind.STATIC),
}
_BEYOND_ROAD = {"roadBoundary", "building", "median_strip"}
"""Static things whose outline follows the road: a box around them would lie across it."""
MAX_GAP_S = 1.0
"""Samples further apart than this are not joined by interpolation."""


@dataclass(frozen=True)
class Clock:
    """Time in a file: seconds or steps of ``dt_s``, as its version has it."""

    dt_s: float
    in_seconds: bool

    @classmethod
    def of(cls, root: Element, values: Values) -> Clock:
        """The clock of a file; its step must lie between 1 ms and 5 s."""
        dt_s = float(root.get("timeStepSize") or "nan") if _is_number(root.get("timeStepSize")) else float("nan")
        if not 1e-3 <= dt_s <= 5.0:
            refuse(values.path, f"timeStepSize {str(root.get('timeStepSize'))[:20]!r} is not a step of 1 ms to 5 s")
        return cls(dt_s, root.get("commonRoadVersion") in IN_SECONDS)

    def seconds(self, value: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """File time in seconds."""
        return np.asarray(value, dtype=np.float64) * (1.0 if self.in_seconds else self.dt_s)

    def step(self, value: float) -> int:
        """File time as the nearest step of 0.1 s."""
        return round(float(self.seconds(value)) / DT_S)


def _is_number(text: str | None) -> bool:
    try:
        float(text or "")
    except ValueError:
        return False
    return True


def read_tracks(root: Element, values: Values, clock: Clock, notes: Counter[str]) -> tuple[list[Track], list[Track]]:
    """Moving road users, and static ones (a single state at step 0 that holds throughout)."""
    found = [(o, (o.findtext("role") or "dynamic").strip()) for o in root.findall("obstacle")]
    found += [(o, "dynamic") for o in root.findall("dynamicObstacle")]
    found += [(o, "static") for o in root.findall("staticObstacle")]
    for tag in ("environmentObstacle", "phantomObstacle"):
        notes[f"skipped_{tag}"] += len(root.findall(tag))
    if len(found) > MAX_AGENTS:
        refuse(values.path, f"{len(found):,} obstacles")
    moving: dict[str, Track] = {}
    static: dict[str, Track] = {}
    total = 0
    for obstacle, role in found:
        id = str(obstacle.get("id"))[:80]
        if id in moving or id in static:
            refuse(values.path, f"two obstacles are called {id}")
        if role == "dynamic":
            track = _dynamic(obstacle, id, values, clock, notes)
            if track is not None:
                moving[id] = track
                total += len(track.step)
                if total > MAX_STATES:
                    refuse(values.path, f"more than {MAX_STATES:,} states")
        elif role == "static":
            track = _static(obstacle, id, values, notes)
            if track is not None:
                static[id] = track
        else:
            notes[f"skipped_{role[:20] or 'unnamed'}_obstacles"] += 1
    return list(moving.values()), list(static.values())


def _shape(obstacle: Element, id: str, values: Values) -> tuple[float, float, Array, float]:
    shape = obstacle.find("shape")
    if shape is None:
        refuse(values.path, f"obstacle {id} has no shape")
    return values.shape(shape, f"obstacle {id}, shape")


def _dynamic(obstacle: Element, id: str, values: Values, clock: Clock, notes: Counter[str]) -> Track | None:
    states = obstacle.findall("initialState")
    trajectory = obstacle.find("trajectory")
    if trajectory is None and obstacle.find("occupancySet") is not None:
        notes["skipped_occupancy_predictions"] += 1
        return None
    if trajectory is not None:
        states += trajectory.findall("state")
    if not states:
        refuse(values.path, f"obstacle {id} has no state")
    rows = _rows(states, id, values)
    kind = _KINDS.get((obstacle.findtext("type") or "").strip(), AgentKind.UNKNOWN)
    length, width, offset, turned = _shape(obstacle, id, values)
    seconds = clock.seconds(rows[:, 0])
    order = np.argsort(seconds, kind="stable")
    order = order[np.r_[True, np.diff(seconds[order]) > 1e-6]]
    rows, seconds = rows[order], seconds[order]
    step, sampled, interpolated = _at_steps(seconds, rows[:, 1:], values, id)
    if interpolated:
        notes["resampled_tracks"] += 1
    if not len(step):
        return None
    xy, heading, speed, sideways = sampled[:, :2], sampled[:, 2], sampled[:, 3], np.nan_to_num(sampled[:, 4])
    cos, sin = np.cos(heading), np.sin(heading)
    velocity = np.stack([speed * cos - sideways * sin, speed * sin + sideways * cos], axis=-1)
    if offset.any():
        facing = np.where(np.isfinite(heading), heading, 0.0)
        turn = np.stack([np.cos(facing), -np.sin(facing), np.sin(facing), np.cos(facing)], -1).reshape(-1, 2, 2)
        xy = xy + turn @ offset
    return Track(id, kind, length, width, step, xy, wrap(heading + turned), velocity)


def _rows(states: list[Element], id: str, values: Values) -> Array:
    """Time, x, y, orientation, velocity and sideways velocity per state, [n, 6]; NaN where not given."""
    out = np.full((len(states), 6), np.nan)
    column = {"time": 0, "orientation": 3, "velocity": 4, "velocityY": 5}
    what = f"obstacle {id}"
    rows = []
    try:
        for state in states:
            row = [np.nan] * 6
            for child in state:
                tag = child.tag
                if tag == "position":
                    at = child[0]
                    if at.tag == "point" and at[0].tag == "x" and at[1].tag == "y":
                        row[1], row[2] = float(at[0].text), float(at[1].text)
                    else:
                        row[1], row[2] = values.position(child, what)
                elif tag in column:
                    value = child[0] if len(child) else child
                    row[column[tag]] = float(value.text) if value.tag == "exact" else values.scalar(child, what)
            rows.append(row)
    except (TypeError, ValueError, IndexError):
        refuse(values.path, f"{what} has a state whose values are not numbers")
    out[:] = rows
    if not np.isfinite(out[:, :3]).all():
        refuse(values.path, f"{what} has a state without time or position, or with ones that are not finite")
    if (np.abs(out[:, 1:3]) > MAX_COORDINATE_M).any() or np.isinf(out).any():
        refuse(values.path, f"{what} has values out of range")
    if out[:, 0].min() < 0 or out[:, 0].max() > 1e6:
        refuse(values.path, f"{what} has a state at time {out[np.argmax(np.abs(out[:, 0])), 0]:g}")
    return out


def _at_steps(seconds: Array, rows: Array, values: Values, id: str) -> tuple[NDArray[np.int64], Array, bool]:
    """Rows at whole steps of 0.1 s: as they are where the file's steps are those, else interpolated between them."""
    exact = np.round(seconds / DT_S)
    if exact[-1] >= MAX_STEPS:
        refuse(values.path, f"obstacle {id} runs on to {seconds[-1]:,.0f} s")
    if (np.abs(seconds - exact * DT_S) < 0.01).all() and (np.diff(exact) > 0).all():
        step = exact.astype(np.int64)
        if len(step) < 2 or np.diff(step).max() == 1 or np.median(np.diff(step)) == 1:
            return step, rows, False
    step = np.arange(np.ceil(seconds[0] / DT_S - 1e-6), np.floor(seconds[-1] / DT_S + 1e-6) + 1).astype(np.int64)
    at = step * DT_S
    hi = np.clip(np.searchsorted(seconds, at), 1, max(1, len(seconds) - 1))
    if len(seconds) == 1:
        return step, rows[:1].repeat(len(step), 0), False
    near = seconds[hi] - seconds[hi - 1] <= MAX_GAP_S + 1e-6
    out = np.stack([np.interp(at, seconds, c) for c in rows.T], axis=-1)
    if np.isfinite(rows[:, 2]).all():
        out[:, 2] = np.interp(at, seconds, np.unwrap(rows[:, 2]))
    return step[near], out[near], True


def _static(obstacle: Element, id: str, values: Values, notes: Counter[str]) -> Track | None:
    name = (obstacle.findtext("type") or "").strip()
    if name in _BEYOND_ROAD:
        notes[f"skipped_{name}"] += 1
        return None
    state = obstacle.find("initialState")
    if state is None:
        state = obstacle.find("trajectory/state")
    if state is None:
        refuse(values.path, f"obstacle {id} has no state")
    length, width, offset, turned = _shape(obstacle, id, values)
    x, y = values.position(state.find("position"), f"obstacle {id}, position")
    orientation = state.find("orientation")
    heading = values.scalar(orientation, f"obstacle {id}, orientation") if orientation is not None else 0.0
    cos, sin = np.cos(heading), np.sin(heading)
    at = np.array([[x + cos * offset[0] - sin * offset[1], y + sin * offset[0] + cos * offset[1]]])
    kind = _KINDS.get(name, AgentKind.STATIC)
    zero = np.zeros((1, 2))
    return Track(id, kind, length, width, np.zeros(1, np.int64), at, wrap(np.array([heading + turned])), zero)


@dataclass(frozen=True)
class Problem:
    """A planning problem: where its vehicle stands at ``step``, and where it is to go."""

    id: str
    step: int
    xy: Array
    """[2]"""
    heading_rad: float
    speed_mps: float
    goal_lanelets: tuple[str, ...]
    goal_xy: Array
    """[g, 2] centres of goal areas."""
    last_step: int
    """Latest step at which the goal may be reached; ``step`` if it does not say."""


def read_problems(root: Element, values: Values, clock: Clock) -> list[Problem]:
    """The planning problems of a file."""
    out = []
    for problem in root.findall("planningProblem")[:100]:
        id = str(problem.get("id"))[:80]
        what = f"planning problem {id}"
        start = problem.find("initialState")
        if start is None:
            refuse(values.path, f"{what} has no initial state")
        time = start.find("time")
        step = clock.step(values.scalar(time, f"{what}, time")) if time is not None else 0
        goals = problem.findall("goalState") + problem.findall("goalRegion/state")
        lanelets, places, last = [], [], step
        for goal in goals:
            position = goal.find("position")
            if position is not None:
                refs = [str(e.get("ref")) for e in position.findall("lanelet")]
                lanelets += refs
                if not refs:
                    places.append(values.position(position, f"{what}, goal"))
            if goal.find("time") is not None:
                last = max(last, clock.step(values.bounds(goal.find("time"), f"{what}, goal time")[1]))
        heading = values.scalar(start.find("orientation"), f"{what}, orientation")
        speed = values.scalar(start.find("velocity"), f"{what}, velocity")
        if not 0 <= step <= MAX_STEPS or abs(speed) > 100.0:
            refuse(values.path, f"{what} begins at step {step} with {speed:g} m/s")
        at = np.array(values.position(start.find("position"), f"{what}, position"))
        out.append(Problem(id, step, at, heading, speed, tuple(lanelets), np.array(places).reshape(-1, 2), last))
    return out
