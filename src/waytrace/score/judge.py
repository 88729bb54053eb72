"""The terms of the score from a drive's per-tick rows."""

from __future__ import annotations

import numpy as np

from waytrace.rules import is_comfortable
from waytrace.rules.limits import (
    OFF_ROAD_M,
    OVERSPEED_UNIT_MPS,
    PROGRESS_LEAST_M,
    PROGRESS_SHARE,
    TTC_LEAST_S,
    WRONG_WAY_MAJOR_M,
    WRONG_WAY_MINOR_M,
)
from waytrace.scenario import AgentKind, LightState, Scenario

from ._ticks import OFF_ROAD, OVERSPEED, PROGRESS, RED_LANE, TTC, Ticks
from .formula import TERMS

LEAST_COMFORT_ROWS = 5
"""A shorter drive has no jerk or yaw acceleration to speak of; C is left out."""


def progress_ratio(progress_m: float, reference_m: float) -> float:
    """``max(ego, 2 m) / max(oracle, 2 m)``, not clipped."""
    return max(progress_m, PROGRESS_LEAST_M) / max(reference_m, PROGRESS_LEAST_M)


def judge(scenario: Scenario, ticks: Ticks, reference_m: float | None) -> dict[str, float]:
    """Every term that applies, in the order of the formula."""
    n, values = ticks.rows, ticks.values
    found = {
        "NC": collision_term(scenario, ticks),
        "DDC": wrong_way_term(float(np.max(ticks.wrong_way_m[:n]))),
        "TTC": float(np.min(values[TTC, :n]) >= TTC_LEAST_S),
    }
    if len(scenario.map.drivable):
        found["DAC"] = float(np.max(values[OFF_ROAD, :n]) <= OFF_ROAD_M)
    if reference_m is not None:
        ratio = progress_ratio(driven_m(ticks), reference_m)
        found["MP"] = float(ratio >= PROGRESS_SHARE)
        found["EP"] = min(max(ratio, 0.0), 1.0)
    if (scenario.lights.state != LightState.UNKNOWN).any():
        found["TLC"] = float(not (values[RED_LANE, :n] >= 0.0).any())
    over = values[OVERSPEED, :n]
    if np.isfinite(over).any():
        found["SL"] = max(0.0, 1.0 - float(np.nansum(over)) / (OVERSPEED_UNIT_MPS * n))
    if n >= LEAST_COMFORT_ROWS:
        found["C"] = float(is_comfortable(ticks.comfort, n))
    return {key: found[key] for key in TERMS if key in found}


def collision_term(scenario: Scenario, ticks: Ticks) -> float:
    """NC: 0 with any road user, 0.5 with one static object, 0 with a second."""
    static = scenario.agents.kind == AgentKind.STATIC
    blamed = ticks.blamed.any(axis=0)
    if (blamed & ~static).any():
        return 0.0
    return max(0.0, 1.0 - 0.5 * int((blamed & static).sum()))


def wrong_way_term(metres: float) -> float:
    """DDC from the most metres driven against the lane within one second."""
    if metres < WRONG_WAY_MINOR_M:
        return 1.0
    return 0.5 if metres <= WRONG_WAY_MAJOR_M else 0.0


def driven_m(ticks: Ticks) -> float:
    """Progress along the route from the first scored row to the last, metres; 0 for a drive nowhere near its route."""
    progress = ticks.values[PROGRESS, : ticks.rows]
    return float(np.nan_to_num(progress[-1] - progress[0])) if len(progress) else 0.0
