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

from waytrace.observe import Observation, Scene
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
from waytrace.planners.expert.forecast import forecast
from waytrace.planners.moment import Moment
from waytrace.planners.reading import moment_of_scene
from waytrace.scenario.roads import RoadCache

from .agents import write_agents, write_care, write_expected, write_places
from .columns import FEATURES, HISTORY_S, PLACES, TOKENS, feature_hash
from .conflicts import CHAIN_LANES, lane_starts, write_meetings
from .ego import since, write_ego
from .paths import DRIVER_NOW, NO_PATH, UNLIMITED_MPS, EgoPath, Lamps, ego_paths, write_path
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
    ego = _ego(scene, moment)
    began = float(scene.ego.speed_history_mps[max(len(scene.ego.speed_history_mps) - 1 - scene.tick, 0)])
    unlimited = max(UNLIMITED_MPS, began)
    expected = _motion(observation.ego[b], scene, moment, ego, before, unlimited, out)
    paths = ego_paths(moment, unlimited)
    own = paths[0] or NO_PATH
    on = np.zeros(max(len(moment.roads.index.lane_length), 1), np.uint8)
    _along(moment, ego, paths, expected, unlimited, on, out)
    picked = _around(observation, b, scene, moment, ego, own, on, unlimited, out)
    row = np.concatenate([
        np.full(1 + len(paths), -1), np.arange(AGENT_ROWS), np.where(picked >= 0, MAP_AT + picked, -1),
        np.arange(LIGHT_AT, STOP_AT + STOP_ROWS),
    ])  # fmt: skip
    row[(row >= 0) & (observation.reference[b][row] < 0)] = -1
    out.row[:] = row
    out.valid[:] = row >= 0
    out.valid[0] = True
    out.valid[1 : 1 + len(paths)] = [path is not None for path in paths]


def _ego(scene: Scene, moment: Moment) -> Ego:
    x, y, h = (float(value) for value in scene.ego.pose)
    axle_x, axle_y, _, speed = (float(value) for value in moment.axle)
    return Ego(
        x, y, h, math.cos(h), math.sin(h), speed, axle_x, axle_y, moment.rear_m, moment.front_m, moment.length_m,
        moment.width_m,
    )  # fmt: skip


def _motion(
    seen: F4, scene: Scene, moment: Moment, ego: Ego, before: NDArray[np.int8], unlimited_mps: float, out: SceneTokens
) -> NDArray[np.float64]:
    """Write how everyone moves and has moved; where the others are expected [A, 41, 4]."""
    mine, agents = scene.ego, scene.agents
    held = np.flatnonzero(agents.in_arrays)
    when = len(mine.history_valid) - 1 - np.round(np.array(HISTORY_S) / scene.dt_s).astype(int)
    known, when = when >= 0, np.maximum(when, 0)
    still_s, stood_m = since(mine.speed_history_mps, mine.history_valid, scene.dt_s)
    write_ego(
        seen, ego, still_s, stood_m, mine.pose_history[when], mine.speed_history_mps[when],
        mine.history_valid[when] & known, int(before[0]), int(before[1]), len(scene.route.groups) > 0, unlimited_mps,
        out.ego[0],
    )  # fmt: skip
    expected, changes = forecast(moment)
    at = np.ix_(when, held)
    past = np.ascontiguousarray(agents.pose_history[at].swapaxes(0, 1))
    past_speed = np.ascontiguousarray(agents.speed_history_mps[at].T)
    past_seen = np.ascontiguousarray((agents.history_valid[at] & known[:, None]).T)
    write_agents(
        ego, moment.others, moment.still_s, agents.age_s[held], changes, past, past_speed, past_seen, out.agent
    )
    return expected


def _along(
    moment: Moment, ego: Ego, paths: tuple[EgoPath | None, ...], expected: NDArray[np.float64], unlimited_mps: float,
    on: NDArray[np.uint8], out: SceneTokens,
) -> None:  # fmt: skip
    """Write the paths and everyone's place on them; ``on`` comes back with the lanes that belong to each."""
    index, others = moment.roads.index, moment.others
    lamps = Lamps(moment.light_lane, moment.light_state)
    for which, path in enumerate(paths):
        if path is None:
            continue
        care = math.inf
        if which == 0:
            allowed = float(path.caps[min(max(int(path.s0), 0), path.samples - 1)])
            starts = np.empty(len(on))
            lane_starts(path.path, path.samples, path.s0, starts)
            care = write_care(
                others, path.path, path.samples, path.place, path.s0, ego, DRIVER_NOW.brake_mps2, out.agent
            )
            write_expected(
                ego, others, expected, path.path, path.samples, path.s0, allowed, path.place, out.agent
            )  # fmt: skip
            write_meetings(index, starts, path.s0, allowed, ego, others, np.zeros(CHAIN_LANES, np.int32), out.agent)
        write_path(
            index, moment.roads.routes, path.path, path.samples, path.s0, path.d0, path.place, path.caps, path.run_m,
            others, moment.still_s, lamps, ego, DRIVER_NOW, unlimited_mps, care, which,
            np.empty(len(others.x), np.int64), out.path[which],
        )  # fmt: skip
        write_places(ego, path.place, path.s0, which, out.agent)
        mark_lanes(path.path, path.samples, path.s0, which, on)


def _around(
    observation: Observation, b: int, scene: Scene, moment: Moment, ego: Ego, own: EgoPath, on: NDArray[np.uint8],
    unlimited_mps: float, out: SceneTokens,
) -> NDArray[np.int16]:  # fmt: skip
    """Write pieces of lanes, lights, crosswalks and stop lines; the map rows that got a token, -1 for none."""
    index, reference = moment.roads.index, observation.reference[b]
    here = (own.path, own.samples, own.s0)
    starts = np.full(len(on), np.nan)
    if own.samples:
        lane_starts(*here, starts)
    picked = np.empty(PLACES["map"], np.int16)
    first, used = np.zeros(MAP_ROWS, np.bool_), np.zeros(MAP_ROWS, np.int64)
    lanes = reference[MAP_AT : MAP_AT + MAP_ROWS]
    pick_rows(lanes, observation.map[b], _ON_ROUTE, _AHEAD, picked, first, used)
    write_map(observation.map[b], lanes, picked, first, on, starts, own.s0 + ego.front_m, unlimited_mps, out.map)
    light = reference[LIGHT_AT : LIGHT_AT + LIGHT_ROWS]
    controlled = np.full(LIGHT_ROWS, -1, np.int32)
    controlled[light >= 0] = scene.light_lane[light[light >= 0]]
    write_lights(observation.lights[b], controlled, index, *here, ego, on, out.light)
    walks = reference[CROSSWALK_AT : CROSSWALK_AT + CROSSWALK_ROWS]
    write_crosswalks(observation.crosswalks[b], walks, *here, ego, moment.others, out.crosswalk)
    stops = reference[STOP_AT : STOP_AT + STOP_ROWS]
    write_stop_lines(observation.stop_lines[b], stops, index, *here, ego, on, out.stop_line)
    return picked
