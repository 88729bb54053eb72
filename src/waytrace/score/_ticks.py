"""The per-tick rows of one drive. Its ticks are laid out as "worlds", so that the rules' kernels run on them as is."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit
from waytrace.rules import (
    COMFORT_ROWS,
    LATERAL,
    NO_CONTACT,
    RED,
    SCRATCH_ROWS,
    comfort_rows,
    enters_connector,
    find_contacts,
    is_at_fault,
    off_road_m,
    overspeed_mps,
    pair_contact,
    progress_m,
    red_light_entry,
    speed_limit_mps,
    time_to_collision_s,
    wholly_in_one_lane,
    wrong_way_step_m,
)
from waytrace.rules.limits import WRONG_WAY_WINDOW_S
from waytrace.scenario import Scenario
from waytrace.scenario.index import MAP_INDEX, ROUTE_INDEX, CompiledMaps, MapIndex, RouteIndex, compile_maps
from waytrace.scenario.lanes import locate, project_on_lane
from waytrace.scenario.state import AGENT_STATE, LIGHT_ARRAYS, AgentState, LightArrays

COLLISION, AT_FAULT, OFF_ROAD, WRONG_WAY, RED_LANE, TTC, LIMIT, OVERSPEED, PROGRESS, LANE = range(10)
ROWS = 10

LOOK_AHEAD_ROWS = 50
"""Rows in which it shows which connector of several the ego has taken."""
DOUBT_M = 0.2
"""A connector on red must fit the drive better than a free one by this much, or the free one is believed."""

Array = NDArray[np.float64]


@jit("i8", MAP_INDEX, AGENT_STATE, LIGHT_ARRAYS, "i8", "i8", "i8")
def driven_connector(m: MapIndex, a: AgentState, lights: LightArrays, ego: int, t: int, rows: int) -> int:
    """Of the controlled connectors that the ego enters between t - 1 and t, the one its further drive follows best.

    -1 where it enters none. Nearness is the mean distance of the box centre over the next 5 s, as long as the centre
    has not passed the connector's end.
    """
    best, least = -1, math.inf
    for k in range(lights.lane.shape[1]):
        lane = lights.lane[t - 1, k]
        if lane < 0 or not enters_connector(
            m, lane, lights.x[t - 1, k], lights.y[t - 1, k], a.x[t - 1, ego], a.y[t - 1, ego], a.heading[t - 1, ego],
            a.x[t, ego], a.y[t, ego], a.heading[t, ego], a.length[t, ego],
        ):  # fmt: skip
            continue
        total, count = 0.0, 0
        for u in range(t, min(rows, t + LOOK_AHEAD_ROWS)):
            s, _, distance = project_on_lane(m, lane, a.x[u, ego], a.y[u, ego], -1.0)
            if s > m.lane_length[lane]:
                break
            total += distance
            count += 1
        mean = total / max(count, 1)
        if lights.state[t - 1, k] == RED:
            mean += DOUBT_M
        if mean < least:
            best, least = lane, mean
    return best


@jit(
    "void", MAP_INDEX, ROUTE_INDEX, AGENT_STATE, LIGHT_ARRAYS, "i8", "i8", "i8", "i8", "b1[:,:]", "u1[:,:]", "b1[:,:]",
    "f8[:,:]",
)  # fmt: skip
def fill_ticks(
    m: MapIndex, r: RouteIndex, a: AgentState, lights: LightArrays, number: int, route: int, ego: int, rows: int,
    marks: NDArray[np.bool_], began: NDArray[np.uint8], blamed: NDArray[np.bool_], out: Array,
) -> None:  # fmt: skip
    """Fill ``out`` [ROWS, T] for the first ``rows`` ticks; ``a`` and ``lights`` hold tick t as world t.

    ``marks`` [3, A]: agents struck so far (at first those that touch the ego in the first row, which do not count),
    those of them that count, those of these that are the ego's fault.
    ``began`` [T, A] gets the kind of each contact at the tick it begins, ``blamed`` [T, A] whether it is at fault.
    """
    n = a.x.shape[1]
    struck, counted, fault = marks[0], marks[1], marks[2]
    lane, last = -1, math.nan
    for t in range(rows):
        x, y, h = a.x[t, ego], a.y[t, ego], a.heading[t, ego]
        length, width = a.length[t, ego], a.width[t, ego]
        lane, s, d = locate(m, number, x, y, h, lane)
        a.lane[t, ego], a.lane_s[t, ego], a.lane_d[t, ego] = lane, s, d
        newly_at_fault = False
        for o in range(n):
            if o == ego or (struck[o] and not counted[o]):
                continue
            kind = pair_contact(a, t, ego, o)
            if kind == NO_CONTACT:
                continue
            out[COLLISION, t] = 1.0
            if not struck[o]:
                struck[o] = counted[o] = True
                began[t, o] = kind
                keeps = kind == LATERAL and wholly_in_one_lane(m, number, lane, x, y, h, length, width)
                fault[o] = blamed[t, o] = is_at_fault(kind, keeps)
                newly_at_fault = newly_at_fault or fault[o]
            if fault[o]:
                out[AT_FAULT, t] = 1.0
        out[OFF_ROAD, t] = off_road_m(m, number, x, y, h, length, width)
        out[TTC, t] = 0.0 if newly_at_fault else time_to_collision_s(m, a, number, t, ego, struck)
        out[RED_LANE, t] = -1.0
        if t > 0:
            x0, y0, h0 = a.x[t - 1, ego], a.y[t - 1, ego], a.heading[t - 1, ego]
            out[WRONG_WAY, t] = wrong_way_step_m(m, number, lane, x0, y0, x, y)
            path = driven_connector(m, a, lights, ego, t, rows)
            if path >= 0:
                out[RED_LANE, t] = red_light_entry(m, lights, t - 1, x0, y0, h0, x, y, h, length, path)
        out[LIMIT, t] = speed_limit_mps(m, lane)
        out[OVERSPEED, t] = overspeed_mps(m, lane, a.speed[t, ego])
        last = progress_m(m, r, route, x, y, last)
        out[PROGRESS, t] = last
        out[LANE, t] = lane


@dataclass(frozen=True)
class Drive:
    """One drive, ready for the kernels. Legend: T rows, N agents."""

    pose: Array
    """[T, N, 3] box centres x, y, heading."""
    speed_mps: Array
    """[T, N]."""
    valid: NDArray[np.bool_]
    """[T, N]."""
    lights: NDArray[np.uint8]
    """[T, K]."""
    rows: int
    """Rows that are scored."""


@dataclass(frozen=True)
class Ticks:
    """Raw rows of one drive."""

    rows: int
    values: Array
    """[ROWS, T]."""
    comfort: Array
    """[COMFORT_ROWS, T]."""
    wrong_way_m: Array
    """[T] metres against the lane over the last second."""
    began: NDArray[np.uint8]
    """[T, N] kind of each contact at the row it begins."""
    blamed: NDArray[np.bool_]
    """[T, N]."""
    at_start: NDArray[np.bool_]
    """[N] who touched the ego in the first row already; such contacts are not counted."""
    lane_base: int
    """Number of the scenario's first lane in the index that ``values`` names lanes by."""


def measure(scenario: Scenario, drive: Drive, maps: CompiledMaps | None = None, number: int = 0) -> Ticks:
    """Run every rule over a drive. ``maps`` (and the scenario's ``number`` in it) saves compiling the map again."""
    if maps is None:
        maps, number = compiled(scenario), 0
    ego, rows = scenario.ego_index, drive.rows
    state = drive_state(scenario, drive)
    length, count = drive.valid.shape
    values = np.zeros((ROWS, length))
    values[:, rows:] = np.nan
    values[[COLLISION, AT_FAULT], rows:] = 0.0
    values[RED_LANE, rows:] = -1.0
    began, blamed = np.zeros((length, count), np.uint8), np.zeros((length, count), np.bool_)
    at_start = _touching_at_start(state, ego)
    marks = np.stack([at_start, np.zeros(count, np.bool_), np.zeros(count, np.bool_)])
    fill_ticks(
        maps.index, maps.routes, state, _lights(scenario, drive, maps, number), int(maps.map_of[number]), number, ego,
        rows, marks, began, blamed, values,
    )  # fmt: skip
    comfort = comfort_of(drive.speed_mps[:rows, ego], drive.pose[:rows, ego, 2], scenario.dt_s, length)
    window = round(WRONG_WAY_WINDOW_S / scenario.dt_s)
    gone = np.cumsum(np.concatenate([np.zeros(window), values[WRONG_WAY, :rows]]))
    wrong = np.full(length, np.nan)
    wrong[:rows] = gone[window:] - gone[:-window]
    return Ticks(
        rows, values, comfort, np.maximum(wrong, 0.0), began, blamed, at_start,
        int(maps.index.lane_lo[maps.map_of[number]])
    )  # fmt: skip


def comfort_of(speed_mps: Array, heading_rad: Array, dt_s: float, length: int | None = None) -> Array:
    """Comfort rows [COMFORT_ROWS, length] of a drive; NaN beyond its end."""
    rows = len(speed_mps)
    out = np.full((COMFORT_ROWS, max(rows, length or 0)), np.nan)
    if rows:
        scratch = np.zeros((SCRATCH_ROWS, rows))
        comfort_rows(
            np.ascontiguousarray(speed_mps), np.ascontiguousarray(heading_rad), rows, dt_s, out, scratch
        )  # fmt: skip
    return out


def drive_state(scenario: Scenario, drive: Drive) -> AgentState:
    """A drive as agent state: tick t is world t. Lanes are not filled in."""
    shape = drive.valid.shape
    size = scenario.agents.size_m

    def column(values: Array) -> Array:
        return np.array(np.broadcast_to(values, shape), dtype=np.float64, order="C")

    heading = column(drive.pose[..., 2])
    zeros = np.zeros(shape)
    return AgentState(
        column(drive.pose[..., 0]), column(drive.pose[..., 1]), heading, np.cos(heading), np.sin(heading),
        column(drive.speed_mps), zeros, zeros, column(size[:, 0]), column(size[:, 1]),
        np.array(np.broadcast_to(scenario.agents.kind, shape), dtype=np.uint8, order="C"),
        np.array(drive.valid, order="C"), np.full(shape, -1, np.int32), np.zeros(shape), np.zeros(shape),
    )  # fmt: skip


def _lights(scenario: Scenario, drive: Drive, maps: CompiledMaps, number: int) -> LightArrays:
    shape = drive.lights.shape
    lane = scenario.lights.lane + maps.index.lane_lo[maps.map_of[number]]
    xy = scenario.lights.xy
    return LightArrays(
        np.array(np.broadcast_to(lane, shape), dtype=np.int32, order="C"),
        np.array(drive.lights, dtype=np.uint8, order="C"),
        np.array(np.broadcast_to(xy[:, 0], shape), dtype=np.float64, order="C"),
        np.array(np.broadcast_to(xy[:, 1], shape), dtype=np.float64, order="C"),
    )  # fmt: skip


def _touching_at_start(state: AgentState, ego: int) -> NDArray[np.bool_]:
    """[N] who touches the ego in the first row: recorded that way, so nobody's doing (as NAVSIM leaves them out)."""
    kind = np.zeros(state.x.shape[1], np.uint8)
    find_contacts(state, 0, ego, kind)
    touching: NDArray[np.bool_] = kind != NO_CONTACT
    return touching


_COMPILED: OrderedDict[int, tuple[Scenario, CompiledMaps]] = OrderedDict()


def compiled(scenario: Scenario) -> CompiledMaps:
    """The scenario's compiled map; the last eight are kept, so that several drives of one scenario compile it once."""
    found = _COMPILED.pop(id(scenario), None)
    if found is None or found[0] is not scenario:
        found = (scenario, compile_maps([scenario]))
    _COMPILED[id(scenario)] = found
    while len(_COMPILED) > 8:
        _COMPILED.popitem(last=False)
    return found[1]
