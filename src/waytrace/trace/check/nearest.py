"""Whether a cause is the one that could be it: nobody else stands between it and the ego."""

from __future__ import annotations

import math

import numpy as np

from waytrace.scenario import AgentKind

from ..causes import SUFFICIENT
from ..finding import Margin
from ..thresholds import T
from ..types import Cause
from .case import Case
from .ways import goes_round, in_planned_way


def nearest(case: Case, cause: Cause, row: int) -> Margin | None:
    """That nobody drives between the ego and someone who is said to be reason enough; None where it does not matter.

    For a headway nobody in the same way, for a merge gap nobody in the same lane beside.
    """
    if cause.role not in SUFFICIENT or cause.role == "overdetermining" or row < 0 or case.plan is None:
        return None
    if cause.constraint == "headway":
        rows = _in_way(case, cause, row)
    elif cause.constraint == "merge_gap" and cause.axis == "longitudinal":
        rows = _in_lane_beside(case, row)
    else:
        return None
    if not rows:
        return None
    o = case.measured.others
    s = float(o.s[row])
    between = max(abs(s) - abs(float(o.s[j])) for j in rows)
    return Margin("ahead of another one by", -between, "m", 1.0)


def _in_way(case: Case, cause: Cause, row: int) -> list[int]:
    """Others ahead that are nearer and in the way, drive the ego's way and are in its path."""
    m, o = case.measured, case.measured.others
    way = float(o.s[row] - o.along[row])
    nearer = (o.kind <= AgentKind.CYCLIST) & (np.abs(o.turned) <= math.radians(T.aligned_deg)) & o.on_path
    nearer &= (o.s - o.along - m.front_m > -1.0) & (o.s - o.along < way - 1.0)
    rows = [int(j) for j in np.flatnonzero(nearer) if j != row]
    if cause.axis == "lateral":
        return [j for j in rows if j in m.leads]
    return [j for j in rows if in_planned_way(case, j).value == "true" and not goes_round(case, j)]


def _in_lane_beside(case: Case, row: int) -> list[int]:
    """Others in the same lane beside, between the ego and someone there."""
    o = case.measured.others
    s = float(o.s[row])
    same = (np.sign(o.d) == np.sign(o.d[row])) & (np.abs(o.d - o.d[row]) < 2.0) & o.on_path
    same &= (np.abs(o.turned) <= math.radians(T.aligned_deg)) & (np.sign(o.s) == np.sign(s)) & (np.abs(o.s) < abs(s))
    return [int(j) for j in np.flatnonzero(same) if j != row]
