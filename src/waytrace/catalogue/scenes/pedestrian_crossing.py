"""``pedestrian-crossing``: someone walks across the road, from the near or the far side, or from behind a van."""

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


@dataclass(frozen=True)
class PedestrianCrossing:
    """Ranges of SCORE's CPNA, CPFA and CPNCO: ego 10 to 60 km/h, pedestrian 5 km/h, from the far side also 8 km/h."""

    name: str = "pedestrian-crossing"
    version: int = 1
    layouts: int = 24
    duration_s: float = 15.0
    limits_kmh: tuple[float, ...] = (30.0, 40.0, 50.0, 60.0)
    ego_kmh: Range = (10.0, 60.0)
    ego_share: Range = (0.4, 1.0)
    walk_kmh: float = 5.0
    run_kmh: float = 8.0
    impact: Range = (-0.4, 0.4)
    """Where the ego's front would be struck without braking, as a share of its width from its middle."""
    early_s: Range = (0.6, 3.0)
    """How long after the start the walk begins, at constant ego speed."""
    occluded_kmh: Range = (10.0, 29.0)
    """Ego speeds at which someone steps out from behind a van: any faster and no careful driver could stop."""

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """A street with one or two lanes each way, half of them with parking, some with a crosswalk."""
        limit = self.limits_kmh[index % len(self.limits_kmh)]
        length = CROSSING_M + limit / 3.6 * self.duration_s + 60.0
        lanes = draw.choice("lanes", [(1, 1), (1, 1), (2, 2), (1, 0), (2, 1)])
        return open_road(
            key, draw, limit_kmh=limit, lanes=lanes, length_m=length, cuts=(draw.uniform("cut", (60.0, 110.0)),),
            parking_m=2.4 if index % 2 else 0.0, crosswalk_at=CROSSING_M if draw.chance("crosswalk", 0.45) else None,
            shoulder_m=draw.uniform("shoulder", (0.5, 1.2)),
        )  # fmt: skip

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """The walk begins when the ego, at its present speed, is as far in time as the walk to its lane takes."""
        road = layout.roads[0]
        lanes = len(road.forward[0])
        parking = layout.figures["parking_m"] > 0
        lane = draw.integer("lane", lanes)
        speed = min(60 / 3.6, max(self.ego_kmh[0] / 3.6, layout.limit_mps * draw.uniform("ego", self.ego_share)))
        variant = draw.choice("variant", ("near", "far", "occluded"), (1.0, 1.0, 1.2 if parking else 0.0))
        if variant == "occluded":
            speed = draw.uniform("slow", self.occluded_kmh) / 3.6
            lane = lanes - 1
        walk = (self.run_kmh if variant == "far" and draw.chance("runs", 0.6) else self.walk_kmh) / 3.6
        out = draw.uniform("kerb", (0.4, 1.2))
        ends = (road.right_edge_m - out, road.left_edge_m + out)
        start, goal = ends if variant != "far" else ends[::-1]
        middle = road.forward_offset(lane)
        walk_s = (abs(middle - start) + EGO.width_m * draw.uniform("impact", self.impact)) / walk
        seen_s = walk_s if variant != "occluded" else (abs(middle + lanes * road.width_m) + 0.5) / walk
        if seen_s < CAREFUL.stopping_s(speed):
            raise NoSceneError("not even a careful driver could stop")

        path = layout.path(road.forward_sequence(lane))
        scale = path.length_m / road.line.length_m
        at_s = CROSSING_M * scale - 0.5 * EGO.length_m
        ego_s = at_s - speed * (walk_s + draw.uniform("early", self.early_s))
        cast = Cast()
        place_ego(cast, path, ego_s, speed)
        across = np.pi / 2 if goal > start else -np.pi / 2
        x, y, along = road.line.pose(CROSSING_M, start)
        walker = Body.draw(draw.sub("walker"), "pedestrian")
        number = cast.must(cast.stand("pedestrian", walker, np.array([x, y]), along + across))
        gx, gy, _ = road.line.pose(CROSSING_M, goal)
        cast.scripts.append(
            Script(
                number, Trigger.EGO_TIME, walk_s, Action.WALK, walk,
                at_xy=path.point(at_s), to_xy=(round(gx, 4), round(gy, 4)),
            )
        )  # fmt: skip
        self._street(cast, draw, layout, variant)
        traffic(
            cast, draw, layout, ego_lane=lane, ego_s=ego_s, speed_mps=min(speed, layout.limit_mps), count=(4, 9),
            clear={lane: (ego_s - 5.0, CROSSING_M + 25.0 + speed)}, ahead_of=CROSSING_M + 25.0 + speed, reach_m=300.0,
        )  # fmt: skip
        params: dict[str, Any] = {
            "variant": variant, "ego_mps": speed, "walk_mps": walk, "walk_s": walk_s,
            "crosswalk": len(layout.map.crosswalk) > 0,
        }  # fmt: skip
        return Composition(cast, road.forward, self.duration_s, params)

    def _street(self, cast: Cast, draw: Draw, layout: Layout, variant: str) -> None:
        """Parked vehicles (the hiding van first) and people who stand at the kerb and stay there."""
        road = layout.roads[0]
        inner = -len(road.forward[0]) * road.width_m
        if layout.figures["parking_m"] > 0:
            at = CROSSING_M - 1.2
            if variant == "occluded":
                van = Body.draw(draw.sub("van"), "van")
                x, y, heading = road.line.pose(at - 0.5 * van.length_m, inner - 0.2 - 0.5 * van.width_m)
                cast.must(cast.stand("van", van, np.array([x, y]), heading))
                at -= van.length_m + 1.2
            else:
                at -= 6.0
            for k in range(draw.integer("parked", 4)):
                each = draw.sub("parked", k)
                car = Body.draw(each, each.choice("sort", ("car", "van"), (0.85, 0.15)))
                x, y, heading = road.line.pose(at - 0.5 * car.length_m, inner - 0.3 - 0.5 * car.width_m)
                cast.stand(f"parked-{k}", car, np.array([x, y]), heading)
                at -= car.length_m + each.uniform("gap", (0.8, 8.0))
        if draw.chance("bystander", 0.35):
            each = draw.sub("bystander")
            beyond = CROSSING_M + each.uniform("at", (-30.0, 40.0))
            x, y, heading = road.line.pose(beyond, road.right_edge_m - each.uniform("kerb", (0.6, 1.5)))
            body = Body.draw(each, "pedestrian")
            cast.stand("bystander", body, np.array([x, y]), heading + each.uniform("facing", (-3.0, 3.0)))
