"""The moments of a drive worth looking at, and the worst of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from waytrace.rules.limits import (
    JERK_MPS3,
    LAT_ACCEL_MPS2,
    LON_ACCEL_HIGH_MPS2,
    LON_ACCEL_LOW_MPS2,
    LON_JERK_MPS3,
    OFF_ROAD_M,
    TTC_LEAST_S,
    WRONG_WAY_MINOR_M,
    YAW_ACCEL_RADPS2,
    YAW_RATE_RADPS,
)

if TYPE_CHECKING:
    from waytrace.score import Event, ScenarioScore

OVERSPEED_MPS = 0.5
"""Overspeed below this is not worth a mark on the time line (the score counts all of it)."""

_CLASHES = {True: ("at_fault", "At-fault collision", 0), False: ("collision", "Collision, not at fault", 4)}
_ON_RED = ("red_light", "Entered on red", 1)
_COMFORT = (
    ("lon_accel_mps2", LON_ACCEL_LOW_MPS2, LON_ACCEL_HIGH_MPS2, "Longitudinal acceleration {} m/s²"),
    ("lat_accel_mps2", -LAT_ACCEL_MPS2, LAT_ACCEL_MPS2, "Lateral acceleration {} m/s²"),
    ("jerk_mps3", -JERK_MPS3, JERK_MPS3, "Jerk {} m/s³"),
    ("lon_jerk_mps3", -LON_JERK_MPS3, LON_JERK_MPS3, "Longitudinal jerk {} m/s³"),
    ("yaw_rate_radps", -YAW_RATE_RADPS, YAW_RATE_RADPS, "Yaw rate {} rad/s"),
    ("yaw_accel_radps2", -YAW_ACCEL_RADPS2, YAW_ACCEL_RADPS2, "Yaw acceleration {} rad/s²"),
)


@dataclass(frozen=True)
class Moment:
    """A stretch of rows in which something went wrong. ``severity`` 0 is the worst."""

    row: int
    until: int
    kind: str
    label: str
    severity: int
    detail: str = ""
    """Why, in a sentence, where the score says so."""


def moments(score: ScenarioScore) -> list[Moment]:
    """What went wrong, in order of time. Ticks that the score does not hold are passed over.

    Collisions and red lights are the score's events; without any, the runs of the ticks of the same names.
    """
    t = {key: np.asarray(values, dtype=np.float64) for key, values in score.ticks.items()}
    found: list[Moment] = []

    def mark(key: str, bad: NDArray[np.bool_], kind: str, label: str, severity: int) -> None:
        for row, until in _stretches(bad):
            extreme = f"{_extreme(t[key][row:until]):.1f}".replace("-", "\u2212")
            found.append(Moment(row, until - 1, kind, label.format(extreme), severity))

    if score.events:
        found += [_of_event(event, t) for event in score.events]
    else:
        blamed = np.nan_to_num(t.get("at_fault", np.zeros(0))) > 0
        if len(blamed):
            mark("at_fault", blamed, *_CLASHES[True])
        if "collision" in t:
            before = np.maximum.accumulate(blamed) if len(blamed) else np.zeros(len(t["collision"]), np.bool_)
            mark("collision", (t["collision"] > 0) & ~before, *_CLASHES[False])
        if "red_light" in t:
            mark("red_light", t["red_light"] > 0, *_ON_RED)
    if "off_road_m" in t:
        mark("off_road_m", t["off_road_m"] > OFF_ROAD_M, "off_road", "Off the road by {} m", 2)
    if "wrong_way_m" in t:
        mark("wrong_way_m", t["wrong_way_m"] >= WRONG_WAY_MINOR_M, "wrong_way", "Against the lane, {} m in 1 s", 3)
    if "progress_m" in t and score.terms.get("MP", 1.0) < 1.0:
        row = _standstill(t["progress_m"])
        found.append(Moment(row, len(t["progress_m"]) - 1, "progress", "Too little progress from here on", 3))
    if "ttc_s" in t and score.terms.get("TTC", 1.0) < 1.0:
        mark("ttc_s", t["ttc_s"] < TTC_LEAST_S, "ttc", f"Time to collision under {TTC_LEAST_S} s", 5)
    if "overspeed_mps" in t:
        mark("overspeed_mps", t["overspeed_mps"] > OVERSPEED_MPS, "overspeed", "Over the limit by {} m/s", 6)
    if score.terms.get("C", 1.0) < 1.0:
        for key, low, high, label in _COMFORT:
            if key in t:
                mark(key, (t[key] < low) | (t[key] > high), "comfort", label, 7)
    return sorted(found, key=lambda m: (m.row, m.severity))


def _of_event(event: Event, ticks: dict[str, NDArray[np.float64]]) -> Moment:
    on_red = event.kind == "red_light"
    kind, label, severity = _ON_RED if on_red else _CLASHES[event.at_fault]
    ends = [until - 1 for row, until in _stretches(ticks.get(kind, np.zeros(0)) > 0) if row <= event.row < until]
    return Moment(event.row, ends[0] if ends else event.row, kind, label, severity, event.cause)


def _standstill(progress_m: NDArray[np.float64]) -> int:
    """First row from which less than a metre more of progress was made."""
    ahead = np.nanmax(progress_m) - np.nan_to_num(progress_m) if np.isfinite(progress_m).any() else progress_m
    return int(np.argmax(ahead < 1.0))


def _stretches(bad: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First row and the row after the last of every run of true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], bad, [False]])))
    return [(int(row), int(until)) for row, until in edges.reshape(-1, 2)]


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
