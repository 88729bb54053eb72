"""Whether a scenario is well formed: every rule that the types promise and NumPy does not enforce."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import Polylines

from ._layout import MAP_LAYOUT, map_arrays, mismatches, scenario_arrays, scenario_layout, scenario_record
from .hashing import canonical_json
from .types import DT_S, Action, AgentKind, LaneControl, LaneKind, LightState, RoadMap, Scenario, Trigger

FAR_M = 1e6
"""No coordinate of a world may be this far from its origin: float noise would reach a millimetre in float32 users."""


def check_map(road: RoadMap) -> list[str]:
    """What is wrong with a map, in words; empty where nothing is."""
    found = mismatches(map_arrays(road), MAP_LAYOUT, L=len(road))
    return found or list(_map_faults(road))


def check_scenario(scenario: Scenario) -> list[str]:
    """What is wrong with a scenario and its map, in words; empty where nothing is.

    Checked are dtypes, shapes, contiguity, finite values, ragged starts, index ranges, padding, the ego's validity,
    the route's connections, scripts, agent routes and provenance. Not whether the situation makes sense.
    """
    found = [f"map: {fault}" for fault in check_map(scenario.map)]
    shapes = mismatches(
        scenario_arrays(scenario), scenario_layout(scenario.assertive is not None), N=len(scenario.agents)
    )
    if found or shapes:
        return found + shapes
    for faults in (_identity, _light_faults, _agent_faults, _time_faults, _route_faults, _script_faults):
        found += faults(scenario)
    return found


def _map_faults(road: RoadMap) -> Iterator[str]:
    lanes = len(road)
    if len(set(road.lane_id)) != lanes:
        yield "lane ids repeat"
    for name, least in (("centre", 2), ("left", 2), ("right", 2), ("crosswalk", 3), ("drivable", 3)):
        yield from _ragged_faults(name, getattr(road, name), least)
    yield from _starts_faults("successor_start", road.successor_start, len(road.successor))
    yield from _range_faults("successor", road.successor, 0, lanes)
    for name in ("left_neighbor", "right_neighbor"):
        neighbor = getattr(road, name)
        yield from _range_faults(name, neighbor, -1, lanes)
        if (neighbor == np.arange(lanes)).any():
            yield f"{name} of lane {int(np.argmax(neighbor == np.arange(lanes)))} is itself"
    yield from _range_faults("stop_line_lane", road.stop_line_lane, 0, lanes)
    yield from _enum_faults("lane_kind", road.lane_kind, LaneKind)
    yield from _enum_faults("lane_control", road.lane_control, LaneControl)
    yield from _finite_faults("stop_line_xy", road.stop_line_xy)
    limit = road.speed_limit_mps[~np.isnan(road.speed_limit_mps)]
    if not (np.isfinite(limit) & (limit > 0)).all():
        yield "speed_limit_mps holds a limit that is neither positive nor NaN"


def _ragged_faults(name: str, lines: Polylines, least: int) -> Iterator[str]:
    starts = list(_starts_faults(f"{name}.start", lines.start, len(lines.xy)))
    yield from starts
    short = np.flatnonzero(np.diff(lines.start) < least)
    if not starts and len(short):
        yield f"{name} {int(short[0])} has {len(lines[int(short[0])])} points, fewer than {least}"
    yield from _finite_faults(f"{name}.xy", lines.xy)


def _starts_faults(name: str, start: NDArray[np.int32], total: int) -> Iterator[str]:
    if start[0] != 0 or start[-1] != total or (np.diff(start) < 0).any():
        yield f"{name} does not rise from 0 to {total}"


def _range_faults(name: str, index: NDArray[Any], low: int, high: int) -> Iterator[str]:
    wrong = np.flatnonzero((index < low) | (index >= high))
    if len(wrong):
        yield f"{name}[{int(wrong[0])}] is {int(index[wrong[0]])}, not within {low}..{high - 1}"


def _enum_faults(name: str, value: NDArray[Any], kind: type[IntEnum]) -> Iterator[str]:
    wrong = value[~np.isin(value, [int(member) for member in kind])]
    if wrong.size:
        yield f"{name} holds {int(wrong.flat[0])}, which is no {kind.__name__}"


def _finite_faults(name: str, array: NDArray[np.float64], far: float = FAR_M) -> Iterator[str]:
    if not np.isfinite(array).all():
        yield f"{name} holds a value that is not finite"
    elif array.size and np.abs(array).max() > far:
        yield f"{name} holds {float(np.abs(array).max()):.6g}, beyond {far:g}"


def _identity(scenario: Scenario) -> Iterator[str]:
    if not scenario.id:
        yield "id is empty"
    if not scenario.source:
        yield "source is empty"
    if not scenario.provenance.licence:
        yield "provenance.licence is empty"
    try:
        canonical_json(scenario_record(scenario, "")).encode()
    except (ValueError, TypeError) as error:
        yield f"the record is not plain JSON: {error}"


def _light_faults(scenario: Scenario) -> Iterator[str]:
    yield from _range_faults("lights.lane", scenario.lights.lane, 0, len(scenario.map))
    yield from _finite_faults("lights.xy", scenario.lights.xy)
    yield from _enum_faults("lights.state", scenario.lights.state, LightState)


def _agent_faults(scenario: Scenario) -> Iterator[str]:
    agents = scenario.agents
    if len(set(agents.agent_id)) != len(agents):
        yield "agent ids repeat"
    yield from _enum_faults("agents.kind", agents.kind, AgentKind)
    yield from _finite_faults("agents.size_m", agents.size_m)
    if not (agents.size_m > 0).all():
        yield f"agents.size_m of agent {int(np.argmax((agents.size_m <= 0).any(axis=1)))} is not positive"
    for name in ("xy", "heading_rad", "velocity_mps"):
        array = getattr(agents, name)
        if not array.flags.c_contiguous:
            yield f"agents.{name} is not C-contiguous"
        yield from _finite_faults(f"agents.{name}", array)
        if array[~agents.valid].any():
            yield f"agents.{name} is not 0 where valid is false"


def _time_faults(scenario: Scenario) -> Iterator[str]:
    if scenario.dt_s != DT_S:
        yield f"dt_s is {scenario.dt_s:g}, not {DT_S:g}"
    if not 0 <= scenario.ego_index < len(scenario.agents):
        yield f"ego_index is {scenario.ego_index}, with {len(scenario.agents)} agents"
        return
    if not 0 <= scenario.start_step < scenario.steps:
        yield f"start_step is {scenario.start_step}, not within 0..{scenario.steps - 1}"
        return
    if scenario.end_step <= scenario.start_step:
        yield f"end_step {scenario.end_step} is not after start_step {scenario.start_step}"
    valid = scenario.agents.valid[scenario.ego_index]
    if not valid[scenario.start_step]:
        yield f"the ego is not valid at start_step {scenario.start_step}"
    if scenario.recorded and scenario.end_step > scenario.start_step:
        if scenario.end_step >= scenario.steps:
            yield f"end_step {scenario.end_step} is beyond the recording's {scenario.steps} steps"
        elif not valid[scenario.end_step]:
            yield f"the ego is not valid at end_step {scenario.end_step}"


def _route_faults(scenario: Scenario) -> Iterator[str]:
    groups, road = scenario.route.groups, scenario.map
    if not groups:
        yield "the route is empty"
    for i, group in enumerate(groups):
        if not group or len(set(group)) != len(group):
            yield f"route group {i} is empty or names a lane twice"
    outside = [lane for lane in scenario.route.lanes if not 0 <= lane < len(road)]
    if outside:
        yield f"the route names lane {outside[0]}, with {len(road)} lanes"
        return
    for i, (group, following) in enumerate(itertools.pairwise(groups)):
        if not _leads_on(road, group, following):
            yield f"route group {i} does not lead on to group {i + 1}"


def _leads_on(road: RoadMap, lanes: Iterable[int], following: Iterable[int]) -> bool:
    wanted = set(following)
    return any(wanted.intersection(road.successors(lane).tolist()) for lane in lanes)


def _script_faults(scenario: Scenario) -> Iterator[str]:
    agents, road = len(scenario.agents), scenario.map
    for i, script in enumerate(scenario.scripts):
        if not 0 <= script.agent < agents or script.agent == scenario.ego_index:
            yield f"script {i} is for agent {script.agent}, the ego or none at all"
        if script.trigger is Trigger.AFTER and (i == 0 or scenario.scripts[i - 1].agent != script.agent):
            yield f"script {i} comes after another of agent {script.agent}, but the one before it is not"
        least = 0 if script.action is Action.CHANGE_LANE else -1
        if not least <= script.target_lane < len(road):
            yield f"script {i} has target_lane {script.target_lane}, with {len(road)} lanes"
    routes = scenario.agent_route
    if routes and len(routes) != agents:
        yield f"agent_route has {len(routes)} entries for {agents} agents"
    for agent, lanes in enumerate(routes):
        if any(not 0 <= lane < len(road) for lane in lanes):
            yield f"agent_route of agent {agent} names a lane that is not there"
            continue
        for lane, following in itertools.pairwise(lanes):
            beside = (int(road.left_neighbor[lane]), int(road.right_neighbor[lane]))
            if following not in beside and not _leads_on(road, (lane,), (following,)):
                yield f"agent_route of agent {agent}: lane {lane} does not lead on to lane {following}"
