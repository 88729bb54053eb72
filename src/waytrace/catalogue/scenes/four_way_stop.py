"""``four-way-stop``: every arm has a stop sign; several come to their lines at about the same time and go in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from waytrace.scenario import LaneControl

from ..cast import Body, Cast, Composition, NoSceneError
from ..draws import Draw, Range
from ..junctions import junction
from ..layouts import Layout, Path
from ._crossroads import arms, flow, leaving, route_groups, some_way, stop_m, ways
from ._open import place_ego

_EXIT = {"straight": 2, "left": 3, "right": 1}
_SORTS = {"car": 0.64, "van": 0.15, "truck": 0.07, "bus": 0.04, "motorcycle": 0.06, "cyclist": 0.04}
_SHORT = ("car", "van", "motorcycle", "cyclist")
"""Lorries and buses go straight on: two that turn beside each other would touch."""


@dataclass(frozen=True)
class FourWayStop:
    """Four arms, or three; whoever halts first goes first."""

    name: str = "four-way-stop"
    version: int = 1
    layouts: int = 24
    duration_s: float = 20.0
    limits_kmh: tuple[float, ...] = (30.0, 40.0, 50.0)
    ego_share: Range = (0.5, 1.0)
    away_s: Range = (2.5, 6.0)
    """Time to the stop line at constant speed."""
    brake_mps2: float = 2.0
    """Deceleration with which everyone is taken to come to the line."""
    rival_s: Range = (-6.5, -3.0)
    """When somebody halts whose way crosses the ego's, against the ego: it is in the junction when the ego comes."""
    against_ego_s: Range = (-4.0, 2.5)
    """When the first vehicle of another lane halts, against the ego."""
    there: float = 0.75
    """Share of the other lanes with a first vehicle."""

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """Every third a T-junction; one or two lanes on either street."""
        limit = self.limits_kmh[index % len(self.limits_kmh)]
        main, cross = draw.choice("lanes", [(1, 1), (1, 1), (2, 1), (2, 2), (1, 2)])
        lanes = [main, cross, main, cross]
        if index % 3 == 2:
            lanes[draw.choice("missing", (1, 2, 3))] = 0
        reach = limit / 3.6 * self.duration_s
        return junction(
            key, draw, limit_kmh=limit, lanes=lanes, arm_m=[max(190.0, reach), reach, reach, reach],
            control=[LaneControl.STOP] * 4, crosswalks=draw.chance("crosswalks", 0.6),
        )  # fmt: skip

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """The ego on its way to the line; on the other arms somebody who halts a little before or after it."""
        lane = draw.integer("lane", len(layout.roads[0].backward[0]))
        options = ways(layout, 0, lane)
        if not options:
            raise NoSceneError("this lane leads nowhere")
        way = draw.choice("way", sorted(options), [2.0 if n == "straight" else 1.0 for n in sorted(options)])
        path = options[way]
        speed = layout.limit_mps * draw.uniform("ego", self.ego_share)
        away = max(speed * draw.uniform("away", self.away_s), 4.0 + speed * (0.7 + speed / 6.0))
        cast = Cast()
        place_ego(cast, path, stop_m(layout, path, 0) - away - 2.4, speed)
        halts_s = away / speed + 0.5 * speed / self.brake_mps2
        lanes = [(arm, k) for arm in arms(layout) if arm > 0 for k in range(len(layout.roads[arm].backward[0]))]
        rival, before_s = draw.choice("rival", lanes), halts_s + draw.uniform("before", self.rival_s)
        if not self._first(cast, draw.sub("rival"), layout, rival, before_s, _crossing(layout, path)):
            raise NoSceneError("nobody to take turns with")
        first = 1
        for arm, k in lanes:
            each = draw.sub("first", arm, k)
            if (arm, k) != rival and each.chance("there", self.there):
                at_s = halts_s + each.uniform("against", self.against_ego_s)
                first += self._first(cast, each, layout, (arm, k), at_s)
        pace = 0.85 * layout.limit_mps
        others = [arm for arm in arms(layout) if arm > 0]
        flow(
            cast, draw.sub("flow"), layout, others, draw.integer("flow", 7), pace, held=True, clear_of=8.0, sorts=_SHORT
        )
        flow(cast, draw.sub("behind"), layout, [0], draw.integer("behind", 3), speed, held=False, clear_of=away + 12.0)
        leaving(cast, draw.sub("leaving"), layout, draw.integer("leaving", 4), pace)
        params: dict[str, Any] = {"way": way, "ego_mps": speed, "away_m": away, "first": first}
        return Composition(cast, route_groups(layout, 0, _EXIT[way]), self.duration_s, params)

    def _first(
        self, cast: Cast, draw: Draw, layout: Layout, where: tuple[int, int], halts_s: float,
        only: frozenset[int] | None = None,
    ) -> bool:  # fmt: skip
        """The first of a lane: it halts at that time, or stands already; ``only`` by one of these connectors."""
        arm, lane = where
        options = {n: p for n, p in ways(layout, arm, lane).items() if only is None or only & set(p.lanes)}
        if not options:
            return False
        speed = layout.limit_mps * draw.uniform("speed", (0.6, 0.95))
        away = speed * (halts_s - 0.5 * speed / self.brake_mps2)
        way = some_way(draw, options)
        sorts = tuple(_SORTS) if way is options.get("straight") else _SHORT
        sort = draw.choice("sort", sorts, [_SORTS[n] for n in sorts])
        body = Body.draw(draw, sort)
        line, d = stop_m(layout, way, arm) - 0.5 * body.length_m, -0.8 if sort == "cyclist" else 0.0
        if sort == "cyclist":
            speed = min(speed, 5.0)
        if away < 5.0 + speed * (0.5 + 0.5 * speed / self.brake_mps2):
            number = cast.drive(
                f"first-{arm}-{lane}", body, way, line - draw.uniform("line", (0.8, 2.0)), 0.0, d=d, roomy=False
            )
            if number is not None:
                cast.sets_off(number, layout.limit_mps * draw.uniform("pace", (0.85, 1.0)))
            return number is not None
        s = line - away
        return s > 25.0 and cast.drive(f"first-{arm}-{lane}", body, way, s, speed, d=d) is not None


def _crossing(layout: Layout, path: Path) -> frozenset[int]:
    """Connectors from other arms that come near the ego's."""
    connectors = {c: a for (a, _), lanes in layout.connectors.items() for c in lanes}
    (mine,) = (lane for lane in path.lanes if lane in connectors)
    xy = layout.map.centre[mine]
    near = set()
    for lane, arm in connectors.items():
        apart = np.hypot(*(xy[:, None] - layout.map.centre[lane][None]).transpose(2, 0, 1))
        if arm > 0 and apart.min() < 2.0:
            near.add(lane)
    return frozenset(near)
