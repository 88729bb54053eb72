"""``merge``: from an on-ramp into the traffic of a main road, before the acceleration lane ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..cast import Cast, Composition, Stretch
from ..draws import Draw, Range
from ..layouts import Layout, on_ramp
from ._open import place_ego

RAMP_M = 160.0
BEFORE_M = 330.0


@dataclass(frozen=True)
class Merge:
    """The main road has priority; the lane beside it ends in a taper that yields."""

    name: str = "merge"
    version: int = 1
    layouts: int = 24
    duration_s: float = 18.0
    limits_kmh: tuple[float, ...] = (80.0, 100.0, 120.0)
    beside_m: Range = (150.0, 280.0)
    taper_m: Range = (50.0, 80.0)
    ego_share: Range = (0.55, 0.85)
    """Of the main road's limit; never more than the ramp's own."""
    main_share: Range = (0.75, 0.95)
    headway_s: Range = (0.9, 2.6)
    vehicles: tuple[int, int] = (5, 14)

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """Two or three lanes and a ramp."""
        limit = self.limits_kmh[index % len(self.limits_kmh)]
        beside, taper = draw.uniform("beside", self.beside_m), draw.uniform("taper", self.taper_m)
        after = max(250.0, limit / 3.6 * self.duration_s - beside - taper)
        return on_ramp(
            key, draw, limit_kmh=limit, main_lanes=draw.choice("lanes", (2, 2, 3)), before_m=BEFORE_M,
            beside_m=beside, taper_m=taper, after_m=after, ramp_m=RAMP_M,
        )  # fmt: skip

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """The ego on the ramp, a stream in the lane it must join."""
        main, ramp = layout.roads
        (taper,) = layout.connectors[(1, 0)]
        outer = len(main.forward[0]) - 1
        last = main.forward[3]
        path = layout.path((ramp.forward[0][0], ramp.forward[1][0], taper, last[outer]))
        ramp_limit = float(layout.map.speed_limit_mps[ramp.forward[0][0]])
        speed = min(ramp_limit, layout.limit_mps * draw.uniform("ego", self.ego_share))
        cast = Cast()
        ego_s = draw.uniform("start", (35.0, 90.0))
        place_ego(cast, path, ego_s, speed)
        pace = layout.limit_mps * draw.uniform("main", self.main_share)
        joins = layout.path(main.forward_sequence(outer))
        wanted = self.vehicles[0] + draw.integer("vehicles", self.vehicles[1] - self.vehicles[0] + 1)
        # those that reach the acceleration lane about when the ego does, and those around them
        meet = BEFORE_M + 60.0 - pace * (RAMP_M - ego_s + 60.0) / speed
        cast.fill(
            draw.sub("stream"), [Stretch(joins, max(15.0, meet - 120.0), BEFORE_M + 150.0)], wanted, pace,
            headway_s=self.headway_s, sorts=("car", "van", "truck", "bus", "motorcycle"),
        )  # fmt: skip
        inner = [
            Stretch(layout.path(main.forward_sequence(i)), 15.0, BEFORE_M + 200.0, 1.0 + 0.05 * (outer - i))
            for i in range(outer)
        ]
        cast.fill(
            draw.sub("inner"), inner, draw.integer("inner", 7), pace, headway_s=(1.5, 5.0),
            sorts=("car", "van", "motorcycle"),
        )  # fmt: skip
        params: dict[str, Any] = {"ego_mps": speed, "main_mps": pace, "beside_m": layout.figures["beside_m"]}
        beside = (*main.forward[1], ramp.forward[1][0])
        groups = ((ramp.forward[0][0],), beside, (*main.forward[2], taper), last)
        return Composition(cast, groups, self.duration_s, params)
