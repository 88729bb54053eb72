"""What the three car-to-rear families share (Euro NCAP CCRs, CCRm, CCRb): one vehicle ahead in the ego's lane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from waytrace.scenario import Action, Script, Trigger

from ..careful import CAREFUL, REGULATION, lead_braking_preventable
from ..cast import EGO, Body, Cast, Composition, NoSceneError
from ..draws import Draw, Range
from ..layouts import Layout, open_road
from ._open import EGO_START_M, lane_count, road_cuts, traffic

OVERLAP: Range = (0.5, 1.0)
"""Share of the ego's width that would strike the target; Euro NCAP drives 50, 75 and 100 %, from either side."""

_SORTS = ("car", "van", "truck", "bus", "motorcycle")
_SORT_WEIGHTS = (0.62, 0.16, 0.08, 0.04, 0.1)
_EDGE_M = 0.05


@dataclass(frozen=True)
class Target:
    """How the vehicle ahead drives: its speed at the start, the gap to it, and its braking from ``delay_s`` on."""

    speed_mps: float
    gap_m: float
    brake_mps2: float = 0.0
    delay_s: float = 0.0


def rear_layout(key: str, index: int, draw: Draw, limits_kmh: Sequence[float], duration_s: float) -> Layout:
    """A straight or winding road; every limit equally often."""
    limit = limits_kmh[index % len(limits_kmh)]
    length = EGO_START_M + limit / 3.6 * duration_s + 120.0
    return open_road(
        key, draw, limit_kmh=limit, lanes=lane_count(draw, limit), length_m=length, cuts=road_cuts(draw, length)
    )


def compose_rear(
    draw: Draw, layout: Layout, duration_s: float, ego_mps: float, target: Target, keep_unpreventable: float
) -> Composition:
    """The ego behind its target, the one beside the other by the drawn overlap, and traffic around them."""
    preventable = {
        driver.name: lead_braking_preventable(driver, ego_mps, target.speed_mps, target.gap_m, target.brake_mps2, 0.0)
        for driver in (CAREFUL, REGULATION)
    }
    if not preventable[CAREFUL.name] and not draw.chance("keep", keep_unpreventable):
        raise NoSceneError("unpreventable")
    road = layout.roads[0]
    lane = draw.integer("lane", len(road.forward[0]))
    path = layout.path(road.forward_sequence(lane))
    ego_s = EGO_START_M * path.length_m / road.line.length_m
    sort = draw.choice("target", _SORTS, _SORT_WEIGHTS)
    body = Body.draw(draw.sub("target"), sort)
    overlap = draw.uniform("overlap", OVERLAP)
    ego_d, target_d = _beside(draw, overlap, body, road.width_m)
    target_s = ego_s + target.gap_m + 0.5 * (EGO.length_m + body.length_m)
    cast = Cast()
    cast.must(cast.drive("ego", EGO, path, ego_s, ego_mps, d=ego_d, roomy=False))
    if target.speed_mps == 0.0:
        place = np.array(path.point(target_s, target_d))
        cast.must(cast.stand("target", body, place, path.heading_at(target_s)))
    else:
        number = cast.must(cast.drive("target", body, path, target_s, target.speed_mps, d=target_d, roomy=False))
        cast.scripts.append(_script(number, target, ego_mps, path.point(ego_s + ego_mps * (target.delay_s + 1.0))))
    traffic(
        cast, draw, layout, ego_lane=lane, ego_s=ego_s, speed_mps=max(ego_mps, 0.6 * layout.limit_mps),
        clear={lane: (ego_s - 5.0, target_s + 15.0 + 2.5 * ego_mps)},
    )  # fmt: skip
    params: dict[str, Any] = {
        "ego_mps": ego_mps, "target_mps": target.speed_mps, "gap_m": target.gap_m, "brake_mps2": target.brake_mps2,
        "delay_s": target.delay_s, "overlap": overlap, "target": sort,
    }  # fmt: skip
    return Composition(cast, road.forward, duration_s, params, preventable=preventable)


def _script(number: int, target: Target, ego_mps: float, at: tuple[float, float]) -> Script:
    """Brake to a halt as the ego comes to a point, or go on at the present speed."""
    if target.brake_mps2:
        return Script(number, Trigger.EGO_TIME, 1.0, Action.BRAKE, target.brake_mps2, at_xy=at)
    return Script(number, Trigger.TIME, 0.0, Action.SET_SPEED, 2.0, target_speed_mps=round(target.speed_mps, 3))


def _beside(draw: Draw, overlap: float, body: Body, lane_m: float) -> tuple[float, float]:
    """Offsets of the ego and of its target from the lane's middle: the target aside as far as the lane has room."""
    aside = (1.0 - overlap) * EGO.width_m * (1.0 if draw.chance("left", 0.5) else -1.0)
    room = max(0.0, 0.5 * (lane_m - body.width_m) - _EDGE_M)
    target = min(max(aside, -room), room)
    own = 0.5 * (lane_m - EGO.width_m) - _EDGE_M
    return min(max(target - aside, -own), own), target
