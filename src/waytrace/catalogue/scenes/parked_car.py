"""``parked-car``: vehicles stand partly or wholly in the ego's lane, with or without oncoming traffic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..cast import Body, Cast, Composition
from ..draws import Draw, Range
from ..layouts import Layout, open_road
from ._open import place_ego, traffic

OBSTACLE_M = 200.0


@dataclass(frozen=True)
class ParkedCar:
    """A nudge past standing vehicles. Whole lanes are blocked only where another lane of the direction is free."""

    name: str = "parked-car"
    version: int = 1
    layouts: int = 24
    duration_s: float = 15.0
    limits_kmh: tuple[float, ...] = (30.0, 40.0, 50.0, 60.0)
    ego_share: Range = (0.5, 1.0)
    away_s: Range = (4.0, 7.0)
    """Time to the first standing vehicle at constant speed."""
    intrudes_m: Range = (0.3, 1.5)
    """How far it reaches into the lane; leaves an ego that stays in its lane with its middle 0.3 m to the side."""
    whole: float = 0.5
    """Share of the roads with several lanes on which the whole lane is blocked."""
    row: int = 3
    """Most vehicles that stand one behind the other."""

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """A street, two thirds of them with one lane each way."""
        limit = self.limits_kmh[index % len(self.limits_kmh)]
        length = OBSTACLE_M + limit / 3.6 * self.duration_s + 40.0
        lanes = draw.choice("lanes", [(1, 1), (1, 1), (1, 1), (2, 2), (2, 0), (2, 1)])
        return open_road(
            key, draw, limit_kmh=limit, lanes=lanes, length_m=length, cuts=(draw.uniform("cut", (60.0, 110.0)),),
            width_m=(3.3, 3.75), shoulder_m=draw.uniform("shoulder", (0.5, 1.5)),
        )  # fmt: skip

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """The standing vehicles, the ego on its way to them."""
        road = layout.roads[0]
        lanes = len(road.forward[0])
        lane = lanes - 1
        speed = layout.limit_mps * draw.uniform("ego", self.ego_share)
        whole = lanes > 1 and draw.chance("whole", self.whole)
        intrudes = draw.uniform("intrudes", self.intrudes_m)
        path = layout.path(road.forward_sequence(lane))
        ego_s = (OBSTACLE_M - speed * draw.uniform("away", self.away_s)) * path.length_m / road.line.length_m
        cast = Cast()
        place_ego(cast, path, ego_s, speed)
        at, count = OBSTACLE_M, 1 + draw.integer("row", self.row)
        for k in range(count):
            each = draw.sub("standing", k)
            body = Body.draw(each, each.choice("sort", ("car", "van", "truck"), (0.75, 0.2, 0.05)))
            edge = -lanes * road.width_m + intrudes + each.uniform("uneven", (-0.15, 0.0))
            d = road.forward_offset(lane) + each.uniform("beside", (-0.3, 0.0)) if whole else edge - 0.5 * body.width_m
            x, y, heading = road.line.pose(at + 0.5 * body.length_m, d)
            turned = heading + each.uniform("askew", (-0.03, 0.03))
            cast.must(cast.stand(f"parked-{k}", body, np.array([x, y]), turned))
            at += body.length_m + each.uniform("gap", (0.8, 5.0))
        oncoming = draw.chance("oncoming", 0.6)
        traffic(
            cast, draw, layout, ego_lane=lane, ego_s=ego_s, speed_mps=speed,
            clear={lane: (ego_s - 5.0, at + 30.0 + speed)}, count=(5, 12) if oncoming else (2, 4), reach_m=260.0,
        )  # fmt: skip
        params: dict[str, Any] = {
            "ego_mps": speed, "intrudes_m": None if whole else intrudes, "whole_lane": whole, "standing": count,
        }  # fmt: skip
        return Composition(cast, road.forward, self.duration_s, params)
