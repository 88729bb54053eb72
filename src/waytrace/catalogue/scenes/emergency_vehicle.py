"""``emergency-vehicle``: one crosses against its red light, comes from behind, or round a queue on the ego's side.

Its id begins with ``emergency-``; there is no kind for it. It presses on (``Action.PRESS_ON``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from waytrace.scenario import Action, AgentKind, LaneControl, Script, Trigger

from ..cast import EGO, Body, Cast, Composition, NoSceneError, Stretch
from ..draws import Draw, Range
from ..junctions import junction
from ..layouts import Layout, open_road
from ..programmes import two_streets
from ._crossroads import arms, flow, leaving, queue, route_groups, stop_m, ways
from ._open import place_ego, traffic

BRAKE_MPS2 = 8.0
"""How hard it brakes for those in its way."""

_BEHIND_M = 330.0
_QUEUE_M = 230.0
_SIGHT_M = 60.0


@dataclass(frozen=True)
class EmergencyVehicle:
    """Three kinds of places in turn: a junction with lights, a road of several lanes, a street with one each way."""

    name: str = "emergency-vehicle"
    version: int = 1
    layouts: int = 24
    duration_s: float = 16.0
    street_kmh: tuple[float, ...] = (30.0, 40.0, 50.0, 60.0)
    road_kmh: tuple[float, ...] = (60.0, 80.0, 100.0)
    ego_share: Range = (0.55, 1.0)
    away_s: Range = (3.5, 6.5)
    """Ego's time to where the ways meet, at constant speed."""
    late_s: Range = (-1.0, 0.8)
    """When the emergency vehicle comes there, against the ego."""
    cross_mps: Range = (8.0, 15.0)
    faster: Range = (1.25, 1.5)
    """Speed from behind, against the limit."""
    past_queue_mps: Range = (4.0, 8.0)
    intrudes_m: Range = (0.7, 1.2)
    """How far it reaches over the middle of the street as it passes the queue."""

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """The places in turn, then their limits."""
        place, k = index % 3, index // 3
        if place == 1:
            limit = self.road_kmh[k % len(self.road_kmh)]
            lanes = draw.choice("lanes", [(2, 0), (3, 0), (2, 2)])
            length = _BEHIND_M + limit / 3.6 * self.duration_s + 150.0
            cuts = (draw.uniform("cut", (60.0, 110.0)),)
            return open_road(key, draw, limit_kmh=limit, lanes=lanes, length_m=length, cuts=cuts)
        limit = self.street_kmh[k % len(self.street_kmh)]
        reach = limit / 3.6 * self.duration_s
        if place == 2:
            return open_road(
                key, draw, limit_kmh=limit, lanes=(1, 1), length_m=_QUEUE_M + reach + 100.0, width_m=(3.5, 3.75),
                cuts=(draw.uniform("cut", (60.0, 90.0)),), shoulder_m=draw.uniform("shoulder", (1.0, 1.8)),
            )  # fmt: skip
        main, cross = draw.choice("lanes", [(1, 1), (2, 1), (2, 2), (1, 2)])
        lanes_of = [main, cross, main, cross]
        if k % 3 == 2:
            lanes_of[draw.choice("missing", (1, 3))] = 0
        arm_m = [190.0, max(reach, 190.0), reach, max(reach, 190.0)]
        return junction(
            key, draw, limit_kmh=limit, lanes=lanes_of, arm_m=arm_m, control=[LaneControl.SIGNAL] * 4,
            crosswalks=draw.chance("crosswalks", 0.6),
        )  # fmt: skip

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """By the kind of place."""
        if len(layout.roads) > 1:
            return self._crosses(draw, layout)
        return (
            self._from_behind(draw, layout) if len(layout.roads[0].forward[0]) > 1 else self._past_queue(draw, layout)
        )

    def _crosses(self, draw: Draw, layout: Layout) -> Composition:
        """The ego has green and goes straight on; the other comes from the side as the ego arrives."""
        lane = draw.integer("lane", len(layout.roads[0].backward[0]))
        path = ways(layout, 0, lane)["straight"]
        side = draw.choice("from", [arm for arm in arms(layout) if arm % 2])
        inner = draw.integer("its lane", len(layout.roads[side].backward[0]))
        options = ways(layout, side, inner)
        way = "straight" if "straight" in options else draw.choice("way", sorted(options))
        its = options[way]
        meets, its_meets = _meeting(path.xy, its.xy)
        speed = layout.limit_mps * draw.uniform("ego", self.ego_share)
        ego_s = float(path.s[meets]) - speed * draw.uniform("away", self.away_s)
        line = stop_m(layout, path, 0)
        if line - ego_s < 8.0 + speed or ego_s < 3.0 + 1.1 * speed:
            raise NoSceneError("too near the junction, or beyond the end of the road")
        arrives = (float(path.s[meets]) - ego_s) / speed
        fast = draw.uniform("cross", self.cross_mps)
        s = float(its.s[its_meets]) - fast * max(1.5, arrives + draw.uniform("late", self.late_s))
        cast = Cast()
        place_ego(cast, path, ego_s, speed)
        number = cast.must(cast.drive("emergency-0", _body(draw), its, s, fast, roomy=False))
        # as long as the ego keeps its speed it presses on at once; for a slower ego it waits at the line
        cast.scripts.append(
            Script(
                number, Trigger.EGO_TIME, round(arrives - 0.4, 3), Action.PRESS_ON, BRAKE_MPS2,
                at_xy=path.point(float(path.s[meets])), target_speed_mps=round(fast, 3),
            )
        )  # fmt: skip
        green = draw.uniform("green", (24.0, 30.0))
        streets = [
            [c for (a, _), lanes in sorted(layout.connectors.items()) if a % 2 == street for c in lanes]
            for street in (0, 1)
        ]  # fmt: skip
        programme = two_streets(
            -draw.uniform("since", (2.0, 5.0)), green, 14.0, max(3.0, round(1.0 + layout.limit_mps / 6.0, 1)), 1.5,
            streets, self.duration_s,
        )  # fmt: skip
        for arm in (a for a in arms(layout) if a % 2):
            for k in range(len(layout.roads[arm].backward[0])):
                if (arm, k) != (side, inner):
                    queue(cast, draw.sub("queue", arm, k), layout, arm, k, draw.integer(f"queue {arm} {k}", 4))
        clear = line - ego_s + 12.0
        flow(cast, draw.sub("behind"), layout, [0], draw.integer("behind", 4), speed, held=False, clear_of=clear)
        flow(cast, draw.sub("oncoming"), layout, [2], draw.integer("oncoming", 5), speed, held=False, clear_of=5.0)
        leaving(cast, draw.sub("leaving"), layout, draw.integer("leaving", 4), 0.9 * layout.limit_mps)
        params: dict[str, Any] = {
            "variant": "crosses", "way": way, "ego_mps": speed, "emergency_mps": fast, "arrives_s": arrives,
        }  # fmt: skip
        return Composition(cast, route_groups(layout, 0, 2), self.duration_s, params, programme=programme)

    def _from_behind(self, draw: Draw, layout: Layout) -> Composition:
        """The ego comes up to a slow vehicle; the lane to pass it in is the one the other comes in."""
        road = layout.roads[0]
        lanes = len(road.forward[0])
        lane = lanes - 1 if draw.chance("outer", 0.75) or lanes == 2 else 1
        speed = layout.limit_mps * draw.uniform("ego", (0.75, 1.0))
        path, beside = (layout.path(road.forward_sequence(k)) for k in (lane, lane - 1))
        ego_s = _BEHIND_M * path.length_m / road.line.length_m
        fast = layout.limit_mps * draw.uniform("faster", self.faster)
        slow = speed * draw.uniform("slow", (0.45, 0.7))
        meets = draw.uniform("meets", (2.5, 5.0))
        body = Body.draw(draw.sub("slow"), draw.choice("sort", ("truck", "van", "bus", "car"), (0.4, 0.25, 0.15, 0.2)))
        slow_s = ego_s + 0.5 * (EGO.length_m + body.length_m) + 8.0 + (speed - slow) * meets
        cast = Cast()
        place_ego(cast, path, ego_s, speed)
        number = cast.must(cast.drive("slow", body, path, slow_s, slow, roomy=False))
        cast.scripts.append(_holds(number, slow))
        scale = beside.length_m / road.line.length_m
        s = _BEHIND_M * scale - (fast - speed) * (meets + draw.uniform("late", (-1.0, 1.5))) - 6.0
        coming = cast.must(cast.drive("emergency-0", _body(draw), beside, s, fast, roomy=False))
        cast.scripts.append(
            Script(coming, Trigger.TIME, 0.0, Action.PRESS_ON, BRAKE_MPS2, target_speed_mps=round(fast, 3))
        )
        # nobody ahead of it whom it would catch up with in the episode
        free = s + fast * self.duration_s
        traffic(
            cast, draw, layout, ego_lane=lane, ego_s=ego_s, speed_mps=speed, count=(3, 10), pace=0.9,
            clear={lane: (ego_s - 5.0, slow_s + 30.0 + 2.0 * speed), lane - 1: (s - 12.0 - 2.0 * fast, free)},
        )  # fmt: skip
        params: dict[str, Any] = {
            "variant": "from behind", "ego_mps": speed, "emergency_mps": fast, "slow_mps": slow, "behind_m": ego_s - s,
        }  # fmt: skip
        return Composition(cast, road.forward, self.duration_s, params)

    def _past_queue(self, draw: Draw, layout: Layout) -> Composition:
        """Oncoming vehicles stand at the edge of their lane; the other passes them over the middle of the street."""
        road = layout.roads[0]
        total = road.line.length_m
        path, against = layout.path(road.forward_sequence(0)), layout.path(road.backward_sequence(0))
        scale = against.length_m / total
        speed = layout.limit_mps * draw.uniform("ego", self.ego_share)
        fast = draw.uniform("past", self.past_queue_mps)
        intrudes = draw.uniform("intrudes", self.intrudes_m)
        body = _body(draw)
        cast = Cast()
        meet = _QUEUE_M
        meets = draw.uniform("away", (4.0, 7.0))
        ego_s = (meet - speed * meets) * path.length_m / total
        place_ego(cast, path, ego_s, speed)
        # measured along the oncoming lane: the queue lies around the meeting point
        at = (total - meet) * scale
        s, aside = at - fast * meets, 0.5 * road.width_m + intrudes - 0.5 * body.width_m
        front, rear = at + draw.uniform("front", (8.0, 30.0)), max(at - 45.0, s + 12.0)
        while front > rear:
            each = draw.sub("queue", len(cast))
            waiting = Body.draw(each, each.choice("sort", ("car", "van"), (0.85, 0.15)))
            d = -0.5 * road.width_m + 0.5 * waiting.width_m + each.uniform("edge", (0.0, 0.12))
            front -= 0.5 * waiting.length_m
            place = np.array(against.point(front, d))
            cast.must(cast.stand(f"queue-{len(cast)}", waiting, place, against.heading_at(front)))
            front -= 0.5 * waiting.length_m + each.uniform("gap", (1.0, 3.5))
        number = cast.must(cast.drive("emergency-0", body, against, s, fast, d=aside, roomy=False))
        cast.scripts.append(
            Script(number, Trigger.TIME, 0.0, Action.PRESS_ON, BRAKE_MPS2, target_speed_mps=round(fast, 3))
        )
        behind = Stretch(path, 12.0, ego_s - 5.0)
        ahead = Stretch(path, (meet + _SIGHT_M) * path.length_m / total, 0.8 * path.length_m)
        cast.fill(
            draw.sub("traffic"), [behind, ahead], 1 + draw.integer("count", 5), speed, headway_s=(1.2, 4.0),
            sorts=("car", "van", "motorcycle"),
        )  # fmt: skip
        params: dict[str, Any] = {
            "variant": "past queue", "ego_mps": speed, "emergency_mps": fast, "intrudes_m": intrudes, "meets_s": meets,
        }  # fmt: skip
        return Composition(cast, road.forward, self.duration_s, params)


def _body(draw: Draw) -> Body:
    """A police car, an ambulance, or a fire engine short enough for a street."""
    each = draw.sub("emergency")
    sort = each.choice("sort", ("car", "van", "engine"), (0.35, 0.45, 0.2))
    return Body(AgentKind.LARGE_VEHICLE, 7.6, 2.4) if sort == "engine" else Body.draw(each, sort)


def _holds(number: int, speed_mps: float) -> Script:
    return Script(number, Trigger.TIME, 0.0, Action.SET_SPEED, 2.0, target_speed_mps=round(speed_mps, 3))


def _meeting(one: np.ndarray, other: np.ndarray) -> tuple[int, int]:
    """Points of two paths [P, 2] that lie nearest to each other."""
    apart = np.hypot(*(one[:, None] - other[None]).transpose(2, 0, 1))
    i, j = np.unravel_index(int(np.argmin(apart)), apart.shape)
    return int(i), int(j)
