"""``lead-braking``: the vehicle ahead brakes, gently or as hard as it can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from waytrace.scenario import Action, Script, Trigger

from ..careful import CAREFUL, REGULATION, lead_braking_preventable
from ..cast import EGO, Body, Cast, Composition, NoSceneError
from ..draws import Draw, Range
from ..layouts import Layout, open_road
from ._open import EGO_START_M, lane_count, place_ego, road_cuts, traffic


@dataclass(frozen=True)
class LeadBraking:
    """Ranges of SCORE's braking lead: 12 to 130 km/h, 0.05 to 1 g."""

    name: str = "lead-braking"
    version: int = 1
    layouts: int = 24
    duration_s: float = 15.0
    limits_kmh: tuple[float, ...] = (30.0, 50.0, 70.0, 100.0, 130.0)
    ego_kmh: Range = (12.0, 130.0)
    ego_share: Range = (0.6, 1.0)
    """Ego speed as a share of the limit."""
    headway_s: Range = (0.8, 2.6)
    brake_g: Range = (0.05, 1.0)
    delay_s: Range = (0.5, 4.0)
    stops: float = 0.55
    """Share of leads that brake to a halt; the others slow to ``slower`` of their speed."""
    slower: Range = (0.2, 0.7)
    keep_unpreventable: float = 0.3
    """Share of the drawn unpreventable scenes that is kept, so that they stay a small minority."""

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """A straight or winding road; every limit equally often."""
        limit = self.limits_kmh[index % len(self.limits_kmh)]
        length = EGO_START_M + limit / 3.6 * self.duration_s + 120.0
        return open_road(
            key, draw, limit_kmh=limit, lanes=lane_count(draw, limit), length_m=length, cuts=road_cuts(draw, length)
        )

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """The ego follows; the lead brakes as the ego comes to a point."""
        road = layout.roads[0]
        speed = max(self.ego_kmh[0] / 3.6, layout.limit_mps * draw.uniform("ego", self.ego_share))
        lane = draw.integer("lane", len(road.forward[0]))
        path = layout.path(road.forward_sequence(lane))
        ego_s = EGO_START_M * path.length_m / road.line.length_m
        sort = draw.choice("lead", ("car", "van", "truck", "bus", "motorcycle"), (0.6, 0.15, 0.1, 0.05, 0.1))
        body = Body.draw(draw.sub("lead"), sort)
        gap = max(4.0, speed * draw.uniform("headway", self.headway_s))
        brake = 9.81 * draw.uniform("brake", self.brake_g)
        target = 0.0 if draw.chance("stops", self.stops) else speed * draw.uniform("slower", self.slower)
        preventable = {
            driver.name: lead_braking_preventable(driver, speed, speed, gap, brake, target)
            for driver in (CAREFUL, REGULATION)
        }
        if not preventable[CAREFUL.name] and not draw.chance("keep", self.keep_unpreventable):
            raise NoSceneError("unpreventable")
        lead_s = ego_s + gap + 0.5 * (EGO.length_m + body.length_m)
        cast = Cast()
        place_ego(cast, path, ego_s, speed)
        lead = cast.must(cast.drive("lead", body, path, lead_s, speed, roomy=False))
        delay = draw.uniform("delay", self.delay_s)
        at = path.point(ego_s + speed * (delay + 1.0))
        cast.scripts.append(Script(lead, Trigger.EGO_TIME, 1.0, Action.BRAKE, brake, at_xy=at, target_speed_mps=target))
        traffic(
            cast,
            draw,
            layout,
            ego_lane=lane,
            ego_s=ego_s,
            speed_mps=speed,
            clear={lane: (ego_s - 5.0, lead_s + 15.0 + 2.5 * speed)},
        )
        params: dict[str, Any] = {
            "ego_mps": speed, "gap_m": gap, "brake_mps2": brake, "target_mps": target, "delay_s": delay, "lead": sort,
        }  # fmt: skip
        return Composition(cast, road.forward, self.duration_s, params, preventable=preventable)
