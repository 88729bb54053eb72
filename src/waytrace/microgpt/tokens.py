"""Scene tokens: one moment, as the model reads it.

Everything a token holds comes from the observation (arrays and typed scene): the history up to now, the map, the frozen
route, the lights now. Who is hidden is in none of them. All of it is in the ego's frame or in path coordinates, so a
scene that lies elsewhere on the earth gives the same tokens.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Observation
from waytrace.observe.features import (
    AGENT_ROWS,
    CROSSWALK_AT,
    CROSSWALK_ROWS,
    LIGHT_AT,
    LIGHT_ROWS,
    MAP_AT,
    MAP_ROWS,
    STOP_AT,
    STOP_ROWS,
    column,
)
from waytrace.planners._reading import moment_of_scene
from waytrace.planners.expert.forecast import forecast
from waytrace.scenario.roads import RoadCache

from .agents import write_agents, write_care, write_expected, write_places
from .columns import FEATURES, HISTORY_S, PLACES, TOKENS, feature_hash
from .conflicts import lane_starts, write_meetings
from .ego import since, write_ego
from .paths import DRIVER_NOW, NO_PATH, UNLIMITED_MPS, Lamps, ego_paths, write_path
from .scaling import Ego
from .surroundings import mark_lanes, pick_rows, write_crosswalks, write_lights, write_map, write_stop_lines

F4 = NDArray[np.float32]

_ON_ROUTE, _AHEAD = column("map", "on_route"), column("map", "route_ahead")

__all__ = [
    "FEATURES",
    "PLACES",
    "TOKENS",
    "SceneTokens",
    "empty_tokens",
    "feature_hash",
    "scene_tokens",
    "stack_tokens",
]


class SceneTokens(NamedTuple):
    """The tokens of B moments. Padding is 0 and false in ``valid``; columns: ``docs/samples.md``."""

    ego: F4
    """[B, 1, F]."""
    path: F4
    """[B, 3, F] the own lane's, its left and its right neighbour's."""
    agent: F4
    """[B, 31, F] nearest first."""
    map: F4
    """[B, 40, F] pieces of lanes."""
    light: F4
    """[B, 8, F]."""
    crosswalk: F4
    """[B, 8, F]."""
    stop_line: F4
    """[B, 8, F]."""
    valid: NDArray[np.bool_]
    """[B, 99] over all kinds, in this order."""
    row: NDArray[np.int16]
    """[B, 99] row of the observation's reference table that a token stands for; -1 for ego, paths and padding."""


def empty_tokens(count: int) -> SceneTokens:
    """Tokens of ``count`` moments, all padding."""
    parts = {kind: np.zeros((count, PLACES[kind], FEATURES[kind]), np.float32) for kind in PLACES}
    return SceneTokens(**parts, valid=np.zeros((count, TOKENS), np.bool_), row=np.full((count, TOKENS), -1, np.int16))


def stack_tokens(parts: Sequence[SceneTokens]) -> SceneTokens:
    """The tokens of several batches as one batch, in their order."""
    return SceneTokens(*(np.concatenate(columns) for columns in zip(*parts, strict=True))) if parts else empty_tokens(0)


def scene_tokens(observation: Observation, before: NDArray[np.int8], roads: RoadCache | None = None) -> SceneTokens:
    """The tokens of every row of an observation, about 1 ms a row.

    ``before`` [B, 2] is the last decision of each row (longitudinal, lateral) as numbers in ``sets.LONGITUDINAL`` and
    ``sets.LATERAL``; -1 for none. ``roads`` keeps what is worked out once per map; give the same one every time.
    Where no lane is in reach the path tokens are not valid, and nothing has a place on a path.
    """
    out, roads = empty_tokens(len(observation)), roads or RoadCache()
    for b in range(len(observation)):
        _write(observation, b, before[b], roads, SceneTokens(*(part[b] for part in out)))
    return out


def _write(observation: Observation, b: int, before: NDArray[np.int8], roads: RoadCache, out: SceneTokens) -> None:
    """Fill the tokens of row ``b``."""
    scene = observation.scenes[b]
    moment = moment_of_scene(scene, roads)
    others, agents = moment.others, scene.agents
    x, y, h = (float(v) for v in scene.ego.pose)
    ax, ay, _, v = (float(u) for u in moment.axle)
    ego = Ego(
        x, y, h, math.cos(h), math.sin(h), v, ax, ay, moment.rear_m, moment.front_m, moment.length_m, moment.width_m
    )
    held = np.flatnonzero(agents.in_arrays)
    when = len(scene.ego.history_valid) - 1 - np.round(np.array(HISTORY_S) / scene.dt_s).astype(int)
    known, when = when >= 0, np.maximum(when, 0)
    still_s, stood_m = since(scene.ego.speed_history_mps, scene.ego.history_valid, scene.dt_s)
    began = float(scene.ego.speed_history_mps[max(len(scene.ego.speed_history_mps) - 1 - scene.tick, 0)])
    unlimited = max(UNLIMITED_MPS, began)
    write_ego(
        observation.ego[b], ego, still_s, stood_m, scene.ego.pose_history[when], scene.ego.speed_history_mps[when],
        scene.ego.history_valid[when] & known, int(before[0]), int(before[1]), len(scene.route.groups) > 0,
        unlimited, out.ego[0],
    )  # fmt: skip
    expected, changes = forecast(moment)
    at = np.ix_(when, held)
    past = np.ascontiguousarray(agents.pose_history[at].swapaxes(0, 1))
    past_speed = np.ascontiguousarray(agents.speed_history_mps[at].T)
    past_seen = np.ascontiguousarray((agents.history_valid[at] & known[:, None]).T)
    write_agents(ego, others, moment.still_s, agents.age_s[held], changes, past, past_speed, past_seen, out.agent)
    paths = ego_paths(moment, unlimited)
    roads_here = moment.roads
    lamps = Lamps(moment.light_lane, moment.light_state)
    on = np.zeros(max(len(roads_here.index.lane_length), 1), np.uint8)
    for which, path in enumerate(paths):
        if path is None:
            continue
        care = math.inf
        if which == 0:
            care = write_care(
                others, path.path, path.samples, path.place, path.s0, ego, DRIVER_NOW.brake_mps2, out.agent
            )
        write_path(
            roads_here.index, roads_here.routes, path.path, path.samples, path.s0, path.d0, path.place, path.caps,
            path.run_m, others, moment.still_s, lamps, ego, DRIVER_NOW, unlimited, care, which, out.path[which],
        )  # fmt: skip
        write_places(ego, path.place, path.s0, which, out.agent)
        mark_lanes(path.path, path.samples, path.s0, which, on)
    own = paths[0] or NO_PATH
    starts = np.full(len(on), np.nan)
    if own.samples:
        allowed = float(own.caps[min(max(int(own.s0), 0), own.samples - 1)])
        lane_starts(own.path, own.samples, own.s0, starts)
        write_expected(ego, others, expected, own.path, own.samples, own.s0, allowed, own.place, out.agent)
        write_meetings(roads_here.index, starts, own.s0, allowed, ego, others, np.zeros(12, np.int32), out.agent)
    reference = observation.reference[b]
    picked = np.empty(PLACES["map"], np.int16)
    first, used = np.zeros(MAP_ROWS, np.bool_), np.zeros(MAP_ROWS, np.int64)
    lanes = reference[MAP_AT : MAP_AT + MAP_ROWS]
    pick_rows(lanes, observation.map[b], _ON_ROUTE, _AHEAD, picked, first, used)
    write_map(observation.map[b], lanes, picked, first, on, starts, own.s0 + ego.front_m, unlimited, out.map)
    path_now = (own.path, own.samples, own.s0)
    light = reference[LIGHT_AT : LIGHT_AT + LIGHT_ROWS]
    controlled = np.full(LIGHT_ROWS, -1, np.int32)
    controlled[light >= 0] = scene.light_lane[light[light >= 0]]
    write_lights(observation.lights[b], controlled, roads_here.index, *path_now, ego, on, out.light)
    walks = reference[CROSSWALK_AT : CROSSWALK_AT + CROSSWALK_ROWS]
    write_crosswalks(observation.crosswalks[b], walks, *path_now, ego, others, out.crosswalk)
    stops = reference[STOP_AT : STOP_AT + STOP_ROWS]
    write_stop_lines(observation.stop_lines[b], stops, roads_here.index, *path_now, ego, on, out.stop_line)
    row = np.concatenate([
        np.full(1 + len(paths), -1), np.arange(AGENT_ROWS), np.where(picked >= 0, MAP_AT + picked, -1),
        np.arange(LIGHT_AT, STOP_AT + STOP_ROWS),
    ])  # fmt: skip
    row[(row >= 0) & (reference[row] < 0)] = -1
    out.row[:] = row
    out.valid[:] = row >= 0
    out.valid[0] = True
    out.valid[1 : 1 + len(paths)] = [path is not None for path in paths]
