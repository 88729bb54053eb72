"""Everybody that the ego knows of, in coordinates of its path."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import boxes_distance
from waytrace.observe import Scene

from ..thresholds import T
from ._place import locate_all, place_history, place_on_path
from .path import EgoPath

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

LOOK_BACK_S = 2.0


@dataclass(frozen=True, eq=False)
class Others:
    """Of n agents, nearest first. ``s`` counts along the path from the ego's box centre to theirs, ``d`` left of it.

    Who went out of sight is taken to have gone on straight at the speed last seen.
    """

    index: NDArray[np.int32]
    kind: NDArray[np.uint8]
    state: Array
    """[n, 4] x, y, heading, speed."""
    size_m: Array
    s: Array
    """Infinite for those beyond an end of the path."""
    d: Array
    along: Array
    """Half extent along the path."""
    across: Array
    v_along: Array
    """Speed along the path, m/s."""
    v_across: Array
    turned: Array
    """Heading minus the path's, radians."""
    accel: Array
    """Over the last half second before it was last seen, m/s2."""
    gap: Array
    """Free way, bumper to bumper along the path; 0 beside the ego; straight for those beyond an end of the path."""
    distance: Array
    """Straight, centre to centre."""
    overlap: Array
    """By how much the way of the ego's body along the path's middle overlaps them; negative: the room between."""
    inside: Array
    """By how much their centre is inside the lane's edges."""
    edge: Array
    """From the lane's edge to their near side; negative: they reach into the lane."""
    drift: Array
    """Change of ``d`` over the last half second, m/s; from heading and speed where less is known."""
    in_path_s: Array
    """For how long they have been in the path, at most 1 s; who was always seen there counts in full."""
    stood_s: Array
    """For how long they have stood, at most 2 s."""
    known_s: Array
    """For how long they have been known, at most 2 s."""
    age_s: Array

    @cached_property
    def row(self) -> dict[int, int]:
        """Row of an agent's number."""
        return {int(i): k for k, i in enumerate(self.index)}

    def __len__(self) -> int:
        return len(self.index)

    @cached_property
    def on_path(self) -> Mask:
        """[n] have a place on the path."""
        return np.isfinite(self.s)

    @cached_property
    def in_path(self) -> Mask:
        """[n] in the lane or in the way of the ego's body, now."""
        return self.on_path & (np.maximum(self.inside, self.overlap - T.in_path_m) >= 0.0)

    @cached_property
    def toward(self) -> Array:
        """[n] speed sideways towards the path's middle."""
        return -np.sign(self.d) * self.drift


def measure_others(scene: Scene, ego: EgoPath) -> Others:
    """Everybody in a scene."""
    agents, n = scene.agents, len(scene.agents)
    heading, gone = agents.pose[:, 2], agents.age_s * agents.speed_mps
    state = np.stack(
        [agents.pose[:, 0] + gone * np.cos(heading), agents.pose[:, 1] + gone * np.sin(heading), heading,
         agents.speed_mps], -1,
    )  # fmt: skip
    place = np.zeros((n, 7))
    place_on_path(ego.path, ego.count, np.ascontiguousarray(state), np.ascontiguousarray(agents.size_m), place)
    s_path, d, along, across, v_along, v_across, turned = place.T
    s = s_path - ego.origin
    half = 0.5 * scene.ego.length_m
    straight = _straight_gap(scene, state, agents.size_m, ~np.isfinite(s))
    gap = np.where(np.isfinite(s), np.maximum(np.abs(s) - half - along, 0.0), straight)
    at = np.clip(np.nan_to_num(s_path, posinf=0.0), 0, ego.count - 1).astype(np.int64)
    left, right = ego.half_width
    width = np.where(d >= 0.0, left[at], right[at])
    overlap, inside, edge = 0.5 * scene.ego.width_m + across - np.abs(d), width - np.abs(d), np.abs(d) - across - width
    drift, in_path_s = _over_time(scene, ego, s_path, d, v_across, across, left, right)
    accel, _ = agents.rate(T.motion_window_s, scene.dt_s)
    known, stood = _stood(scene)
    away = state[:, :2] - scene.ego.pose[:2]
    return Others(
        agents.index, agents.kind, state, agents.size_m, s, d, along, across, v_along, v_across, turned, accel, gap,
        np.hypot(away[:, 0], away[:, 1]), overlap, inside, edge, drift, in_path_s, stood, known, agents.age_s,
    )  # fmt: skip


def locate_others(ego: EgoPath, state: Array) -> tuple[NDArray[np.int32], Array]:
    """(lane [n], -1 for none; s, d on it [n, 2])."""
    lane, at = np.full(len(state), -1, np.int32), np.zeros((len(state), 2))
    if len(ego.roads.map):
        locate_all(ego.roads.index, np.ascontiguousarray(state), lane, at)
    return lane, at


def _straight_gap(scene: Scene, state: Array, size: Array, wanted: Mask) -> Array:
    """[n] straight distance between the boxes, where wanted."""
    e, out = scene.ego, np.zeros(len(state))
    x, y, h = (float(v) for v in e.pose)
    for i in np.flatnonzero(wanted):
        out[i] = boxes_distance(
            x, y, h, e.length_m, e.width_m, state[i, 0], state[i, 1], state[i, 2], size[i, 0], size[i, 1]
        )
    return out


def _over_time(
    scene: Scene, ego: EgoPath, s: Array, d: Array, v_across: Array, across: Array, left: Array, right: Array
) -> tuple[Array, Array]:
    """(change of d, m/s [n]; time in the path [n])."""
    agents = scene.agents
    ticks = min(round(T.lead_for_s / scene.dt_s) + 1, len(agents.history_valid))
    pose = np.ascontiguousarray(agents.pose_history[-ticks:])
    valid = np.ascontiguousarray(agents.history_valid[-ticks:])
    past = np.zeros((ticks, len(agents), 2))
    place_history(ego.path, ego.count, pose, valid, np.ascontiguousarray(s), past)
    window = min(round(T.motion_window_s / scene.dt_s), ticks - 1)
    drift = v_across.copy()
    if window > 0:
        seen = np.isfinite(past[-1 - window, :, 1]) & np.isfinite(past[-1, :, 1])
        drift = np.where(seen, (past[-1, :, 1] - past[-1 - window, :, 1]) / (window * scene.dt_s), drift)
    at = np.clip(np.nan_to_num(past[..., 0]), 0, ego.count - 1).astype(np.int64)
    there = np.nan_to_num(past[..., 1], nan=0.0)
    inside = np.where(there >= 0.0, left[at], right[at]) - np.abs(there)
    overlap = 0.5 * scene.ego.width_m + across - np.abs(there)
    out_of_it = (np.maximum(inside, overlap - T.in_path_m) < 0.0) & np.isfinite(past[..., 1])
    ago = np.where(out_of_it.any(0), np.argmax(out_of_it[::-1], axis=0) * scene.dt_s, T.lead_for_s)
    return drift, ago


def _stood(scene: Scene) -> tuple[Array, Array]:
    """(time known [n], time stood until last seen [n]), both at most 2 s."""
    agents = scene.agents
    ticks = min(round(LOOK_BACK_S / scene.dt_s) + 1, len(agents.history_valid))
    valid, speed = agents.history_valid[-ticks:], np.abs(agents.speed_history_mps[-ticks:])
    moved = valid & (speed >= T.standing_mps)
    first = np.where(valid.any(0), ticks - 1 - np.argmax(valid, axis=0), 0) * scene.dt_s
    since = np.where(moved.any(0), np.argmax(moved[::-1], axis=0) * scene.dt_s, first)
    return np.minimum(first, LOOK_BACK_S), np.minimum(since, LOOK_BACK_S)
