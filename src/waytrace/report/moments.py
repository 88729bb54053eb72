"""The moments of a drive worth looking at, and the worst of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from waytrace.score import ScenarioScore

OFF_ROAD_M = 0.3
WRONG_WAY_M = 2.0
TTC_S = 0.95
LON_ACCEL_MPS2 = (-4.05, 2.40)
LAT_ACCEL_MPS2 = 4.89
JERK_MPS3 = 8.37
OVERSPEED_MPS = 0.5
"""Overspeed below this is not worth a mark on the time line (the score counts all of it)."""


@dataclass(frozen=True)
class Moment:
    """A stretch of rows in which something went wrong. ``severity`` 0 is the worst."""

    row: int
    until: int
    kind: str
    label: str
    severity: int


def moments(score: ScenarioScore) -> list[Moment]:
    """What went wrong, in order of time. Ticks that the score does not hold are passed over."""
    t = {key: np.asarray(values, dtype=np.float64) for key, values in score.ticks.items()}
    found: list[Moment] = []

    def mark(key: str, bad: NDArray[np.bool_], kind: str, label: str, severity: int) -> None:
        edges = np.flatnonzero(np.diff(np.concatenate([[False], bad, [False]])))
        for row, until in edges.reshape(-1, 2):
            extreme = _extreme(t[key][row:until])
            found.append(Moment(int(row), int(until) - 1, kind, label.format(extreme), severity))

    if "at_fault" in t:
        mark("at_fault", t["at_fault"] > 0, "at_fault", "At-fault collision", 0)
    if "collision" in t:
        blame = t["at_fault"] > 0 if "at_fault" in t else np.zeros(len(t["collision"]), np.bool_)
        blame = np.maximum.accumulate(blame)
        mark("collision", (t["collision"] > 0) & ~blame, "collision", "Collision, not at fault", 4)
    if "red_light" in t:
        mark("red_light", t["red_light"] > 0, "red_light", "Entered on red", 1)
    if "off_road_m" in t:
        mark("off_road_m", t["off_road_m"] > OFF_ROAD_M, "off_road", "Off the road by {:.1f} m", 2)
    if "wrong_way_m" in t:
        mark("wrong_way_m", t["wrong_way_m"] > WRONG_WAY_M, "wrong_way", "Against the lane, {:.1f} m in 1 s", 3)
    if "ttc_s" in t and score.terms.get("TTC", 1.0) < 1.0:
        mark("ttc_s", t["ttc_s"] < TTC_S, "ttc", "Time to collision under 0.95 s", 5)
    if "overspeed_mps" in t:
        mark("overspeed_mps", t["overspeed_mps"] > OVERSPEED_MPS, "overspeed", "Over the limit by {:.1f} m/s", 6)
    if score.terms.get("C", 1.0) < 1.0:
        if "lon_accel_mps2" in t:
            a = t["lon_accel_mps2"]
            bad = (a < LON_ACCEL_MPS2[0]) | (a > LON_ACCEL_MPS2[1])
            mark("lon_accel_mps2", bad, "comfort", "Longitudinal acceleration {:.1f} m/s²", 7)
        if "lat_accel_mps2" in t:
            bad = np.abs(t["lat_accel_mps2"]) > LAT_ACCEL_MPS2
            mark("lat_accel_mps2", bad, "comfort", "Lateral acceleration {:.1f} m/s²", 7)
        if "jerk_mps3" in t:
            mark("jerk_mps3", np.abs(t["jerk_mps3"]) > JERK_MPS3, "comfort", "Jerk {:.1f} m/s³", 7)
    return sorted(found, key=lambda m: (m.row, m.severity))


def worst_moment(score: ScenarioScore) -> tuple[int, str]:
    """Row to open a drive at, and what happens there: the gravest moment, else the least time to collision, else 0."""
    found = moments(score)
    if found:
        worst = min(found, key=lambda m: (m.severity, m.row))
        return worst.row, worst.label
    ttc = np.asarray(score.ticks.get("ttc_s", ()), dtype=np.float64)
    ttc = np.where(np.isfinite(ttc), ttc, np.inf)
    if len(ttc) and ttc.min() < 3.0:
        return int(np.argmin(ttc)), f"shortest time to collision, {ttc.min():.1f} s"
    return 0, ""


def _extreme(values: NDArray[np.float64]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite[np.argmax(np.abs(finite))]) if len(finite) else float("nan")
