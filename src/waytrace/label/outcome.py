"""Whether what a prediction said came true, from how the drive then went on: for calibration, never for labels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import LightState

from .predictions import HORIZON_STEPS, RATE_MPS2, RATE_STEPS, STANDING_MPS, STAYS_M, STEP_S, TURN_RAD, sideways_m

Array = NDArray[np.float64]

CHANGED_M = 1.5
"""Sideways movement within 4 s that makes a change of lanes."""


def came_true(intent: str, actual: Array, enters_s: float = math.inf, ego_s: float = math.inf) -> bool:
    """Whether an agent did what was expected.

    ``actual`` [>= 21, 4] is its x, y, heading, speed each 0.2 s from the moment of the prediction; ``enters_s`` when
    it came into the way of the ego's lane (infinity for never), ``ego_s`` when the ego got there.
    """
    poses = actual[: HORIZON_STEPS + 1]
    now, moved = float(poses[0, 3]), float(np.hypot(*(poses[-1, :2] - poses[0, :2])))
    rate = (float(poses[RATE_STEPS, 3]) - now) / (RATE_STEPS * STEP_S)
    turned = (float(poses[-1, 2] - poses[0, 2]) + math.pi) % (2.0 * math.pi) - math.pi
    aside = sideways_m(poses)
    stopped = bool((np.abs(poses[1:, 3]) < STANDING_MPS).any())
    return {
        "static": moved < STAYS_M,
        "stay_stopped": moved < STAYS_M,
        "start": moved >= STAYS_M,
        "stop": stopped,
        "cross": math.isfinite(enters_s),
        "yield_to_ego": ego_s < enters_s,
        "go_before_ego": enters_s < ego_s,
        "lane_change_left": aside >= CHANGED_M,
        "lane_change_right": aside <= -CHANGED_M,
        "turn_left": turned >= TURN_RAD,
        "turn_right": turned <= -TURN_RAD,
        "accelerate": rate >= RATE_MPS2,
        "brake": rate <= -RATE_MPS2,
        "keep": abs(rate) < RATE_MPS2 and abs(turned) < TURN_RAD and not stopped,
    }[intent]


def light_came_true(intent: str, states: NDArray[np.uint8]) -> bool:
    """Whether a light did what was expected; ``states`` are those of the 4 s after the prediction."""
    green = states == LightState.GREEN
    red = states == LightState.RED
    return {
        "stays_green": bool(green.all()),
        "turns_green": bool(green.any()),
        "turns_red": bool(red.any()),
        "stays_red": not bool(green.any()),
    }[intent]
