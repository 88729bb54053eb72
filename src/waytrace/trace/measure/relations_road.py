"""Relations of lights, lines, crosswalks and lanes."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..finding import Finding, Margin, all_of, either, fact, least, most
from ..thresholds import T
from .measured import Measured
from .road import Stretch

Rule = Callable[[Measured, int], Finding]


def _reach(way_m: float, what: str) -> list[Margin]:
    """Ahead, or just reached, and not too far."""
    return [
        least(f"way to {what}", way_m, -T.entered_m, "m", 0.1),
        most(f"way to {what}", way_m, T.reference_range_m, "m", 0.3),
    ]


def signal(m: Measured, k: int) -> Finding:
    """Controls the entry of a lane on the ego's path that is not entered yet."""
    line = m.lights.get(k)
    if line is None:
        return all_of([fact("it controls a lane on the path", False)])
    return all_of(_reach(line.entry_m, "what it controls"), way_m=line.way_m, state=str(line.state))


def stop_line(m: Measured, lane: int) -> Finding:
    """Lies across the ego's path ahead."""
    line = m.stop_lines.get(lane)
    if line is None:
        return all_of([fact("it lies on the path", False)])
    return all_of(_reach(line.way_m, "the line"), way_m=line.way_m)


def crosswalk(m: Measured, k: int) -> Finding:
    """Lies across the ego's path, and the ego has not left it."""
    walk = m.crosswalks.get(k)
    if walk is None:
        return all_of([fact("the path leads over it", False)])
    return all_of(
        [most("way to it", walk.way_m, T.reference_range_m, "m", 0.3),
         least("way beyond it", walk.end_m, 0.0, "m", 0.5)],
        way_m=walk.way_m,
    )  # fmt: skip


def _lane(m: Measured, lane: int) -> Stretch | None:
    return m.stretches.get(lane)


def _not_there() -> Finding:
    return all_of([fact("it is a lane of the ego's path ahead", False)])


def curve(m: Measured, lane: int) -> Finding:
    """Bends so that the ego's speed, or the limit, would ask for more than 2.5 m/s2 across; or tightly at any speed."""
    stretch = _lane(m, lane)
    if stretch is None:
        return _not_there()
    limit = 0.0 if math.isnan(stretch.limit_mps) else stretch.limit_mps
    speed = max(m.speed_mps, limit)
    radius = 1.0 / max(stretch.curvature_1pm, 1e-4)
    return all_of(
        [either(least("acceleration across", stretch.curvature_1pm * speed * speed, T.curve_accel_mps2, "m/s2", 0.1),
                most("radius", radius, T.curve_radius_m, "m", 2.0)),
         most("way to it", stretch.way_m, T.reference_range_m, "m", 0.3)],
        radius_m=radius, way_m=stretch.curve_m,
    )  # fmt: skip


def speed_limit(m: Measured, lane: int) -> Finding:
    """Has a speed limit and lies on the ego's path."""
    stretch = _lane(m, lane)
    if stretch is None:
        return _not_there()
    return all_of(
        [fact("it has a speed limit", not math.isnan(stretch.limit_mps)),
         most("way to it", stretch.way_m, T.reference_range_m, "m", 0.3)],
        limit_mps=0.0 if math.isnan(stretch.limit_mps) else stretch.limit_mps, way_m=stretch.way_m,
    )  # fmt: skip


def _end(m: Measured, lane: int, *, leads_somewhere: bool) -> Finding:
    stretch = _lane(m, lane)
    if stretch is None:
        return _not_there()
    said = "it leads on elsewhere" if leads_somewhere else "it leads nowhere"
    return all_of(
        [fact("it does not lead on along the route", not stretch.leads_on),
         fact(said, stretch.has_successor == leads_somewhere), *_reach(stretch.end_m, "its end")],
        way_m=stretch.end_m,
    )  # fmt: skip


def lane_end(m: Measured, lane: int) -> Finding:
    """Ends, and the route goes on beside it."""
    return _end(m, lane, leads_somewhere=False)


def route_exit(m: Measured, lane: int) -> Finding:
    """Leads on, but not where the route goes."""
    return _end(m, lane, leads_somewhere=True)


ROAD_RULES: dict[str, Rule] = {
    "signal": signal, "stop_line": stop_line, "crosswalk": crosswalk, "curve": curve, "speed_limit": speed_limit,
    "lane_end": lane_end, "route_exit": route_exit,
}  # fmt: skip
