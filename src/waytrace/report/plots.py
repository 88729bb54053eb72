"""The per-tick rows of a drive as the plots under the player: what is drawn, with which bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
from waytrace.scenario import LaneKind, RoadMap, Rollout, Scenario

from .codec import delta, pack, quantise, runs

if TYPE_CHECKING:
    from waytrace.score import ScenarioScore

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PlotSpec:
    """How one row of ticks is drawn. ``low``/``high`` are the bounds it should stay within (None: none)."""

    key: str
    title: str
    unit: str
    term: str
    low: float | None = None
    high: float | None = None
    span: tuple[float, float] | None = None
    """Value range shown at least."""
    cap: float | None = None
    """Values above are drawn at the top edge."""


def _comfort(key: str, title: str, unit: str, bound: float) -> PlotSpec:
    return PlotSpec(key, title, unit, "C", -bound, bound, (-1.1 * bound, 1.1 * bound))


PLOTS = (
    PlotSpec("speed_mps", "Speed", "m/s", "SL", span=(0.0, 10.0)),
    PlotSpec("progress_m", "Progress", "m", "EP", span=(0.0, 10.0)),
    PlotSpec("ttc_s", "Time to collision", "s", "TTC", low=TTC_LEAST_S, span=(0.0, 3.0), cap=3.0),
    PlotSpec("off_road_m", "Off the road", "m", "DAC", high=OFF_ROAD_M, span=(0.0, 2 * OFF_ROAD_M)),
    PlotSpec("wrong_way_m", "Against the lane, in 1 s", "m", "DDC", high=WRONG_WAY_MINOR_M, span=(0.0, 3.0)),
    PlotSpec(
        "lon_accel_mps2", "Longitudinal acceleration", "m/s²", "C",
        LON_ACCEL_LOW_MPS2, LON_ACCEL_HIGH_MPS2, (-4.5, 3.0),
    ),
    _comfort("lat_accel_mps2", "Lateral acceleration", "m/s²", LAT_ACCEL_MPS2),
    _comfort("jerk_mps3", "Jerk", "m/s³", JERK_MPS3),
    _comfort("lon_jerk_mps3", "Longitudinal jerk", "m/s³", LON_JERK_MPS3),
    _comfort("yaw_rate_radps", "Yaw rate", "rad/s", YAW_RATE_RADPS),
    _comfort("yaw_accel_radps2", "Yaw acceleration", "rad/s²", YAW_ACCEL_RADPS2),
)  # fmt: skip
FLAGS = (
    ("at_fault", "At-fault collision", "NC"),
    ("collision", "Collision", "NC"),
    ("red_light", "Red light", "TLC"),
)
_DERIVED = {"overspeed_mps", "speed_limit_mps"}


def plots(scenario: Scenario, rollout: Rollout, score: ScenarioScore) -> list[dict[str, Any]]:
    """The plots of one drive, ready for JSON. Rows that neither score nor rollout holds are left out."""
    ego = rollout.ego_index
    speed = np.asarray(rollout.speed_mps[:, ego], dtype=np.float64)
    ticks = {key: np.asarray(values, dtype=np.float64) for key, values in score.ticks.items()}
    ticks["speed_mps"] = speed
    ticks.setdefault("lon_accel_mps2", np.asarray(rollout.ego_accel_mps2, dtype=np.float64))
    ticks.setdefault("lat_accel_mps2", speed**2 * np.asarray(rollout.ego_curvature_1pm, dtype=np.float64))
    drawn = []
    for spec in (spec for spec in PLOTS if spec.key in ticks):
        plot = _line(spec, ticks[spec.key])
        if spec.key == "speed_mps":
            limit = ticks["speed_limit_mps"] if "speed_limit_mps" in ticks else limits_along(scenario, rollout)
            if np.isfinite(limit).any():
                plot["limit"] = _series(limit, 0.01)
        if spec.key == "progress_m":
            reference = float(score.figures.get("reference_progress_m", np.nan))
            if np.isfinite(reference):
                plot["reference"] = round(reference, 2)
        drawn.append(plot)
    flags = [
        {"key": key, "name": name, "term": term, "on": runs(np.nan_to_num(ticks[key]) > 0)}
        for key, name, term in FLAGS
        if key in ticks
    ]
    if flags:
        drawn.insert(2, {"key": "events", "title": "Collisions and red lights", "rows": flags, "n": len(speed)})
    known = {p.key for p in PLOTS} | {key for key, *_ in FLAGS} | _DERIVED
    unknown = [key for key in sorted(set(ticks) - known) if ticks[key].shape == speed.shape]
    return drawn + [_line(PlotSpec(key, *_named(key), ""), ticks[key]) for key in unknown]


def limits_along(scenario: Scenario, rollout: Rollout) -> Array:
    """Speed limit in m/s at each row of the ego, [T]: of the nearest lane that runs its way; NaN where none is posted.

    Lanes of the route come first: off it only where no lane of the route is within 4 m.
    """
    road = scenario.map
    pose = np.asarray(rollout.pose[:, rollout.ego_index], dtype=np.float64)
    limit = np.full(len(pose), np.nan)
    if not np.isfinite(road.speed_limit_mps).any():
        return limit
    on_route = np.zeros(len(road), np.bool_)
    on_route[list(scenario.route.lanes)] = True
    vehicle = np.isin(road.lane_kind, (LaneKind.VEHICLE, LaneKind.BUS))
    route_distance, route_lane = _nearest(road, np.flatnonzero(on_route), pose)
    lane = np.where(route_distance <= 4.0, route_lane, -1)
    if (lane < 0).any():
        distance, other = _nearest(road, np.flatnonzero(vehicle), pose[lane < 0])
        lane[lane < 0] = np.where(distance <= 4.0, other, -1)
    limit[lane >= 0] = road.speed_limit_mps[lane[lane >= 0]]
    return limit


def _nearest(road: RoadMap, lanes: NDArray[np.int64], pose: Array) -> tuple[Array, NDArray[np.int64]]:
    """Distance to, and index of, the nearest of ``lanes`` whose direction is within 60 degrees, per pose [T, 3]."""
    best, who = np.full(len(pose), np.inf), np.full(len(pose), -1, dtype=np.int64)
    low, high = pose[:, :2].min(0) - 10.0, pose[:, :2].max(0) + 10.0
    for lane in lanes:
        xy = road.centre[int(lane)]
        if len(xy) < 2 or (xy.max(0) < low).any() or (xy.min(0) > high).any():
            continue
        a, d = xy[:-1], np.diff(xy, axis=0)
        rel = pose[:, None, :2] - a
        t = np.clip((rel * d).sum(-1) / np.maximum((d**2).sum(-1), 1e-18), 0.0, 1.0)
        away = np.hypot(*np.moveaxis(rel - t[..., None] * d, -1, 0))
        turn = np.cos(np.arctan2(d[:, 1], d[:, 0]) - pose[:, 2:3])
        away = np.where(turn > 0.5, away, np.inf).min(-1)
        who = np.where(away < best, lane, who)
        best = np.minimum(best, away)
    return best, who


def _line(spec: PlotSpec, values: Array) -> dict[str, Any]:
    plot: dict[str, Any] = {"key": spec.key, "title": spec.title, "unit": spec.unit, "term": spec.term}
    for name in ("low", "high", "span", "cap"):
        if getattr(spec, name) is not None:
            plot[name] = getattr(spec, name)
    shown = values if spec.cap is None else np.where(values > 10.0 * spec.cap, np.inf, values)
    plot["value"] = _series(shown, 0.01)
    return plot


def _series(values: Array, step: float) -> dict[str, Any]:
    finite = np.isfinite(values)
    bounded = np.clip(np.where(finite, values, 0.0), -1e9, 1e9)
    return {"step": step, "x": pack(delta(quantise(bounded, step))), "finite": runs(finite)}


def _named(key: str) -> tuple[str, str]:
    units = {"_mps3": "m/s³", "_mps2": "m/s²", "_mps": "m/s", "_radps2": "rad/s²", "_radps": "rad/s", "_rad": "rad",
             "_1pm": "1/m", "_m": "m", "_s": "s"}  # fmt: skip
    for suffix, unit in units.items():
        if key.endswith(suffix):
            return key[: -len(suffix)].replace("_", " ").capitalize(), unit
    return key.replace("_", " ").capitalize(), ""
