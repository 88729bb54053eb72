"""Score one recorded drive: terms, total, per-tick rows, figures and events."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from waytrace.rules import (
    CONTACT_NAMES,
    JERK,
    LAT_ACCEL,
    LATERAL,
    LON_ACCEL,
    LON_JERK,
    NO_CONTACT,
    YAW_ACCEL,
    YAW_RATE,
)
from waytrace.rules.limits import (
    OFF_ROAD_M,
    TTC_STEP_S,
    TTC_STEPS,
)
from waytrace.scenario import AgentKind, Rollout, Scenario
from waytrace.scenario.index import CompiledMaps

from ._ticks import AT_FAULT, COLLISION, LIMIT, OFF_ROAD, OVERSPEED, PROGRESS, RED_LANE, TTC, Drive, Ticks, measure
from .formula import total
from .judge import driven_m, judge
from .navsim import plan_figures
from .result import Event, ScenarioScore

_CAUSES = {
    "front": "The ego's front struck {who}, which was moving.",
    "stopped_track": "The ego struck {who}, which was standing.",
    "lateral": "The ego touched {who} at the side while it was {lane}.",
    "rear": "{who} struck the ego from behind.",
    "stopped_ego": "{who} struck the ego, which was standing.",
}


def score_rollout(
    scenario: Scenario,
    rollout: Rollout,
    reference_progress_m: float | None,
    *,
    maps: CompiledMaps | None = None,
    number: int = 0,
) -> ScenarioScore:
    """Judge a drive by the frozen score.

    ``reference_progress_m`` is what the oracle makes of this scenario, metres along the route; with None (or NaN) EP
    and MP are left out. ``maps`` saves compiling the map again: the scenario is number ``number`` in it.

    Raises ``ValueError`` where the rollout is not one of this scenario.
    """
    _check(scenario, rollout)
    rows = scored_rows(scenario, rollout)
    drive = Drive(rollout.pose, rollout.speed_mps, rollout.valid, rollout.lights, rows)
    ticks = measure(scenario, drive, maps, number)
    reference = None if reference_progress_m is None or np.isnan(reference_progress_m) else float(reference_progress_m)
    terms = judge(scenario, ticks, reference)
    return ScenarioScore(
        scenario.id,
        total(terms),
        terms,
        tuple(terms),
        _rows(ticks),
        _figures(scenario, rollout, ticks, reference),
        _events(scenario, rollout, ticks),
    )


def drive_terms(
    scenario: Scenario, rollout: Rollout, reference_progress_m: float, *, maps: CompiledMaps | None = None
) -> tuple[float, dict[str, float]]:
    """(progress along the route, metres; the score's terms) of a drive, without rows, figures and events."""
    drive = Drive(rollout.pose, rollout.speed_mps, rollout.valid, rollout.lights, scored_rows(scenario, rollout))
    ticks = measure(scenario, drive, maps, 0)
    return driven_m(ticks), judge(scenario, ticks, reference_progress_m)


def scored_rows(scenario: Scenario, rollout: Rollout) -> int:
    """Rows of a rollout that count: up to the scenario's last step and as long as the ego is there."""
    rows = min(len(rollout.pose), scenario.end_step - rollout.start_step + 1)
    gone = np.flatnonzero(~rollout.valid[:rows, rollout.ego_index])
    return int(gone[0]) if len(gone) else int(rows)


def _rows(ticks: Ticks) -> dict[str, NDArray[np.float64]]:
    v, c = ticks.values, ticks.comfort
    return {
        "collision": v[COLLISION].copy(),
        "at_fault": v[AT_FAULT].copy(),
        "off_road_m": v[OFF_ROAD].copy(),
        "wrong_way_m": ticks.wrong_way_m,
        "red_light": (v[RED_LANE] >= 0.0).astype(np.float64),
        "ttc_s": v[TTC].copy(),
        "speed_limit_mps": v[LIMIT].copy(),
        "overspeed_mps": v[OVERSPEED].copy(),
        "lon_accel_mps2": c[LON_ACCEL].copy(),
        "lat_accel_mps2": c[LAT_ACCEL].copy(),
        "jerk_mps3": c[JERK].copy(),
        "lon_jerk_mps3": c[LON_JERK].copy(),
        "yaw_rate_radps": c[YAW_RATE].copy(),
        "yaw_accel_radps2": c[YAW_ACCEL].copy(),
        "progress_m": v[PROGRESS] - v[PROGRESS, 0],
    }


def _figures(scenario: Scenario, rollout: Rollout, ticks: Ticks, reference_m: float | None) -> dict[str, float]:
    n, values = ticks.rows, ticks.values
    figures = {
        "collision": float((ticks.began[:n] != NO_CONTACT).any()),
        "at_fault": float(ticks.blamed[:n].sum()),
        "off_road": float(np.max(values[OFF_ROAD, :n]) > OFF_ROAD_M),
        "red_light": float((values[RED_LANE, :n] >= 0.0).sum()),
        "min_ttc_s": min(float(np.min(values[TTC, :n])), TTC_STEP_S * TTC_STEPS),
        "progress_m": driven_m(ticks),
        "scored_s": (n - 1) * scenario.dt_s,
    }
    if reference_m is not None:
        figures["reference_progress_m"] = reference_m
    return figures | displacement(scenario, rollout, n) | plan_figures(scenario, rollout)


def displacement(scenario: Scenario, rollout: Rollout, rows: int) -> dict[str, float]:
    """``ade_m`` and ``fde_m``: mean and last distance to the logged ego, over rows after the first that the log has."""
    ego, start = scenario.ego_index, rollout.start_step
    logged = scenario.agents.valid[ego, start + 1 : start + rows]
    if not logged.any():
        return {}
    step = np.flatnonzero(logged) + 1
    gap = np.hypot(*(rollout.pose[step, rollout.ego_index, :2] - scenario.agents.xy[ego, start + step]).T)
    return {"ade_m": float(gap.mean()), "fde_m": float(gap[-1])}


def _events(scenario: Scenario, rollout: Rollout, ticks: Ticks) -> tuple[Event, ...]:
    found = []
    for row, other in np.argwhere(ticks.began != NO_CONTACT):
        kind, blamed = int(ticks.began[row, other]), bool(ticks.blamed[row, other])
        name = CONTACT_NAMES[kind]
        what = AgentKind(int(scenario.agents.kind[other])).name.lower().replace("_", " ")
        lane = "" if kind != LATERAL else "not wholly in one lane" if blamed else "wholly in one lane"
        cause = _CAUSES[name].format(who=f"{what} {scenario.agents.agent_id[other]}", lane=lane)
        agent = scenario.agents.agent_id[other]
        cause = cause[0].upper() + cause[1:]
        found.append(Event(int(row), float(row) * rollout.dt_s, name, blamed, agent, cause))
    for row in np.flatnonzero(ticks.values[RED_LANE] >= 0.0):
        lane_id = scenario.map.lane_id[int(ticks.values[RED_LANE, row]) - ticks.lane_base]
        cause = f"The ego's front entered connector {lane_id} while its light was red."
        found.append(Event(int(row), float(row) * rollout.dt_s, "red_light", True, lane_id, cause))
    return tuple(sorted(found, key=lambda e: (e.row, e.kind, e.agent_id)))


def _check(scenario: Scenario, rollout: Rollout) -> None:
    if rollout.scenario_id != scenario.id or rollout.pose.shape[1] != len(scenario.agents):
        raise ValueError(
            f"The rollout is of scenario {rollout.scenario_id!r} with {rollout.pose.shape[1]} agents, not of "
            f"{scenario.id!r} with {len(scenario.agents)}."
        )
    if rollout.ego_index != scenario.ego_index:
        raise ValueError(
            f"The rollout of {scenario.id!r} is of agent {rollout.ego_index}; its ego is agent {scenario.ego_index}."
        )
    if not rollout.valid[0, rollout.ego_index]:
        raise ValueError(f"The ego is absent in the first row of the rollout of {scenario.id!r}: nothing to score.")
