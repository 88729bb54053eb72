"""What the families share in which somebody walks across the road: the street, the walk, who else is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from waytrace.scenario import Action, Script, Trigger

from ..careful import CAREFUL
from ..cast import EGO, Body, Cast, Composition, NoSceneError
from ..draws import Draw, Range
from ..layouts import Layout, open_road
from ._open import place_ego, traffic

CROSSING_M = 190.0
"""Where on the road they cross: far enough for an ego at 60 km/h to come from."""

PICK_UP_MPS2 = 2.0
"""Who sets off on foot gains speed like this, as the simulator has it."""


@dataclass(frozen=True)
class Crossing:
    """Somebody crosses in front of the ego; each family says from which side, how fast, and whether out of sight."""

    name: str
    walk_kmh: float
    from_right: bool
    hidden: bool = False
    """Whether parked vehicles hide who is about to step out."""
    version: int = 2
    layouts: int = 24
    duration_s: float = 15.0
    limits_kmh: tuple[float, ...] = (30.0, 40.0, 50.0, 60.0)
    ego_kmh: Range = (10.0, 60.0)
    impact: Range = (-0.4, 0.4)
    """Where the ego's front would be struck without braking, as a share of its width from its middle."""
    early_s: Range = (0.6, 3.0)
    """How long after the start the walk begins, at constant ego speed."""
    companion: float = 0.2
    """Share of the scenes in which two walk side by side."""

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """A street with one or two lanes each way, some with parking, some with a crosswalk."""
        limit = self.limits_kmh[index % len(self.limits_kmh)]
        length = CROSSING_M + limit / 3.6 * self.duration_s + 60.0
        lanes = draw.choice("lanes", [(1, 1), (1, 1), (2, 2), (1, 0), (2, 1)])
        if self.hidden and limit > 40.0:
            lanes = draw.choice("wide", [(2, 2), (2, 1)])
        return open_road(
            key, draw, limit_kmh=limit, lanes=lanes, length_m=length, cuts=(draw.uniform("cut", (60.0, 110.0)),),
            parking_m=2.4 if self.hidden or index % 2 else 0.0,
            crosswalk_at=CROSSING_M if draw.chance("crosswalk", 0.45) else None,
            shoulder_m=draw.uniform("shoulder", (0.5, 1.2)),
        )  # fmt: skip

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """The walk begins when the ego, at its present speed, is as far in time as the walk to its lane takes.

        A draw in which not even the careful driver could stop after they come into sight makes no scene.
        """
        road = layout.roads[0]
        lanes = len(road.forward[0])
        lane = draw.integer("lane", lanes)
        speed = draw.uniform("ego", (self.ego_kmh[0], min(self.ego_kmh[1], 3.6 * layout.limit_mps))) / 3.6
        walk = self.walk_kmh / 3.6
        out = draw.uniform("kerb", (0.4, 1.2))
        ends = (road.right_edge_m - out, road.left_edge_m + out)
        start, goal = ends if self.from_right else ends[::-1]
        if self.hidden:
            start = -lanes * road.width_m - draw.uniform("between", (1.0, 1.8))
        middle = road.forward_offset(lane)
        gains_s = 0.5 * walk / PICK_UP_MPS2
        walk_s = (abs(middle - start) + EGO.width_m * draw.uniform("impact", self.impact)) / walk + gains_s
        seen_s = (abs(middle + lanes * road.width_m) + 0.5) / walk if self.hidden else walk_s
        if seen_s < CAREFUL.stopping_s(speed):
            raise NoSceneError("not even a careful driver could stop")

        path = layout.path(road.forward_sequence(lane))
        scale = path.length_m / road.line.length_m
        at_s = CROSSING_M * scale - 0.5 * EGO.length_m
        ego_s = at_s - speed * (walk_s + draw.uniform("early", self.early_s))
        cast = Cast()
        place_ego(cast, path, ego_s, speed)
        together = not self.hidden and draw.chance("companion", self.companion)
        for k in range(1 + together):
            x, y, along = road.line.pose(CROSSING_M + 0.9 * k, start)
            gx, gy, _ = road.line.pose(CROSSING_M + 0.9 * k, goal)
            walker = Body.draw(draw.sub("walker", k), "pedestrian")
            across = np.pi / 2 if goal > start else -np.pi / 2
            number = cast.must(cast.stand(f"pedestrian-{k}", walker, np.array([x, y]), along + across))
            cast.scripts.append(
                Script(
                    number, Trigger.EGO_TIME, walk_s, Action.WALK, walk, at_xy=path.point(at_s),
                    to_xy=(round(gx, 4), round(gy, 4)),
                )
            )  # fmt: skip
        parked_along(cast, draw, layout, CROSSING_M - 1.2 if self.hidden else CROSSING_M - 7.2, hide=self.hidden)
        bystander(cast, draw, layout)
        traffic(
            cast, draw, layout, ego_lane=lane, ego_s=ego_s, speed_mps=speed, count=(4, 9),
            clear={lane: (ego_s - 5.0, CROSSING_M + 25.0 + speed)}, ahead_of=CROSSING_M + 25.0 + speed, reach_m=300.0,
        )  # fmt: skip
        params: dict[str, Any] = {
            "ego_mps": speed, "walk_mps": walk, "walk_s": walk_s, "seen_s": seen_s, "together": together,
            "crosswalk": len(layout.map.crosswalk) > 0,
        }  # fmt: skip
        return Composition(cast, road.forward, self.duration_s, params)


def parked_along(cast: Cast, draw: Draw, layout: Layout, at_m: float, *, hide: bool) -> None:
    """Vehicles on the parking strip from ``at_m`` backward; ``hide``: the first one is there and hides people."""
    if layout.figures["parking_m"] == 0:
        return
    road = layout.roads[0]
    inner = -len(road.forward[0]) * road.width_m
    for k in range(hide + draw.integer("parked", 4)):
        each = draw.sub("parked", k)
        sort = each.choice("sort", ("car", "van"), (0.85, 0.15))
        if hide and k == 0:
            sort = each.choice("hides", ("van", "car", "truck"), (0.6, 0.3, 0.1))
        body = Body.draw(each, sort)
        x, y, heading = road.line.pose(at_m - 0.5 * body.length_m, inner - 0.2 - 0.5 * body.width_m)
        number = cast.stand(f"parked-{k}", body, np.array([x, y]), heading)
        if hide and k == 0:
            cast.must(number)
        at_m -= body.length_m + each.uniform("gap", (0.8, 1.5 if hide and k == 0 else 8.0))


def bystander(cast: Cast, draw: Draw, layout: Layout, chance: float = 0.35) -> None:
    """Now and then someone stands at the kerb and stays there."""
    if not draw.chance("bystander", chance):
        return
    road, each = layout.roads[0], draw.sub("bystander")
    at = CROSSING_M + each.uniform("at", (-30.0, 40.0))
    x, y, heading = road.line.pose(at, road.right_edge_m - each.uniform("kerb", (0.6, 1.5)))
    body = Body.draw(each, "pedestrian")
    cast.stand("bystander", body, np.array([x, y]), heading + each.uniform("facing", (-3.0, 3.0)))
