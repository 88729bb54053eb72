"""How hard something on the path calls for braking."""

from __future__ import annotations

from waytrace.observe import Reference, ReferenceKind

from ..measure import Measured
from ..thresholds import T
from .stops import target_of

LANE, WALK = ReferenceKind.LANE, ReferenceKind.CROSSWALK


def demand_mps2(m: Measured, ref: Reference) -> float:
    """Braking that something on the path calls for now, if it goes on as now; 0 for what calls for none."""
    target, v = target_of(m, ref), max(m.speed_mps, 0.0)
    row = m.row(ref)
    if row < 0:
        if target is None or ref.kind in (LANE, WALK):
            return 0.0
        return v * v / (2.0 * max(target.way_m, 0.5)) if target.way_m > -T.entered_m else 0.0
    o = m.others
    if o.in_path[row] and float(o.s[row]) > 0.0:
        u, a = float(o.v_along[row]), float(o.accel[row])
        gap = max(float(o.s[row] - o.along[row]) - m.front_m - T.standstill_m, 0.5)
        closing = max(v - u, 0.0)
        braking = max(-a, 0.0) if u > 0.5 else 0.0
        return closing * closing / (2.0 * gap) + (braking if closing > 0.0 and gap < 3.0 * max(v, 3.0) else 0.0)
    hardest = 0.0
    for zone in m.conflicts.get(row, ()):
        if zone.apart_s <= T.yield_apart_s and zone.s0 > 0.0 and zone.s1 > 0.0:
            hardest = max(hardest, v * v / (2.0 * max(zone.s0, 0.5)))
    return hardest
