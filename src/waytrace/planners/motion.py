"""From a wanted motion to a :class:`~waytrace.scenario.Plan`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import wrap
from waytrace.scenario.paths import Path, pose_at
from waytrace.scenario.plans import PLAN_KNOTS, Plan
from waytrace.sim.dynamics import integrate

from ._fit import fit_motion

Array = NDArray[np.float64]


def fit_controls(pose: Array, speed: Array, start: Array) -> tuple[Array, Array]:
    """Acceleration and curvature [16] that carry the rear axle from ``start`` along wanted poses.

    ``pose`` [16, 3] (x, y, heading) and ``speed`` [16] are wanted at 0.5, 1.0, ... 8.0 s; ``start`` [4] is x, y,
    heading, speed at 0 s. World frame, metres, radians, m/s. Where the motion is feasible (see ``ACCEL_RANGE_MPS2``,
    ``CURVATURE_RANGE_1PM``) the resulting waypoints lie within about 0.1 m of it; elsewhere as near as limits allow.
    """
    pose = np.ascontiguousarray(pose, np.float64)
    gaps = np.diff(np.concatenate([start[None, :2], pose[:, :2]]), axis=0)
    half_turn = 0.5 * np.abs(wrap(np.diff(np.concatenate([start[2:3], pose[:, 2]]))))
    arc = np.where(
        half_turn < 0.5, half_turn / np.maximum(np.sin(half_turn), 1e-9), 1.0
    )  # an arc is longer than its chord
    distance = np.cumsum(np.hypot(gaps[:, 0], gaps[:, 1]) * np.where(half_turn < 1e-6, 1.0, arc))
    accel, curvature = np.zeros(PLAN_KNOTS), np.zeros(PLAN_KNOTS)
    fit_motion(
        pose, distance, np.ascontiguousarray(speed, np.float64), np.ascontiguousarray(start, np.float64),
        accel, curvature,
    )  # fmt: skip
    return accel, curvature


def fit_path(path: Path, count: int, s_m: Array, speed: Array, start: Array) -> tuple[Array, Array]:
    """Controls [16] that follow a path with a speed profile: ``s_m``, ``speed`` [81], each 0.1 s from the start."""
    pose = np.array([pose_at(path, count, s) for s in s_m[5::5]])
    return fit_controls(pose, speed[5::5], start)


def make_plan(t0_s: Array, start: Array, accel: Array, curvature: Array, producer: str) -> Plan:
    """The plan of controls [B, 16] from rear-axle states ``start`` [B, 4] at times ``t0_s`` [B]."""
    start = np.ascontiguousarray(start, np.float64)
    accel, curvature = np.ascontiguousarray(accel, np.float64), np.ascontiguousarray(curvature, np.float64)
    waypoints = integrate(start, accel, curvature)
    return Plan(np.asarray(t0_s, np.float64), start, accel, curvature, waypoints, producer)


def stack_controls(rows: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Controls of B rows, each ([16], [16]), as two arrays [B, 16]."""
    if not rows:
        return np.zeros((0, PLAN_KNOTS)), np.zeros((0, PLAN_KNOTS))
    return np.stack([r[0] for r in rows]), np.stack([r[1] for r in rows])
