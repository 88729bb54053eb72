"""``cut-in``: a vehicle beside or ahead moves into the ego's lane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from waytrace.scenario import Action, Script, Trigger

from ..careful import CAREFUL, REGULATION, cut_in_preventable
from ..cast import EGO, Body, Cast, Composition, NoSceneError
from ..draws import Draw, Range
from ..layouts import Layout
from ._open import EGO_START_M, lane_change_road, place_ego, traffic


@dataclass(frozen=True)
class CutIn:
    """Ranges of SCORE's cut-in: ego 10 to 60 and 70 to 130 km/h, gap 1 to 120 m, lateral speed to 1.8 m/s."""

    name: str = "cut-in"
    version: int = 1
    layouts: int = 24
    duration_s: float = 15.0
    limits_kmh: tuple[float, ...] = (30.0, 50.0, 60.0, 80.0, 100.0, 130.0)
    ego_kmh: Range = (10.0, 130.0)
    ego_share: Range = (0.5, 1.0)
    gap_m: Range = (1.0, 120.0)
    """From the ego's front to the other's rear as the change begins, if both keep their speed; small gaps as often
    as large ones."""
    slower: Range = (0.0, 0.35)
    """How much slower than the ego the other drives, as a share."""
    lateral_mps: Range = (0.3, 1.8)
    delay_s: Range = (0.5, 3.0)
    keep_unpreventable: float = 0.12

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """A road of at least two lanes in the ego's direction, one section long where it happens."""
        return lane_change_road(key, index, draw, self.limits_kmh, self.duration_s)

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """The other is placed so that the gap is as drawn when the ego comes to the trigger point."""
        road = layout.roads[0]
        lanes = len(road.forward[0])
        speed = max(self.ego_kmh[0] / 3.6, layout.limit_mps * draw.uniform("ego", self.ego_share))
        lane = draw.integer("lane", lanes)
        other = draw.choice("from", [i for i in (lane - 1, lane + 1) if 0 <= i < lanes])
        path, beside = (layout.path(road.forward_sequence(i)) for i in (lane, other))
        ego_s = EGO_START_M * path.length_m / road.line.length_m
        sort = draw.choice("sort", ("car", "van", "truck", "motorcycle"), (0.65, 0.15, 0.12, 0.08))
        body = Body.draw(draw.sub("cutter"), sort)
        gap = draw.log_uniform("gap", self.gap_m)
        cutter_speed = speed * (1.0 - draw.uniform("slower", self.slower))
        lateral = draw.uniform("lateral", self.lateral_mps)
        delay = draw.uniform("delay", self.delay_s)
        between = road.width_m - 0.5 * (EGO.width_m + body.width_m)
        preventable = {
            driver.name: cut_in_preventable(driver, speed, cutter_speed, gap, lateral, between)
            for driver in (CAREFUL, REGULATION)
        }
        if not preventable[CAREFUL.name] and not draw.chance("keep", self.keep_unpreventable):
            raise NoSceneError("unpreventable")
        ahead = gap + (speed - cutter_speed) * delay + 0.5 * (EGO.length_m + body.length_m)
        cutter_s = EGO_START_M * beside.length_m / road.line.length_m + ahead
        cast = Cast()
        place_ego(cast, path, ego_s, speed)
        cutter = cast.must(cast.drive("cutter", body, beside, cutter_s, cutter_speed, roomy=False))
        at = path.point(ego_s + speed * (delay + 0.5))
        cast.scripts.append(
            Script(
                cutter, Trigger.EGO_TIME, 0.5, Action.CHANGE_LANE, lateral, at_xy=at, target_lane=road.forward[1][lane]
            )
        )
        # nobody ahead whom the other would have to slow down for before it changes lane
        free = cutter_s + 15.0 + 2.5 * speed
        traffic(
            cast, draw, layout, ego_lane=lane, ego_s=ego_s, speed_mps=speed, pace=0.95,
            clear={lane: (ego_s - 5.0, free), other: (cutter_s - 10.0, free)},
        )  # fmt: skip
        params: dict[str, Any] = {
            "ego_mps": speed, "cutter_mps": cutter_speed, "gap_m": gap, "lateral_mps": lateral, "delay_s": delay,
            "side": "left" if other < lane else "right", "cutter": sort,
        }  # fmt: skip
        return Composition(cast, road.forward, self.duration_s, params, preventable=preventable)
