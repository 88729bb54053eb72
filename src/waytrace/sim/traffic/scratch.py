"""Working memory of one shard: allocated once, holds nothing between ticks."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from waytrace.geometry import F8, I4, U1, bundle
from waytrace.scenario.index import MapIndex
from waytrace.scenario.lanes import precedence

SAMPLES = 44
APPROACH_LANES = 6
"""Lanes ahead in which an agent is entered as approaching."""


class Scratch(NamedTuple):
    """Path samples of the agent at hand, accelerations of the tick, and the table of who approaches which lane."""

    sample_x: F8
    """[SAMPLES] points of the path ahead, its unit tangent, its curvature, and the distance along it."""
    sample_y: F8
    sample_c: F8
    sample_s: F8
    sample_k: F8
    sample_d: F8
    sample_left: F8
    """[SAMPLES] half width of the lane to the left, and to the right, metres."""
    sample_right: F8
    accel: F8
    """[A]."""
    side: I4
    """[A] 0 to change lane to the left in this tick, 1 to the right, -1 to stay."""
    head: I4
    """[L] newest entry of a lane in the approach table, or -1."""
    entry_next: I4
    entry_agent: I4
    entry_lane: I4
    entry_distance: F8
    """Metres from the agent's centre to the lane's start; negative once it is on the lane."""
    entries: I4
    """[1] number of entries."""
    lane_light: U1
    """[L] state of the light that governs a lane's entry in the world at hand; NO_LIGHT where there is none."""
    lane_rank: F8
    """[L] precedence of a lane's traffic at a conflict; constant."""


NO_LIGHT = 255

SCRATCH = bundle(Scratch)


def make_scratch(agents: int, m: MapIndex) -> Scratch:
    """Scratch for worlds of up to ``agents`` slots on the maps of ``m``."""
    lanes = len(m.lane_length)
    room = max(1, agents * APPROACH_LANES)
    samples: list[Any] = [np.zeros(SAMPLES) for _ in range(8)]
    tables = [np.full(max(1, lanes), -1, np.int32), *(np.zeros(room, np.int32) for _ in range(3))]
    lights = np.full(max(1, lanes), NO_LIGHT, np.uint8)
    ranks = np.array([precedence(m, lane) for lane in range(lanes)], np.float64)
    return Scratch._make(
        [
            *samples,
            np.zeros(max(1, agents)),
            np.zeros(max(1, agents), np.int32),
            *tables,
            np.zeros(room),
            np.zeros(1, np.int32),
            lights,
            ranks,
        ]
    )
