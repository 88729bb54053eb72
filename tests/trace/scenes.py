"""Small scenes, plans and traces that read like a sentence: ``a_road(lanes=2).with_lead(gap_m=20, speed_mps=8)``.

The ego drives along the x axis, its centre at the origin, 4.8 m long and 1.9 m wide; agent 0 is the ego, the others
are numbered in the order in which they are put in. Everyone has driven on straight for the last two seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from waytrace.geometry import Polylines
from waytrace.observe import Reference, Scene, scene_at
from waytrace.scenario import (
    REAR_AXLE_TO_CENTRE,
    AgentKind,
    Agents,
    Lights,
    LightState,
    Plan,
    Provenance,
    RoadMap,
    Route,
    Scenario,
    transformed,
)
from waytrace.trace import (
    Cause,
    Decision,
    Entity,
    PlanClaim,
    SceneSummary,
    Segment,
    Trace,
    Verdict,
)
from waytrace.trace.check import check

LANE_M = 3.5
START = 20
LENGTH_M, WIDTH_M = 4.8, 1.9
SIZE_M = {
    AgentKind.PEDESTRIAN: (0.6, 0.6), AgentKind.CYCLIST: (1.8, 0.6), AgentKind.STATIC: (0.5, 0.5),
    AgentKind.LARGE_VEHICLE: (12.0, 2.5),
}  # fmt: skip
VEHICLE, PERSON, CONE, BIKE = AgentKind.VEHICLE, AgentKind.PEDESTRIAN, AgentKind.STATIC, AgentKind.CYCLIST
TRUCK, MOTO = AgentKind.LARGE_VEHICLE, AgentKind.MOTORCYCLE


@dataclass(frozen=True)
class Actor:
    """Someone at (x, y) now, who has moved at (vx, vy) for two seconds, faster or slower by accel along the way."""

    x: float
    y: float
    speed: float
    heading_deg: float = 0.0
    drift: float = 0.0
    """Speed to the left of the heading."""
    accel: float = 0.0
    kind: AgentKind = VEHICLE
    size: tuple[float, float] | None = None
    stopped_s: float = 0.0
    """For how long it has stood, where it stands now and drove before."""


@dataclass(frozen=True)
class Lane:
    """A centre line; lanes that it leads on to; neighbours; what else there is."""

    points: tuple[tuple[float, float], ...]
    on: tuple[int, ...] = ()
    left: int = -1
    right: int = -1
    limit: float = 14.0
    junction: bool = False
    line_m: float | None = None
    control: int = 0


@dataclass(frozen=True)
class Sketch:
    """A scene being put together; every method gives another one."""

    lanes: tuple[Lane, ...]
    groups: tuple[tuple[int, ...], ...]
    ego: Actor
    actors: tuple[Actor, ...] = ()
    lights: tuple[tuple[int, LightState], ...] = ()
    walks: tuple[tuple[float, float], ...] = ()

    def driving(self, speed_mps: float, accel: float = 0.0, offset_m: float = 0.0, drift: float = 0.0) -> Sketch:
        """The ego drives at this speed, beside the middle by ``offset_m``."""
        return replace(self, ego=replace(self.ego, speed=speed_mps, accel=accel, y=offset_m, drift=drift))

    def with_actor(self, x: float, y: float, speed: float = 0.0, **more: Any) -> Sketch:
        """With someone whose centre is at (x, y)."""
        return replace(self, actors=(*self.actors, Actor(x, y, speed, **more)))

    def with_lead(self, gap_m: float, speed_mps: float, **more: Any) -> Sketch:
        """With a car ahead in the ego's lane."""
        return self.with_actor(gap_m + LENGTH_M, more.pop("y", 0.0), speed_mps, **more)

    def with_follower(self, gap_m: float, speed_mps: float, y: float = 0.0) -> Sketch:
        """With a car behind."""
        return self.with_actor(-gap_m - LENGTH_M, y, speed_mps)

    def with_light(self, lane: int, state: LightState) -> Sketch:
        """With a light at the entry of a lane."""
        return replace(self, lights=(*self.lights, (lane, state)))

    def with_crosswalk(self, way_m: float, width_m: float = 4.0) -> Sketch:
        """With a crosswalk whose near edge is this far ahead of the front bumper."""
        return replace(self, walks=(*self.walks, (way_m + LENGTH_M / 2, width_m)))

    def with_limit(self, limit_mps: float) -> Sketch:
        """With this speed limit everywhere (NaN: none)."""
        return replace(self, lanes=tuple(replace(lane, limit=limit_mps) for lane in self.lanes))

    def scenario(self) -> Scenario:
        """The scenario: two seconds of history, and now."""
        actors = (self.ego, *self.actors)
        steps = START + 1
        t = (np.arange(steps) - START) * 0.1
        n = len(actors)
        xy, speed = np.zeros((n, steps, 2)), np.zeros((n, steps))
        heading = np.array([math.radians(a.heading_deg) for a in actors])
        for i, a in enumerate(actors):
            moving = np.minimum(t + a.stopped_s, 0.0) if a.stopped_s else t
            was = 5.0 if a.stopped_s else a.speed
            gone = was * moving + 0.5 * a.accel * moving**2
            speed[i] = np.where(t < -a.stopped_s, was, 0.0) if a.stopped_s else a.speed + a.accel * t
            c, s = math.cos(heading[i]), math.sin(heading[i])
            aside = a.drift * t
            xy[i, :, 0], xy[i, :, 1] = a.x + gone * c - aside * s, a.y + gone * s + aside * c
        unit = np.stack([np.cos(heading), np.sin(heading)], -1)
        kinds = np.array([a.kind for a in actors], np.uint8)
        sizes = np.array([a.size or SIZE_M.get(a.kind, (LENGTH_M, WIDTH_M)) for a in actors], float)
        agents = Agents(
            tuple(f"a{i}" for i in range(n)), kinds, sizes, xy, np.repeat(heading[:, None], steps, 1),
            speed[..., None] * unit[:, None], np.ones((n, steps), np.bool_),
        )  # fmt: skip
        road = self._road()
        state = np.array([[s for _, s in self.lights]] * steps, np.uint8).reshape(steps, -1)
        at = np.array([self.lanes[lane].points[0] for lane, _ in self.lights], float).reshape(-1, 2)
        lights = Lights(np.array([lane for lane, _ in self.lights], np.int32), at, state)
        return Scenario(
            "by-hand", "test", road, lights, agents, 0, Route(self.groups), START, START, Provenance("CC0-1.0", "test")
        )

    def scene(self, move: tuple[float, float, float] | None = None) -> Scene:
        """What the ego knows now; the whole world moved by (x, y) and turned where ``move`` is given."""
        scenario = self.scenario()
        return scene_at(transformed(scenario, move) if move else scenario, 0)

    def _road(self) -> RoadMap:
        centre, left, right, lines, on_lane = [], [], [], [], []
        for i, lane in enumerate(self.lanes):
            line = np.array(lane.points, float)
            d = np.gradient(line, axis=0)
            normal = np.stack([-d[:, 1], d[:, 0]], -1) / np.hypot(*d.T)[:, None]
            centre.append(line)
            left.append(line + 0.5 * LANE_M * normal)
            right.append(line - 0.5 * LANE_M * normal)
            if lane.line_m is not None:
                s = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
                at = np.array([np.interp(lane.line_m, s, line[:, k]) for k in (0, 1)])
                lines.append(np.stack([at + 1.75 * normal[-1], at - 1.75 * normal[-1]]))
                on_lane.append(i)
        walks = [
            np.array([[x, -8.0], [x + w, -8.0], [x + w, 8.0], [x, 8.0]]) for x, w in self.walks
        ]  # fmt: skip
        n = len(self.lanes)
        everywhere = np.array([[-900.0, -900.0], [900.0, -900.0], [900.0, 900.0], [-900.0, 900.0]])
        return RoadMap(
            tuple(f"l{i}" for i in range(n)), Polylines.of(centre), Polylines.of(left), Polylines.of(right),
            np.array([k for lane in self.lanes for k in lane.on], np.int32),
            np.cumsum([0] + [len(lane.on) for lane in self.lanes]).astype(np.int32),
            np.array([lane.left for lane in self.lanes], np.int32),
            np.array([lane.right for lane in self.lanes], np.int32),
            np.array([lane.limit for lane in self.lanes]), np.zeros(n, np.uint8),
            np.array([lane.junction for lane in self.lanes], np.bool_),
            np.array([lane.control for lane in self.lanes], np.uint8),
            np.array(lines, float).reshape(-1, 2, 2), np.array(on_lane, np.int32), Polylines.of(walks),
            Polylines.of([everywhere]),
        )  # fmt: skip


def _line(*points: tuple[float, float], step: float = 2.0) -> tuple[tuple[float, float], ...]:
    """Points every two metres along straight pieces."""
    out: list[tuple[float, float]] = [points[0]]
    for (x0, y0), (x1, y1) in pairwise(points):
        count = max(1, round(math.hypot(x1 - x0, y1 - y0) / step))
        out += [(x0 + (x1 - x0) * k / count, y0 + (y1 - y0) * k / count) for k in range(1, count + 1)]
    return tuple(out)


def _arc(x: float, y: float, heading_deg: float, turn_deg: float, radius: float) -> tuple[tuple[float, float], ...]:
    """Points of an arc from (x, y)."""
    sign, h = math.copysign(1.0, turn_deg), math.radians(heading_deg)
    cx, cy = x - sign * radius * math.sin(h), y + sign * radius * math.cos(h)
    count = max(4, round(abs(math.radians(turn_deg)) * radius))
    angles = [h + math.radians(turn_deg) * k / count for k in range(count + 1)]
    return tuple((cx + sign * radius * math.sin(a), cy - sign * radius * math.cos(a)) for a in angles)


def a_road(lanes: int = 1, ego_lane: int = 0, length_m: float = 300.0, limit_mps: float = 14.0) -> Sketch:
    """A straight road; lane 0 is the rightmost. The ego stands in the middle of ``ego_lane`` at x = 0."""
    made = [
        Lane(_line((-150.0, LANE_M * (i - ego_lane)), (length_m, LANE_M * (i - ego_lane))),
             left=i + 1 if i + 1 < lanes else -1, right=i - 1, limit=limit_mps)
        for i in range(lanes)
    ]  # fmt: skip
    return Sketch(tuple(made), (tuple(range(lanes)),), Actor(0.0, 0.0, 10.0))


def a_lane_that_ends(way_m: float, *, goes_elsewhere: bool = False) -> Sketch:
    """The ego's lane 0 ends, or leaves the route, after ``way_m`` from its front; lane 1 on the left leads on."""
    x = way_m + LENGTH_M / 2
    own = Lane(_line((-150.0, 0.0), (x, 0.0)), on=(3,) if goes_elsewhere else (), left=1)
    beside = Lane(_line((-150.0, LANE_M), (x, LANE_M)), on=(2,), right=0)
    after = Lane(_line((x, LANE_M), (x + 200.0, LANE_M)))
    exit_ = Lane(_line((x, 0.0), (x + 50.0, -6.0), (x + 150.0, -40.0)))
    return Sketch((own, beside, after, exit_), ((0, 1), (2,)), Actor(0.0, 0.0, 10.0))


def a_ramp(way_m: float = 40.0) -> Sketch:
    """Lane 2 joins the ego's lanes 0, 1 from the right after ``way_m``."""
    x = way_m + LENGTH_M / 2
    return Sketch(
        (Lane(_line((-150.0, 0.0), (x, 0.0)), on=(1,)), Lane(_line((x, 0.0), (x + 200.0, 0.0))),
         Lane(_line((x - 80.0, -20.0), (x, 0.0)), on=(1,))),
        ((0,), (1,)), Actor(0.0, 0.0, 10.0),
    )  # fmt: skip


def a_fork(way_m: float = 30.0) -> Sketch:
    """The ego's lane 0 divides after ``way_m``: 1 goes straight on, 2, which the route takes, to the right."""
    x = way_m + LENGTH_M / 2
    return Sketch(
        (Lane(_line((-150.0, 0.0), (x, 0.0)), on=(1, 2)), Lane(_line((x, 0.0), (x + 200.0, 0.0))),
         Lane(_line((x, 0.0), (x + 60.0, -8.0), (x + 160.0, -30.0)))),
        ((0,), (2,)), Actor(0.0, 0.0, 10.0),
    )  # fmt: skip


def a_bend(way_m: float, radius_m: float, limit_mps: float = 14.0) -> Sketch:
    """The road bends to the left after ``way_m``: lane 0 is straight, lane 1 the bend, lane 2 straight on."""
    x = way_m + LENGTH_M / 2
    arc = _arc(x, 0.0, 0.0, 80.0, radius_m)
    end = arc[-1]
    h = math.radians(80.0)
    on = _line(end, (end[0] + 150.0 * math.cos(h), end[1] + 150.0 * math.sin(h)))
    lanes = (Lane(_line((-150.0, 0.0), (x, 0.0)), on=(1,)), Lane(arc, on=(2,)), Lane(on))
    made = Sketch(lanes, ((0,), (1,), (2,)), Actor(0.0, 0.0, 10.0))
    return made.with_limit(limit_mps)


SOUTH, NORTH, CROSSING = 4, 5, 6


def a_crossroads(way_m: float = 30.0, turn: str = "straight", line: bool = False) -> Sketch:
    """A junction that begins ``way_m`` ahead of the front bumper, 16 m wide.

    Lane 0 leads to it, 1 is the way through (straight, left or right), 2 what follows. Lane 4 comes from the south,
    goes through as 6 and on as 5. Lane 7 comes from ahead, through as 8, on as 9.
    """
    x = way_m + LENGTH_M / 2
    mid, far = x + 8.0, x + 16.0
    own = Lane(_line((-150.0, 0.0), (x, 0.0)), on=(1,), line_m=150.0 + x - 1.0 if line else None)
    if turn == "straight":
        through, after = _line((x, 0.0), (far, 0.0)), _line((far, 0.0), (far + 150.0, 0.0))
    else:
        through = _arc(x, 0.0, 0.0, 90.0 if turn == "left" else -90.0, 9.75 if turn == "left" else 6.25)
        end = through[-1]
        after = _line(end, (end[0], end[1] + (150.0 if turn == "left" else -150.0)))
    lane_x = mid + LANE_M / 2
    return Sketch(
        (
            own, Lane(through, on=(2,), junction=True), Lane(after), Lane(_line((-150.0, 60.0), (-100.0, 60.0))),
            Lane(_line((lane_x, -120.0), (lane_x, -8.0)), on=(6,)), Lane(_line((lane_x, 12.0), (lane_x, 120.0))),
            Lane(_line((lane_x, -8.0), (lane_x, 12.0)), on=(5,), junction=True),
            Lane(_line((far + 120.0, LANE_M), (far, LANE_M)), on=(8,)),
            Lane(_line((far, LANE_M), (x, LANE_M)), on=(9,), junction=True),
            Lane(_line((x, LANE_M), (-150.0, LANE_M))),
        ),
        ((0,), (1,), (2,)), Actor(0.0, 0.0, 10.0),
    )  # fmt: skip


def a_plan(
    speeds: Sequence[float] | float, *, start: float | None = None, offset_m: float = 0.0, from_m: float = 0.0,
    by_s: float = 4.0, back_s: float | None = None, move: tuple[float, float, float] | None = None,
) -> Plan:  # fmt: skip
    """A plan along the x axis: the speed after every half second (or one speed), moving aside to ``offset_m``."""
    v = np.full(16, float(speeds)) if isinstance(speeds, int | float) else np.array([*speeds, *[speeds[-1]] * 16][:16])
    v0 = float(v[0]) if start is None else start
    all_v = np.concatenate([[v0], v])
    x = np.concatenate([[0.0], np.cumsum(0.25 * (all_v[1:] + all_v[:-1]))])
    t = np.arange(17) * 0.5

    def share(s: np.ndarray) -> np.ndarray:
        u = np.clip(s, 0.0, 1.0)
        return u * u * (3.0 - 2.0 * u)

    y = from_m + (offset_m - from_m) * share(t / by_s)
    if back_s is not None:
        y = np.where(t > back_s, offset_m + (from_m - offset_m) * share((t - back_s) / 3.0), y)
    rear = REAR_AXLE_TO_CENTRE * LENGTH_M
    heading = np.arctan2(np.gradient(y, t), np.maximum(all_v, 0.5))
    pose = np.stack([x - rear * np.cos(heading), y - rear * np.sin(heading), heading, all_v], -1)
    if move is not None:
        c, s = math.cos(move[2]), math.sin(move[2])
        px, py = pose[:, 0].copy(), pose[:, 1].copy()
        pose[:, 0], pose[:, 1] = c * px - s * py + move[0], s * px + c * py + move[1]
        pose[:, 2] += move[2]
    return Plan(np.array(0.0), pose[0], np.diff(all_v) / 0.5, np.zeros(16), pose[1:], "test")


def slowing(start: float, rate: float, least: float = 0.0) -> list[float]:
    """Speeds after each half second of a constant deceleration."""
    return [max(start - 0.5 * rate * (k + 1), least) for k in range(16)]


def agent(number: int = 1) -> Reference:
    """The reference to an agent."""
    return Reference.parse(f"agent:{number}")


def ref(text: str) -> Reference:
    """A reference from its text."""
    return Reference.parse(text)


def a_cause(
    of: str, constraint: str, axis: str = "longitudinal", role: str = "proximate"
) -> Cause:  # fmt: skip
    """A cause with nothing said of its weight."""
    return Cause(ref(of), axis, role, constraint, 0, 0)


SUMMARY = SceneSummary("follow_lane", "steady", 6, 8, "road", "none")


def a_trace(
    longitudinal: str = "set_speed", lateral: str = "keep", *causes: Cause, entities: Sequence[Entity] = (),
    changed: str = "no", summary: SceneSummary = SUMMARY, plan: PlanClaim | None = None,
) -> Trace:  # fmt: skip
    """A trace of which only what matters is said."""
    claim = plan or PlanClaim(6, 13, None, (Segment("8", "maintain", "keep_lane"),))
    return Trace(
        summary, tuple(entities), (), Decision(longitudinal, lateral, changed, tuple(causes), (), 3), claim
    )  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """The verdicts of a check, by claim."""

    verdicts: tuple[Verdict, ...]

    @cached_property
    def by_claim(self) -> dict[str, Verdict]:
        """Each claim once."""
        found = {v.claim: v for v in self.verdicts}
        assert len(found) == len(self.verdicts)
        return found

    def __getitem__(self, claim: str) -> str:
        return self.by_claim[claim].value


def checked(sketch: Sketch, trace: Trace, plan: Plan | None = None, previous: Trace | None = None) -> Checked:
    """A trace checked on a scene."""
    return Checked(check(trace, sketch.scene(), plan, previous))
