"""``jaywalker``: people cross between the junctions, in groups, at an angle, hesitating. In split ``test`` only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import boxes_overlap
from waytrace.scenario import Action, Script, Trigger

from ..careful import CAREFUL
from ..cast import EGO, Body, Cast, Composition, NoSceneError
from ..draws import Draw, Range
from ..layouts import Layout, open_road
from ..roads import Road
from ._crossing import CROSSING_M, PICK_UP_MPS2, bystander
from ._open import place_ego, traffic

Array = NDArray[np.float64]

_APART_M = 0.9
"""Between those who walk side by side."""


@dataclass(frozen=True)
class _Walk:
    """One person's way: points in the world, and the group's times."""

    start: tuple[float, float]
    pause: tuple[float, float] | None
    goal: tuple[float, float]

    def points(self) -> Array:
        """[20, 2] along the way."""
        u = np.linspace(0.0, 1.0, 20)[:, None]
        line: Array = np.array(self.start) * (1.0 - u) + np.array(self.goal) * u
        return line


@dataclass(frozen=True)
class Jaywalker:
    """Up to three groups of one to three, from either side, some from between standing vehicles or through a queue."""

    name: str = "jaywalker"
    version: int = 2
    layouts: int = 24
    duration_s: float = 18.0
    limits_kmh: tuple[float, ...] = (30.0, 40.0, 50.0)
    ego_kmh: Range = (12.0, 50.0)
    walk_kmh: Range = (3.5, 8.0)
    angle_deg: Range = (-35.0, 35.0)
    """From square across."""
    where_m: Range = (-6.0, 16.0)
    """Along the road, from where the first could be met."""
    hesitates: float = 0.35
    """Share of the groups that stop on the road and go on."""
    pause_s: Range = (0.8, 3.0)
    late_s: Range = (-0.8, 0.8)
    """How much later than the ego a group would come to the ego's lane, if the ego did not brake."""
    early_s: Range = (0.6, 3.0)
    queues: float = 0.4
    """Share of the scenes with a queue of standing vehicles beside the ego's lane."""

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """A street without a crosswalk, every second one with parked vehicles."""
        limit = self.limits_kmh[index % len(self.limits_kmh)]
        length = CROSSING_M + limit / 3.6 * self.duration_s + 60.0
        lanes = draw.choice("lanes", [(1, 1), (1, 1), (2, 2), (2, 1)])
        return open_road(
            key, draw, limit_kmh=limit, lanes=lanes, length_m=length, cuts=(draw.uniform("cut", (60.0, 110.0)),),
            parking_m=2.4 if index % 2 else 0.0, shoulder_m=draw.uniform("shoulder", (0.5, 1.2)),
        )  # fmt: skip

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """Groups that not even the careful driver could stop for are left out; without any there is no scene."""
        road = layout.roads[0]
        lane = draw.integer("lane", len(road.forward[0]))
        speed = draw.uniform("ego", (self.ego_kmh[0], min(self.ego_kmh[1], 3.6 * layout.limit_mps))) / 3.6
        beside = draw.choice("queue beside", self._beside(road, lane)) if draw.chance("queue", self.queues) else None
        path = layout.path(road.forward_sequence(lane))
        scale = path.length_m / road.line.length_m
        groups: list[tuple[float, float, float, list[_Walk]]] = []
        for k in range(1 + draw.integer("groups", 3)):
            group = self._group(draw.sub("group", k), layout, lane, speed, beside)
            if group is not None and all(_clear(walk, other) for walk in group[3] for g in groups for other in g[3]):
                groups.append(group)
        if not groups:
            raise NoSceneError("nobody whom a careful driver could stop for")
        first_s = min((CROSSING_M + g[0]) * scale - speed * g[1] for g in groups)
        cast = Cast()
        ego_s = first_s - 0.5 * EGO.length_m - speed * draw.uniform("early", self.early_s)
        place_ego(cast, path, ego_s, speed)
        walks = []
        for k, (at, ahead_s, walk_mps, group_walks) in enumerate(groups):
            at_xy = path.point((CROSSING_M + at) * scale - 0.5 * EGO.length_m)
            for n, walk in enumerate(group_walks):
                each = draw.sub("group", k, "person", n)
                _person(cast, each, f"pedestrian-{k}-{n}", walk, at_xy, ahead_s, walk_mps, self.pause_s)
                walks.append(walk)
        _standing(cast, draw.sub("standing"), layout, walks, beside)
        bystander(cast, draw, layout)
        beyond = CROSSING_M + 40.0 + speed
        clear = {lane: (ego_s - 5.0, beyond)}
        if beside is not None and beside < 0:
            clear[int(-beside) - 1] = (0.0, 1e6)
        traffic(
            cast, draw, layout, ego_lane=lane, ego_s=ego_s, speed_mps=speed, count=(3, 8), clear=clear,
            ahead_of=beyond, reach_m=300.0, oncoming=beside is None or beside < 0,
        )  # fmt: skip
        params: dict[str, Any] = {
            "ego_mps": speed, "groups": len(groups), "people": len(walks), "queue": beside is not None,
            "hesitating": sum(w.pause is not None for w in walks),
        }  # fmt: skip
        return Composition(cast, road.forward, self.duration_s, params)

    @staticmethod
    def _beside(road: Road, lane: int) -> list[int]:
        """Lanes in which a queue can stand: -1 - i is forward lane i, i the opposite lane i."""
        forward = [-1 - i for i in (lane - 1, lane + 1) if 0 <= i < len(road.forward[0])]
        return forward + [0] * (lane == 0)

    def _group(
        self, draw: Draw, layout: Layout, lane: int, speed: float, beside: int | None
    ) -> tuple[float, float, float, list[_Walk]] | None:
        """Where along the road, how long before the ego's arrival they set off, how fast, and their ways."""
        road = layout.roads[0]
        walk = draw.uniform("walk", self.walk_kmh) / 3.6
        angle = math.radians(draw.uniform("angle", self.angle_deg))
        from_right = draw.chance("from right", 0.5)
        out = draw.uniform("kerb", (0.4, 1.2))
        ends = (road.right_edge_m - out, road.left_edge_m + out)
        start, goal = ends if from_right else ends[::-1]
        middle, half = road.forward_offset(lane), 0.5 * road.width_m
        hidden = start
        if from_right and beside == -2 - lane:
            hidden = middle - half
        elif from_right and layout.figures["parking_m"] > 0:
            hidden = -len(road.forward[0]) * road.width_m
        elif not from_right and (beside == -lane or (beside == 0 and lane == 0)):
            hidden = middle + half
        if (abs(middle - hidden) + 0.5) / math.cos(angle) / walk < CAREFUL.stopping_s(speed):
            return None
        at = draw.uniform("at", self.where_m)
        way_s = abs(middle - start) / math.cos(angle) / walk + 0.5 * walk / PICK_UP_MPS2
        rest = None
        if draw.chance("hesitates", self.hesitates):
            edge = middle - math.copysign(half + draw.uniform("before", (0.6, 1.4)), goal - start)
            rest = edge if abs(edge - start) > 1.5 else None
        walks = []
        for n in range(1 + draw.choice("more", (0, 0, 1, 1, 2))):
            along = at + _APART_M * n
            back = draw.uniform(f"back {n}", (0.0, 0.5)) * math.copysign(1.0, start - goal)
            points = [
                road.line.offset(np.array([CROSSING_M + along + (d - middle) * math.tan(angle)]), d + back)[0]
                for d in (start, rest if rest is not None else start, goal)
            ]
            xy = [(round(float(p[0]), 4), round(float(p[1]), 4)) for p in points]
            walks.append(_Walk(xy[0], xy[1] if rest is not None else None, xy[2]))
        return at, max(0.5, way_s - draw.uniform("late", self.late_s)), walk, walks


def _person(
    cast: Cast, draw: Draw, name: str, walk: _Walk, at_xy: tuple[float, float], ahead_s: float, walk_mps: float,
    pause_s: Range,
) -> None:  # fmt: skip
    """Somebody at the kerb who sets off as the ego arrives, perhaps stops on the road, and goes on."""
    start = np.array(walk.start)
    to = np.array(walk.goal) - start
    number = cast.must(cast.stand(name, Body.draw(draw, "pedestrian"), start, float(np.arctan2(to[1], to[0]))))
    first = walk.goal if walk.pause is None else walk.pause
    cast.scripts.append(Script(number, Trigger.EGO_TIME, ahead_s, Action.WALK, walk_mps, at_xy=at_xy, to_xy=first))
    if walk.pause is not None:
        until = float(np.hypot(*(np.array(walk.pause) - start))) / walk_mps + draw.uniform("pause", pause_s)
        cast.scripts.append(Script(number, Trigger.AFTER, until, Action.WALK, walk_mps, to_xy=walk.goal))


def _clear(one: _Walk, other: _Walk) -> bool:
    """Whether two ways keep apart, so that nobody walks into somebody."""
    return float(np.hypot(*(one.points()[:, None] - other.points()[None]).transpose(2, 0, 1)).min()) > 1.3


def _standing(cast: Cast, draw: Draw, layout: Layout, walks: list[_Walk], beside: int | None) -> None:
    """Parked vehicles on the strip and a queue beside the ego's lane, with gaps where people come through."""
    road = layout.roads[0]
    rows: list[tuple[str, float, Range]] = []
    if layout.figures["parking_m"] > 0:
        rows.append(("parked", -len(road.forward[0]) * road.width_m - 1.3, (0.8, 7.0)))
    if beside is not None:
        offset = (beside + 0.5) * road.width_m if beside >= 0 else road.forward_offset(-1 - beside)
        rows.append(("queue", offset, (1.2, 2.5)))
    points = np.concatenate([w.points() for w in walks])
    for name, d, gaps in rows:
        at, end = CROSSING_M - draw.uniform(f"{name} from", (15.0, 35.0)), CROSSING_M + draw.uniform(name, (18.0, 35.0))
        for k in range(40):
            each = draw.sub(name, k)
            body = Body.draw(each, each.choice("sort", ("car", "van"), (0.85, 0.15)))
            if at + body.length_m > end:
                break
            x, y, heading = road.line.pose(at + 0.5 * body.length_m, d)
            in_way = any(
                boxes_overlap(px, py, 0.0, 1.0, 1.0, x, y, heading, body.length_m, body.width_m) for px, py in points
            )
            if in_way:
                at += 0.7
                continue
            turned = heading + math.pi * (d > 0.0)
            cast.stand(f"{name}-{k}", body, np.array([x, y]), turned)
            at += body.length_m + each.uniform("gap", gaps)
