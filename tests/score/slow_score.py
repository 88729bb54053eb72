"""The closed-loop score written afresh from ``docs/score.md``, in plain Python: no kernel, no grid, no shared code.

A :class:`Track` is who drove where; :func:`judged` gives every term and the figures per tick that it comes from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.signal import savgol_filter

from waytrace.scenario import AgentKind, LightState, Rollout, Scenario

from .slow_geometry import Point, box, convex_meet, segment_meets, turn
from .slow_road import Road

AXLE_SHARE = 0.28
NEVER = math.inf
COMFORT_BOUNDS = {
    "lon_accel_mps2": (-4.05, 2.40), "lat_accel_mps2": (-4.89, 4.89), "jerk_mps3": (-8.37, 8.37),
    "lon_jerk_mps3": (-4.13, 4.13), "yaw_rate_radps": (-0.95, 0.95), "yaw_accel_radps2": (-1.93, 1.93),
}  # fmt: skip


@dataclass(frozen=True)
class Car:
    """One road user in one tick."""

    x: float
    y: float
    heading: float
    speed: float
    length: float
    width: float

    @property
    def centre(self) -> Point:
        return (self.x, self.y)

    @property
    def corners(self) -> list[Point]:
        return box(self.x, self.y, self.heading, self.length, self.width)

    @property
    def nose(self) -> Point:
        """Middle of the front bumper."""
        return (
            self.x + 0.5 * self.length * math.cos(self.heading),
            self.y + 0.5 * self.length * math.sin(self.heading),
        )

    def after(self, seconds: float) -> Car:
        """Where it is later, at this speed and heading."""
        way = seconds * self.speed
        return Car(
            self.x + way * math.cos(self.heading), self.y + way * math.sin(self.heading), self.heading, self.speed,
            self.length, self.width,
        )  # fmt: skip

    def touches(self, other: Car) -> bool:
        if math.dist(self.centre, other.centre) > 0.5 * (self.length + self.width + other.length + other.width):
            return False
        return convex_meet(self.corners, other.corners)

    def bearing_deg(self, other: Car) -> float:
        """Bearing of the other's centre from the rear axle, 0 to 180."""
        back = AXLE_SHARE * self.length
        axle = (self.x - back * math.cos(self.heading), self.y - back * math.sin(self.heading))
        there = math.atan2(other.y - axle[1], other.x - axle[0])
        return abs(math.degrees(math.remainder(there - self.heading, math.tau)))


@dataclass(frozen=True)
class Track:
    """Everybody's way over the rows that are judged; ``cars[t][agent]`` is None where it is absent."""

    scenario: Scenario
    road: Road
    cars: list[list[Car | None]]
    lights: list[list[int]]

    @classmethod
    def of(cls, scenario: Scenario, road: Road, pose: np.ndarray, speed: np.ndarray, valid: np.ndarray,
           lights: np.ndarray, rows: int) -> Track:  # fmt: skip
        size = scenario.agents.size_m.tolist()
        cars = [
            [
                Car(*map(float, pose[t, i]), float(speed[t, i]), *size[i]) if valid[t, i] else None
                for i in range(len(size))
            ]
            for t in range(rows)
        ]
        return cls(scenario, road, cars, lights[:rows].tolist())

    @property
    def ego(self) -> list[Car]:
        found = [row[self.scenario.ego_index] for row in self.cars]
        assert None not in found
        return found  # type: ignore[return-value]

    def others(self, t: int) -> list[tuple[int, Car]]:
        return [(i, car) for i, car in enumerate(self.cars[t]) if car is not None and i != self.scenario.ego_index]


@dataclass
class Judged:
    """Terms, figures per tick, and who the ego touched: (row, agent, kind, at fault)."""

    terms: dict[str, float] = field(default_factory=dict)
    ticks: dict[str, list[float]] = field(default_factory=dict)
    contacts: list[tuple[int, int, str, bool]] = field(default_factory=list)
    red_lights: list[tuple[int, int]] = field(default_factory=list)
    lanes: list[int | None] = field(default_factory=list)

    @property
    def progress_m(self) -> float:
        first, last = self.ticks["progress_m"][0], self.ticks["progress_m"][-1]
        return 0.0 if math.isnan(first) or math.isnan(last) else last - first


def track_of(scenario: Scenario, road: Road, rollout: Rollout) -> Track:
    """The rows of a rollout that count: up to the scenario's last step, and as long as the ego is there."""
    rows = min(len(rollout.pose), scenario.end_step - rollout.start_step + 1)
    rows = next((t for t in range(rows) if not rollout.valid[t, rollout.ego_index]), rows)
    return Track.of(scenario, road, rollout.pose, rollout.speed_mps, rollout.valid, rollout.lights, rows)


def judged(track: Track, reference_m: float | None) -> Judged:
    """Terms by the letter of ``docs/score.md``."""
    out = measured(track)
    terms = out.terms
    terms["NC"] = collision_term(track, out)
    if track.road.drivable:
        terms["DAC"] = float(max(out.ticks["off_road_m"]) <= 0.3)
    if reference_m is not None:
        ratio = max(out.progress_m, 2.0) / max(reference_m, 2.0)
        terms["MP"] = float(ratio >= 0.2)
        terms["EP"] = min(1.0, ratio)
    terms["DDC"] = direction_term(out)
    if has_lights(track.scenario):
        terms["TLC"] = float(not out.red_lights)
    terms["TTC"] = float(min(out.ticks["ttc_s"]) >= 0.95)
    over = [o for o in out.ticks["overspeed_mps"] if not math.isnan(o)]
    if over:
        terms["SL"] = max(0.0, 1.0 - sum(over) / len(track.cars) / 2.23)
    if len(track.cars) >= 5:
        terms["C"] = float(comfortable(out.ticks))
    return out


def score(terms: dict[str, float]) -> float:
    """``NC * DAC * MP * DDC * TLC * (5 EP + 5 TTC + 4 SL + 2 C) / 16`` over the terms that apply."""
    weights = {"EP": 5, "TTC": 5, "SL": 4, "C": 2}
    product = math.prod(terms[k] for k in ("NC", "DAC", "MP", "DDC", "TLC") if k in terms)
    there = [k for k in weights if k in terms]
    return product * (sum(weights[k] * terms[k] for k in there) / sum(weights[k] for k in there) if there else 1.0)


def has_lights(scenario: Scenario) -> bool:
    return any(state != LightState.UNKNOWN for row in scenario.lights.state for state in row)


def collision_term(track: Track, out: Judged) -> float:
    hit = {agent for _, agent, _, fault in out.contacts if fault}
    static = {i for i in hit if track.scenario.agents.kind[i] == AgentKind.STATIC}
    return 0.0 if hit - static else {0: 1.0, 1: 0.5}.get(len(static), 0.0)


def direction_term(out: Judged) -> float:
    worst = max(out.ticks["wrong_way_m"])
    return 1.0 if worst < 2.0 else 0.5 if worst <= 6.0 else 0.0


def measured(track: Track) -> Judged:
    """Everything per tick."""
    out, road, ego = Judged(), track.road, track.ego
    against: list[float] = []
    lane, along = None, None
    columns: dict[str, list[float]] = {k: [] for k in ("off_road_m", "ttc_s", "overspeed_mps", "progress_m")}
    struck = {i for i, car in track.others(0) if ego[0].touches(car)}  # as the recording has it: nobody's doing
    for t, me in enumerate(ego):
        lane = road.lane_of(me.centre, me.heading, lane)
        out.lanes.append(lane)
        new = [(i, car) for i, car in track.others(t) if i not in struck and me.touches(car)]
        for i, car in new:
            struck.add(i)
            kind = contact_kind(me, car)
            keeps = kind == "lateral" and road.keeps_one_lane(lane, me.centre, me.corners)
            out.contacts.append((t, i, kind, kind in ("front", "stopped_track") or (kind == "lateral" and not keeps)))
        at_fault_now = any(row == t and fault for row, _, _, fault in out.contacts)
        columns["ttc_s"].append(0.0 if at_fault_now else time_to_collision(track, t, lane, struck))
        columns["off_road_m"].append(road.off_road_m(me.corners))
        against.append(0.0 if t == 0 else road.against_m(lane, ego[t - 1].centre, me.centre))
        limit = road.limit_mps(lane)
        columns["overspeed_mps"].append(math.nan if limit is None else max(0.0, abs(me.speed) - limit))
        now, beside = road.along_route(me.centre, along)
        along = now if along is None or (beside is not None and abs(beside) <= 6.0) else along
        columns["progress_m"].append(math.nan if along is None else along)
        if t > 0 and (entered := red_entry(track, t)) is not None:
            out.red_lights.append((t, entered))
    columns["wrong_way_m"] = [sum(against[max(0, t - 9) : t + 1]) for t in range(len(ego))]
    out.ticks = columns | comfort([c.speed for c in ego], [c.heading for c in ego], track.scenario.dt_s)
    return out


def contact_kind(me: Car, other: Car) -> str:
    """Who struck whom, by nuPlan's questions in their order."""
    if abs(me.speed) <= 0.05:
        return "stopped_ego"
    if abs(other.speed) <= 0.05:
        return "stopped_track"
    if me.bearing_deg(other) > 150.0:
        return "rear"
    front_left, _, _, front_right = me.corners
    return "front" if segment_meets(front_left, front_right, other.corners) else "lateral"


def time_to_collision(track: Track, t: int, lane: int | None, struck: set[int]) -> float:
    """First of 30 steps of 0.1 s at which the ego touches somebody who counts, all going straight on."""
    me = track.ego[t]
    if abs(me.speed) <= 0.005:
        return NEVER
    best = NEVER
    for i, other in track.others(t):
        if i in struck:
            continue
        steps = (0.1 * k for k in range(1, 31))
        first = next((s for s in steps if me.after(s).touches(other.after(s))), NEVER)
        if first < best and counts_ahead(track, lane, me, other):
            best = first
    return best


def counts_ahead(track: Track, lane: int | None, me: Car, other: Car) -> bool:
    """Ahead: yes. Behind: no. Beside: unless the ego is wholly in one lane outside intersections."""
    bearing = me.bearing_deg(other)
    if bearing < 30.0 or bearing > 150.0:
        return bearing < 30.0
    return track.road.in_junction(lane) or not track.road.keeps_one_lane(lane, me.centre, me.corners)


def red_entry(track: Track, t: int) -> int | None:
    """The connector that the ego's front enters between t - 1 and t while its light is red, or None."""
    lanes = [int(i) for i in track.scenario.lights.lane]
    entered = [k for k, lane in enumerate(lanes) if enters(track, k, t)]
    if not entered:
        return None
    red = {k: track.lights[t - 1][k] == LightState.RED for k in entered}
    nearness = {k: followed(track, lanes[k], t) + (0.2 if red[k] else 0.0) for k in entered}
    chosen = min(entered, key=lambda k: (nearness[k], entered.index(k)))
    return lanes[chosen] if red[chosen] else None


def enters(track: Track, k: int, t: int) -> bool:
    """Whether the front's middle passes the entry of light ``k``'s connector, aligned with it and not beside it."""
    lane = track.road.lanes[int(track.scenario.lights.lane[k])]
    entry, heading = lane.points[0], lane.vertex_headings[0]
    ux, uy = math.cos(heading), math.sin(heading)
    sx, sy = track.scenario.lights.xy[k]
    line = (sx - entry[0]) * ux + (sy - entry[1]) * uy
    line = line if 0.0 <= line <= 10.0 else 0.0
    a = (float(entry[0] + line * ux), float(entry[1] + line * uy))
    across = (a[0] - uy, a[1] + ux)  # a -> across points to the left along the line
    before, after = track.ego[t - 1].nose, track.ego[t].nose
    gone_before, gone_after = -turn(a, across, before), -turn(a, across, after)
    if not gone_before < 0.0 <= gone_after:
        return False
    if math.cos(track.ego[t].heading - heading) < 0.5:
        return False
    share = gone_before / (gone_before - gone_after)
    x, y = (before[i] + share * (after[i] - before[i]) for i in (0, 1))
    left = -(x - entry[0]) * uy + (y - entry[1]) * ux
    return bool(-lane.right_m[0] - 0.25 <= left <= lane.left_m[0] + 0.25)


def followed(track: Track, lane: int, t: int) -> float:
    """Mean distance of the ego's centre from a lane over 5 s, until it has passed the lane's end."""
    distances = []
    for me in track.ego[t : t + 50]:
        s, _, distance = track.road.lanes[lane].project(me.centre)
        if s > track.road.lanes[lane].length_m:
            break
        distances.append(distance)
    return sum(distances) / len(distances) if distances else 0.0


def comfort(speed: list[float], heading: list[float], dt: float) -> dict[str, list[float]]:
    """The seven signals of ``docs/score.md``, filtered by SciPy; zeros where even the shortest window does not fit."""
    n = len(speed)
    turned = np.unwrap(heading)

    def smooth(y: Any, window: int, order: int, derivative: int) -> np.ndarray:
        fits = min(window, n if n % 2 else n - 1)
        if fits <= order:
            return np.zeros(n)
        return savgol_filter(y, fits, order, deriv=derivative, delta=dt, mode="interp")

    yaw_rate = smooth(turned, 5, 2, 1)
    change = [(b - a) / dt for a, b in pairwise(speed)]
    raw = np.array([*change, change[-1] if change else 0.0])
    raw_lateral = np.array(speed) * yaw_rate
    lon, lat, norm = (smooth(y, 9, 2, 0) for y in (raw, raw_lateral, np.hypot(raw, raw_lateral)))
    return {
        "lon_accel_mps2": list(lon), "lat_accel_mps2": list(lat), "jerk_mps3": list(smooth(norm, 15, 2, 1)),
        "lon_jerk_mps3": list(smooth(lon, 15, 2, 1)), "yaw_rate_radps": list(yaw_rate),
        "yaw_accel_radps2": list(smooth(turned, 5, 3, 2)), "accel_mps2": list(norm),
    }  # fmt: skip


def comfortable(ticks: dict[str, list[float]]) -> bool:
    """Whether every signal stays within its bounds; a rounding error (1e-6) is forgiven."""
    return all(
        low - 1e-6 <= value <= high + 1e-6 for key, (low, high) in COMFORT_BOUNDS.items() for value in ticks[key]
    )
