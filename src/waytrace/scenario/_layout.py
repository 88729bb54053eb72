"""How scenarios and rollouts lie in arrays (for safetensors) and records (for JSON), and back."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from waytrace.geometry import Polylines

from .plans import PLAN_KNOTS, Rollout
from .types import Agents, Lights, Provenance, RoadMap, Route, Scenario, Script

Arrays = dict[str, NDArray[Any]]
Layout = Mapping[str, tuple[str, tuple[int | str, ...]]]
"""Array name to dtype and shape; a letter is a size that must agree wherever it stands, ``L+1`` is one more."""


def _ragged(name: str, points: str, parts: str) -> dict[str, tuple[str, tuple[int | str, ...]]]:
    return {f"{name}.xy": ("float64", (points, 2)), f"{name}.start": ("int32", (f"{parts}+1",))}


MAP_LAYOUT: Layout = {
    **_ragged("centre", "c", "L"),
    **_ragged("left", "l", "L"),
    **_ragged("right", "r", "L"),
    "successor": ("int32", ("s",)),
    "successor_start": ("int32", ("L+1",)),
    "left_neighbor": ("int32", ("L",)),
    "right_neighbor": ("int32", ("L",)),
    "speed_limit_mps": ("float64", ("L",)),
    "lane_kind": ("uint8", ("L",)),
    "in_intersection": ("bool", ("L",)),
    "lane_control": ("uint8", ("L",)),
    "stop_line_xy": ("float64", ("S", 2, 2)),
    "stop_line_lane": ("int32", ("S",)),
    **_ragged("crosswalk", "w", "W"),
    **_ragged("drivable", "d", "D"),
}

SCENARIO_LAYOUT: Layout = {
    "lights.lane": ("int32", ("K",)),
    "lights.xy": ("float64", ("K", 2)),
    "lights.state": ("uint8", ("T", "K")),
    "agents.kind": ("uint8", ("N",)),
    "agents.size_m": ("float64", ("N", 2)),
    "agents.xy": ("float64", ("N", "T", 2)),
    "agents.heading_rad": ("float64", ("N", "T")),
    "agents.velocity_mps": ("float64", ("N", "T", 2)),
    "agents.valid": ("bool", ("N", "T")),
}

ASSERTIVE_LAYOUT: Layout = {"assertive": ("bool", ("N",))}

ROLLOUT_LAYOUT: Layout = {
    "pose": ("float64", ("T", "N", 3)),
    "speed_mps": ("float64", ("T", "N")),
    "valid": ("bool", ("T", "N")),
    "reactive": ("bool", ("T", "N")),
    "visible": ("bool", ("T", "N")),
    "ego_accel_mps2": ("float64", ("T",)),
    "ego_curvature_1pm": ("float64", ("T",)),
    "lights": ("uint8", ("T", "K")),
    "decision_row": ("int32", ("D",)),
    "plan_waypoints": ("float64", ("D", PLAN_KNOTS, 4)),
    "plan_accel_mps2": ("float64", ("D", PLAN_KNOTS)),
    "plan_curvature_1pm": ("float64", ("D", PLAN_KNOTS)),
}


def mismatches(arrays: Mapping[str, Any], layout: Layout, **sizes: int) -> list[str]:
    """What of ``arrays`` is not as ``layout`` says, in words; empty where all is well. ``sizes`` are known sizes."""
    known = dict(sizes)
    found = [f"{name} is missing" for name in layout if name not in arrays]
    found += [f"{name} is not part of the layout" for name in arrays if name not in layout]
    for name, (dtype, shape) in layout.items():
        array = arrays.get(name)
        if array is None:
            continue
        if not isinstance(array, np.ndarray):
            found.append(f"{name} is {type(array).__name__}, not an array")
            continue
        if array.dtype != np.dtype(dtype):
            found.append(f"{name} is {array.dtype}, not {dtype}")
        if array.ndim != len(shape):
            found.append(f"{name} has shape {array.shape}, not {list(shape)}")
            continue
        for actual, wanted in zip(array.shape, shape, strict=True):
            if isinstance(wanted, str):
                more = 1 if wanted.endswith("+1") else 0
                wanted = known.setdefault(wanted.removesuffix("+1"), max(0, actual - more)) + more
            if actual != wanted:
                found.append(f"{name} has shape {array.shape}, where {list(shape)} with {known} was expected")
                break
    return found


class MapRecord(BaseModel):
    """What of a map is not arrays."""

    model_config = ConfigDict(extra="forbid")
    lane_id: tuple[str, ...]


class ScenarioRecord(BaseModel):
    """What of a scenario is not arrays; the map by its hash."""

    model_config = ConfigDict(extra="forbid")
    id: str
    source: str
    map: str
    agent_id: tuple[str, ...]
    ego_index: int
    route: tuple[tuple[int, ...], ...]
    start_step: int
    end_step: int
    provenance: Provenance
    dt_s: float
    family: str
    cluster: str
    scripts: tuple[Script, ...]
    agent_route: tuple[tuple[int, ...], ...]
    initial_speed_limit_mps: float | None
    assertive: bool
    """Whether there is an array ``assertive``."""


class RolloutRecord(BaseModel):
    """What of a rollout is not arrays."""

    model_config = ConfigDict(extra="forbid")
    scenario_id: str
    scenario_hash: str
    planner: str
    traffic: str
    seed: int
    dt_s: float
    start_step: int
    ego_index: int
    end: str
    info: dict[str, Any]


def _polylines(arrays: Arrays, name: str) -> Polylines:
    return Polylines(arrays[f"{name}.xy"], arrays[f"{name}.start"])


def map_arrays(road: RoadMap) -> Arrays:
    """The arrays of a map, by the names of :data:`MAP_LAYOUT`."""
    arrays: Arrays = {}
    for name in MAP_LAYOUT:
        field, _, part = name.partition(".")
        value = getattr(road, field)
        arrays[name] = getattr(value, part) if part else value
    return arrays


def map_record(road: RoadMap) -> dict[str, Any]:
    """The rest of a map."""
    return {"lane_id": list(road.lane_id)}


def build_map(arrays: Arrays, record: MapRecord) -> RoadMap:
    """A map from :func:`map_arrays` and :func:`map_record`."""
    ragged: dict[str, Any] = {
        name: _polylines(arrays, name) for name in ("centre", "left", "right", "crosswalk", "drivable")
    }
    flat: dict[str, Any] = {name: array for name, array in arrays.items() if "." not in name}
    return RoadMap(lane_id=record.lane_id, **ragged, **flat)


def scenario_layout(assertive: bool) -> Layout:
    """The layout of a scenario's arrays, with or without the row of assertive agents."""
    return {**SCENARIO_LAYOUT, **ASSERTIVE_LAYOUT} if assertive else SCENARIO_LAYOUT


def scenario_arrays(scenario: Scenario) -> Arrays:
    """The arrays of a scenario, without its map's."""
    arrays: Arrays = {}
    for name in SCENARIO_LAYOUT:
        field, _, part = name.partition(".")
        arrays[name] = getattr(getattr(scenario, field), part)
    if scenario.assertive is not None:
        arrays["assertive"] = scenario.assertive
    return arrays


def scenario_record(scenario: Scenario, map_hash: str) -> dict[str, Any]:
    """The rest of a scenario. Numbers take the type of their field, so that equal scenarios give equal records."""
    limit = float(scenario.initial_speed_limit_mps)
    return {
        "id": scenario.id,
        "source": scenario.source,
        "map": map_hash,
        "agent_id": list(scenario.agents.agent_id),
        "ego_index": int(scenario.ego_index),
        "route": [[int(lane) for lane in group] for group in scenario.route.groups],
        "start_step": int(scenario.start_step),
        "end_step": int(scenario.end_step),
        "provenance": {
            **dataclasses.asdict(scenario.provenance),
            "origin_xy": _floats(scenario.provenance.origin_xy),
        },
        "dt_s": float(scenario.dt_s),
        "family": scenario.family,
        "cluster": scenario.cluster,
        "scripts": [_script(script) for script in scenario.scripts],
        "agent_route": [[int(lane) for lane in lanes] for lanes in scenario.agent_route],
        "initial_speed_limit_mps": None if math.isnan(limit) else limit,
        "assertive": scenario.assertive is not None,
    }


def _floats(values: Any) -> list[float]:
    return [float(v) + 0.0 for v in values]


def _script(script: Script) -> dict[str, Any]:
    return {
        "agent": int(script.agent),
        "trigger": int(script.trigger),
        "trigger_value": float(script.trigger_value) + 0.0,
        "action": int(script.action),
        "value": float(script.value) + 0.0,
        "at_xy": _floats(script.at_xy),
        "to_xy": _floats(script.to_xy),
        "target_speed_mps": float(script.target_speed_mps) + 0.0,
        "target_lane": int(script.target_lane),
    }


def build_scenario(road: RoadMap, arrays: Arrays, record: ScenarioRecord) -> Scenario:
    """A scenario from :func:`scenario_arrays` and :func:`scenario_record`."""
    lights = Lights(arrays["lights.lane"], arrays["lights.xy"], arrays["lights.state"])
    agents = Agents(
        agent_id=record.agent_id,
        **{name.removeprefix("agents."): array for name, array in arrays.items() if name.startswith("agents.")},
    )
    limit = record.initial_speed_limit_mps
    return Scenario(
        id=record.id,
        source=record.source,
        map=road,
        lights=lights,
        agents=agents,
        ego_index=record.ego_index,
        route=Route(record.route),
        start_step=record.start_step,
        end_step=record.end_step,
        provenance=record.provenance,
        dt_s=record.dt_s,
        family=record.family,
        cluster=record.cluster,
        scripts=record.scripts,
        agent_route=record.agent_route,
        initial_speed_limit_mps=float("nan") if limit is None else limit,
        assertive=arrays.get("assertive"),
    )


def rollout_arrays(rollout: Rollout) -> Arrays:
    """The arrays of a rollout, by the names of :data:`ROLLOUT_LAYOUT`."""
    return {name: getattr(rollout, name) for name in ROLLOUT_LAYOUT}


def rollout_record(rollout: Rollout) -> dict[str, Any]:
    """The rest of a rollout."""
    return {name: getattr(rollout, name) for name in RolloutRecord.model_fields}


def build_rollout(arrays: Arrays, record: RolloutRecord) -> Rollout:
    """A rollout from :func:`rollout_arrays` and :func:`rollout_record`."""
    fields: dict[str, Any] = {name: getattr(record, name) for name in RolloutRecord.model_fields}
    return Rollout(**fields | arrays)
