"""``dense-lane-change``: the route leads on from another lane, and that lane is full of slow traffic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from waytrace.scenario import Action, LaneControl, Script, Trigger

from ..cast import EGO, Body, Cast, Composition
from ..draws import Draw, Range
from ..exits import off_ramp
from ..junctions import junction
from ..layouts import Layout, Path, on_ramp
from ._crossroads import leaving, route_groups, stop_m, ways
from ._open import place_ego

_BEFORE_M = 230.0
_RAMP_M = 160.0
_EXITS = {"left": 3, "right": 1}
_SORTS = ("car", "van", "truck", "bus", "motorcycle")
_SORT_WEIGHTS = (0.72, 0.14, 0.06, 0.03, 0.05)


@dataclass(frozen=True)
class DenseLaneChange:
    """Three places in turn: a lane to turn from, an exit lane, a lane that ends. Slow vehicles lead every lane."""

    name: str = "dense-lane-change"
    version: int = 2
    layouts: int = 24
    duration_s: float = 20.0
    street_kmh: tuple[float, ...] = (40.0, 50.0, 60.0)
    road_kmh: tuple[float, ...] = (60.0, 80.0, 100.0)
    pace_mps: Range = (5.0, 13.0)
    """What the traffic drives, never more than 0.7 of the limit."""
    headway_s: Range = (0.9, 1.5)
    wide_s: Range = (2.4, 3.6)
    """Headways that leave a gap to move into."""
    wide_share: float = 0.4
    left_s: Range = (11.0, 17.0)
    """Time to the end of the lane, at the traffic's pace."""
    around_m: Range = (70.0, 110.0)
    """How far the columns reach before and behind the ego."""

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """The places in turn, then their limits."""
        place, k = index % 3, index // 3
        if place == 0:
            limit = self.street_kmh[k % len(self.street_kmh)]
            main = draw.choice("lanes", (2, 2, 3))
            lanes = [main, 1, main, 1]
            if draw.chance("T", 0.3):
                lanes[draw.choice("missing", (1, 3))] = 0
            reach = limit / 3.6 * self.duration_s
            return junction(
                key, draw, limit_kmh=limit, lanes=lanes, arm_m=[270.0, reach, reach, reach],
                control=[LaneControl.PRIORITY, LaneControl.YIELD] * 2, crosswalks=False,
            )  # fmt: skip
        limit = self.road_kmh[k % len(self.road_kmh)]
        beside = draw.uniform("beside", (160.0, 240.0))
        far = limit / 3.6 * self.duration_s
        if place == 1:
            return off_ramp(
                key, draw, limit_kmh=limit, main_lanes=draw.choice("lanes", (2, 2, 3)), before_m=_BEFORE_M,
                beside_m=beside, after_m=far, ramp_m=far,
            )  # fmt: skip
        return on_ramp(
            key, draw, limit_kmh=limit, main_lanes=draw.choice("lanes", (1, 2, 2)), before_m=_BEFORE_M,
            beside_m=beside, taper_m=draw.uniform("taper", (50.0, 80.0)), after_m=far, ramp_m=_RAMP_M,
        )  # fmt: skip

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """The ego in the wrong lane, columns in its own and in those it must join."""
        pace = draw.uniform("pace", (self.pace_mps[0], min(self.pace_mps[1], 0.7 * layout.limit_mps)))
        cast = Cast()
        if layout.connectors.get((1, 0)) and len(layout.roads) == 2:
            variant, left, groups = self._lane_ends(cast, draw, layout, pace)
        elif len(layout.roads) == 2:
            variant, left, groups = self._exit(cast, draw, layout, pace)
        else:
            variant, left, groups = self._turn_lane(cast, draw, layout, pace)
        params: dict[str, Any] = {
            "variant": variant, "ego_mps": pace, "left_m": left, "others": len(cast) - 1,
        }  # fmt: skip
        return Composition(cast, groups, self.duration_s, params)

    def _turn_lane(
        self, cast: Cast, draw: Draw, layout: Layout, pace: float
    ) -> tuple[str, float, tuple[tuple[int, ...], ...]]:
        """The route turns at the next junction, which its lane does not."""
        road = layout.roads[0]
        lanes = len(road.backward[0])
        turns = [way for way in ("left", "right") if (0, _EXITS[way]) in layout.connectors]
        turn = draw.choice("turn", turns, [1.0 if way == "left" else 1.5 for way in turns])
        lane = 1 if turn == "left" else lanes - 2
        left = pace * draw.uniform("left", self.left_s)
        paths = [ways(layout, 0, k)["straight"] for k in range(lanes)]
        ego_path = layout.path(road.backward_sequence(lane))
        ego_s = stop_m(layout, paths[lane], 0) - left
        place_ego(cast, ego_path, ego_s, pace)
        for k, path in enumerate(paths):
            self._column(cast, draw.sub("lane", k), path, ego_s, pace, own=k == lane, to=ego_s + left - 3.0)
        leaving(cast, draw.sub("leaving"), layout, draw.integer("leaving", 4), 0.8 * layout.limit_mps, skip=(0, 2))
        groups = list(route_groups(layout, 0, _EXITS[turn]))
        groups[len(road.backward) - 1] = road.backward[0]
        return f"turn lane, {turn}", left, tuple(groups)

    def _exit(
        self, cast: Cast, draw: Draw, layout: Layout, pace: float
    ) -> tuple[str, float, tuple[tuple[int, ...], ...]]:
        """The route leaves the main road, by a lane that begins beside it and is as full."""
        main, out = layout.roads
        outer = len(main.forward[0]) - 1
        left = pace * draw.uniform("left", self.left_s)
        end = _BEFORE_M + layout.figures["beside_m"]
        at = max(_BEFORE_M - 20.0, end - left)
        paths = [layout.path(main.forward_sequence(k)) for k in range(outer + 1)]
        scales = [path.length_m / main.line.length_m for path in paths]
        place_ego(cast, layout.path(main.forward_sequence(outer)[:2]), at * scales[outer], pace)
        for k, path in enumerate(paths):
            self._column(cast, draw.sub("lane", k), path, at * scales[k], pace, own=k == outer)
        self._column(cast, draw.sub("out"), layout.path(out.forward_sequence(0)), at - _BEFORE_M, pace)
        groups = (main.forward[0], (*main.forward[1], out.forward[0][0]), out.forward[1])
        return "exit", end - at, groups

    def _lane_ends(
        self, cast: Cast, draw: Draw, layout: Layout, pace: float
    ) -> tuple[str, float, tuple[tuple[int, ...], ...]]:
        """The lane beside the main road ends in a taper."""
        main, ramp = layout.roads
        (taper,) = layout.connectors[(1, 0)]
        outer = len(main.forward[0]) - 1
        last = main.forward[3]
        path = layout.path((ramp.forward[0][0], ramp.forward[1][0], taper, last[outer]))
        end = float(path.lane_end[1])
        ego_s = max(40.0, end - pace * draw.uniform("left", self.left_s))
        place_ego(cast, path, ego_s, pace)
        self._column(cast, draw.sub("own"), path, ego_s, pace, ahead=False, own=True)
        for k in range(outer + 1):
            beside = layout.path(main.forward_sequence(k))
            at = _BEFORE_M + (ego_s - float(path.lane_end[0])) * beside.length_m / main.line.length_m
            self._column(cast, draw.sub("lane", k), beside, at, pace)
        groups = ((ramp.forward[0][0],), (*main.forward[1], ramp.forward[1][0]), (*main.forward[2], taper), last)
        return "lane ends", end - ego_s, groups

    def _column(
        self,
        cast: Cast,
        draw: Draw,
        path: Path,
        at: float,
        pace: float,
        *,
        ahead: bool = True,
        own: bool = False,
        to: float = math.inf,
    ) -> None:
        """Vehicles one behind the other around ``at`` metres of a path; the first keeps to the pace.

        In the ego's ``own`` lane nobody is nearer to it than 0.8 s.
        """
        speed = pace * draw.uniform("speed", (0.93, 1.07))
        s = min(to, at + (draw.uniform("ahead", self.around_m) if ahead else 0.0))
        last = at - draw.uniform("behind", self.around_m)
        first, k = True, 0
        while s > max(last, 15.0 + 1.1 * speed):
            each = draw.sub(k)
            body = Body.draw(each, each.choice("sort", _SORTS, _SORT_WEIGHTS))
            s -= 0.5 * body.length_m
            near = own and abs(s - at) < 0.5 * (EGO.length_m + body.length_m) + 2.0 + 0.8 * speed
            number = None if near else cast.drive(f"other-{len(cast)}", body, path, s, speed, roomy=False)
            if number is not None and first:
                first = False
                cast.scripts.append(
                    Script(number, Trigger.TIME, 0.0, Action.SET_SPEED, 2.0, target_speed_mps=round(speed, 3))
                )
            headway = self.wide_s if each.chance("wide", self.wide_share) else self.headway_s
            s -= 0.5 * body.length_m + 2.0 + speed * each.uniform("headway", headway)
            k += 1
