"""``pedestrian-along``: someone walks or cycles along the road ahead of the ego (Euro NCAP's CPLA and CBLA)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from waytrace.scenario import Action, Script, Trigger

from ..careful import CAREFUL
from ..cast import EGO, Body, Cast, Composition, NoSceneError
from ..draws import Draw, Range
from ..layouts import Layout, open_road
from ..roads import Road
from ._open import place_ego, traffic

MEET_M = 170.0
"""Where on the road the walker is at the start."""

_LEG_M = 6.0
_EARLY_S = 0.2
"""The next leg of a walk begins this long before the last one is walked, so that nobody halts between."""


@dataclass(frozen=True)
class PedestrianAlong:
    """Ego 10 to 60 km/h, pedestrian 5 km/h in the same direction, cyclists 15 to 20 km/h."""

    name: str = "pedestrian-along"
    version: int = 1
    layouts: int = 24
    duration_s: float = 15.0
    limits_kmh: tuple[float, ...] = (30.0, 40.0, 50.0, 60.0)
    ego_kmh: Range = (10.0, 60.0)
    walk_kmh: float = 5.0
    cycle_kmh: Range = (15.0, 20.0)
    variants: tuple[tuple[str, float], ...] = (("edge", 0.35), ("lane", 0.15), ("steps in", 0.25), ("cyclist", 0.25))
    away_s: Range = (3.5, 7.0)
    """Time to the walker at constant speeds."""
    intrudes_m: Range = (-0.2, 1.1)
    """How far the walker reaches into the lane."""

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """A street or a country road."""
        limit = self.limits_kmh[index % len(self.limits_kmh)]
        length = MEET_M + limit / 3.6 * self.duration_s + 60.0
        lanes = draw.choice("lanes", [(1, 1), (1, 1), (2, 2), (2, 0), (2, 1)])
        return open_road(
            key, draw, limit_kmh=limit, lanes=lanes, length_m=length, cuts=(draw.uniform("cut", (60.0, 110.0)),),
            width_m=(3.3, 3.75), shoulder_m=draw.uniform("shoulder", (0.8, 1.6)),
        )  # fmt: skip

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """The ego in the outermost lane, the walker ahead of it at its edge, in it, or about to step into it."""
        road = layout.roads[0]
        lanes = len(road.forward[0])
        lane = lanes - 1
        variant = draw.choice("variant", [n for n, _ in self.variants], [w for _, w in self.variants])
        slowest = self.cycle_kmh[1] + 5.0 if variant == "cyclist" else self.ego_kmh[0]
        speed = draw.uniform("ego", (slowest, min(self.ego_kmh[1], 3.6 * layout.limit_mps))) / 3.6
        pace = draw.uniform("cycling", self.cycle_kmh) / 3.6 if variant == "cyclist" else self.walk_kmh / 3.6
        away = draw.uniform("away", self.away_s)
        if away < 0.5 + CAREFUL.stopping_s(speed - pace):
            raise NoSceneError("too near for a careful driver")
        path = layout.path(road.forward_sequence(lane))
        meet_s = MEET_M * path.length_m / road.line.length_m
        cast = Cast()
        ego_s = meet_s - away * (speed - pace) - 0.5 * EGO.length_m - 1.0
        place_ego(cast, path, ego_s, speed)
        intrudes = draw.uniform("intrudes", self.intrudes_m)
        if variant == "cyclist":
            body = Body.draw(draw.sub("cyclist"), "cyclist")
            beside = draw.uniform("beside", (-0.8, -0.6))
            cast.must(cast.drive("cyclist", body, path, meet_s, pace, d=beside, roomy=False))
        else:
            body = Body.draw(draw.sub("walker"), "pedestrian")
            edge = -lanes * road.width_m - 0.5 * body.width_m
            across = road.forward_offset(lane) + draw.uniform("middle", (-0.6, 0.6))
            goal = across if variant == "lane" else edge + max(intrudes, 0.4 * (variant == "steps in"))
            start = road.right_edge_m - 0.3 if variant == "steps in" else goal
            notice = CAREFUL.stopping_s(speed) + draw.uniform("notice", (0.4, 1.6))
            if variant == "steps in" and meet_s - ego_s < notice * speed + 3.0:
                raise NoSceneError("it would step in at once")
            self._walk(cast, road, path.point(meet_s), body, start, goal, pace, notice)
        traffic(
            cast, draw, layout, ego_lane=lane, ego_s=ego_s, speed_mps=speed, count=(3, 9), reach_m=260.0,
            clear={lane: (ego_s - 5.0, MEET_M + 40.0 + 4.0 * speed)},
        )  # fmt: skip
        params: dict[str, Any] = {
            "variant": variant, "ego_mps": speed, "pace_mps": pace, "away_s": away,
            "intrudes_m": intrudes if variant in ("edge", "steps in") else None,
        }  # fmt: skip
        return Composition(cast, road.forward, self.duration_s, params)

    def _walk(
        self, cast: Cast, road: Road, at_xy: tuple[float, float], body: Body, start: float, goal: float, pace: float,
        notice_s: float,
    ) -> None:  # fmt: skip
        """Along the road at offset ``start``, in short legs; at ``goal`` once the ego is ``notice_s`` away."""
        number = cast.must(cast.walk("pedestrian", body, road.line, MEET_M, start, pace))
        steps_in = start != goal
        s, d, wait = MEET_M, start, 0.0
        legs = int(np.ceil(self.duration_s * pace / _LEG_M)) + 1
        for k in range(legs):
            before = road.line.offset(np.array([s]), d)[0]
            s += _LEG_M
            d = goal if k > 0 or not steps_in else start
            to = road.line.offset(np.array([s]), d)[0]
            trigger, value = (Trigger.AFTER, wait) if k else (Trigger.TIME, 0.0)
            if steps_in and k == 1:
                trigger, value = Trigger.EGO_TIME, notice_s
            xy = (round(float(to[0]), 4), round(float(to[1]), 4))
            cast.scripts.append(Script(number, trigger, value, Action.WALK, pace, at_xy=at_xy, to_xy=xy))
            wait = max(0.1, float(np.hypot(*(to - before))) / pace - _EARLY_S)
