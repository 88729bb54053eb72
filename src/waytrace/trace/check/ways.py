"""Who is in the way that a plan takes, and by how much it stays clear of them."""

from __future__ import annotations

import numpy as np

from ..finding import Finding, Margin, all_of, fact, least
from ..measure import PlanMeasured
from ..thresholds import T
from .case import Case


def planned_offset(p: PlanMeasured, s: float) -> float:
    """The plan's offset from the path's middle where it is ``s`` metres along it; beyond its end the last one."""
    return float(np.interp(s, np.maximum.accumulate(p.s), p.d))


def in_planned_way(case: Case, row: int) -> Finding:
    """Ahead, and in the way that the ego's body takes: as planned, or at its present place beside the middle."""
    m, p, o = case.measured, case.planned, case.measured.others
    if not o.on_path[row]:
        return all_of([fact("it has a place along the path", False)])
    s, d, half = float(o.s[row]), float(o.d[row]), float(o.across[row]) + 0.5 * m.scene.ego.width_m
    planned = half - abs(d - planned_offset(p, s - float(o.along[row]) - m.front_m))
    now = half - abs(d - float(p.d[0]))
    end = half - abs(d - float(p.d[-1]))
    return all_of(
        [Margin("overlap with the way planned", max(planned, now, end) - 0.1, "m", 0.1),
         least("way to it", s - float(o.along[row]) - m.front_m, -T.ahead_m, "m")],
        d_m=d, gap_m=float(o.gap[row]),
    )  # fmt: skip


def goes_round(case: Case, row: int) -> bool:
    """Whether the plan, where it is level with someone, is clear of them."""
    m, p, o = case.measured, case.planned, case.measured.others
    half = float(o.across[row]) + 0.5 * m.scene.ego.width_m
    at = float(o.s[row] - o.along[row]) - m.front_m
    return abs(float(o.d[row]) - planned_offset(p, at)) > half


def leads_at(case: Case, row: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """[K + 1] room between the plan's front and someone's near end, if that one goes on as now."""
    m, p, o = case.measured, case.planned, case.measured.others
    v, a = max(float(o.v_along[row]), 0.0), max(float(o.accel[row]), 0.0)
    t = p.t_s
    short = np.minimum(t, 2.0)  # who speeds up is taken to do so for 2 s more
    gained = v * t + 0.5 * a * short**2 + a * short * np.maximum(t - 2.0, 0.0)
    room: np.ndarray[tuple[int], np.dtype[np.float64]] = float(o.s[row] - o.along[row]) - m.front_m + gained - p.s
    return room


def headway_planned_s(case: Case, row: int) -> float:
    """The least headway that the plan keeps to someone, seconds."""
    p = case.planned
    return float((np.maximum(leads_at(case, row), 0.0) / np.maximum(p.speed, T.headway_least_mps)).min())
