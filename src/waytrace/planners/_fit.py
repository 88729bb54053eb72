"""Controls that follow a wanted motion: the inverse of integrating a plan.

A plan is 16 knots of constant acceleration and curvature. A planner that thinks in poses over time gets controls from
here, so that what it hands over is feasible and is exactly what its waypoints say.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit, wrap_angle
from waytrace.scenario.plans import ACCEL_RANGE_MPS2, CURVATURE_RANGE_1PM, PLAN_KNOT_S
from waytrace.sim.dynamics import advance

Array = NDArray[np.float64]

_ACCEL_MIN, _ACCEL_MAX = ACCEL_RANGE_MPS2
_CURVATURE_MAX = CURVATURE_RANGE_1PM[1]
_SPEED_WEIGHT_S = 0.35
"""A speed error of 1 m/s counts as much as this many metres of distance: follows stops without oscillating."""
_HEADING_WEIGHT_M = 2.0
_SMOOTH_M2 = 1.0
_ITERATIONS = 3


@jit("void", "f8[:]", "f8[:]", "f8", "f8[:]")
def fit_accel(distance: Array, speed: Array, start_speed: float, accel: Array) -> None:
    """Accelerations [K] whose travelled distance and speed at the knots' ends stay near ``distance``, ``speed`` [K].

    Knot by knot the acceleration that minimises (distance error)^2 + (0.35 s x speed error)^2, within limits.
    """
    t = PLAN_KNOT_S
    s, v = 0.0, start_speed
    for k in range(len(accel)):
        ds, dv = 0.5 * t * t, t
        es = distance[k] - (s + v * t)
        ev = speed[k] - v
        w = _SPEED_WEIGHT_S * _SPEED_WEIGHT_S
        a = (ds * es + w * dv * ev) / (ds * ds + w * dv * dv)
        if speed[k] <= 1e-3 and v > 0.0:
            rest = distance[k] - s
            if rest < 0.5 * v * t:  # comes to rest within this knot: the deceleration that rests at the right place
                a = min(-0.5 * v * v / max(rest, 0.02), -v / t)
        a = min(max(a, _ACCEL_MIN), _ACCEL_MAX)
        if v + a * t < 0.0 and speed[k] > 0.0:
            a = -v / t
        accel[k] = a
        v1 = v + a * t
        if v1 >= 0.0:
            s += 0.5 * (v + v1) * t
            v = v1
        else:
            s += 0.5 * v * v / -a
            v = 0.0


@jit("f8", "f8", "f8")
def _travel(speed: float, accel: float) -> float:
    """Distance of one knot at constant acceleration, never backwards."""
    end = speed + accel * PLAN_KNOT_S
    if end >= 0.0:
        return 0.5 * (speed + end) * PLAN_KNOT_S
    return 0.5 * speed * speed / -accel


@jit("void", "f8[:,:]", "f8[:]")
def _cholesky_solve(a: Array, b: Array) -> None:
    """Solve a x = b in place for a symmetric positive definite ``a`` (lower triangle given); x is left in ``b``."""
    n = len(b)
    for i in range(n):
        for j in range(i + 1):
            total = a[i, j]
            for k in range(j):
                total -= a[i, k] * a[j, k]
            if i == j:
                a[i, i] = math.sqrt(max(total + 1e-9, 1e-12))
            else:
                a[i, j] = total / a[j, j]
    for i in range(n):
        for k in range(i):
            b[i] -= a[i, k] * b[k]
        b[i] /= a[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            b[i] -= a[k, i] * b[k]
        b[i] /= a[i, i]


@jit("void", "f8[:,:]", "f8[:]", "f8[:]", "f8[:]", allocates=True)
def fit_curvature(pose: Array, start: Array, accel: Array, curvature: Array) -> None:
    """Curvatures [K] that carry ``start`` (x, y, heading, speed) along ``pose`` [K, 3] at the knots' ends.

    Gauss-Newton on the cross-track error (metres) and the heading error (times 2 m) at every knot, with a small
    penalty on changes of curvature that decides where the motion itself does not (standing still). ``curvature``
    holds the first guess. A knot's arc turns everything after it about its own middle: that is the whole Jacobian.
    """
    n = len(accel)
    at = np.empty((n + 1, 4))
    a = np.empty((n, n))
    b = np.empty(n)
    row = np.empty(n)
    for _ in range(_ITERATIONS):
        at[0] = start
        for k in range(n):
            x, y, h, v = advance(at[k, 0], at[k, 1], at[k, 2], at[k, 3], accel[k], curvature[k], PLAN_KNOT_S)
            at[k + 1, 0], at[k + 1, 1], at[k + 1, 2], at[k + 1, 3] = x, y, h, v
        a[:] = 0.0
        b[:] = 0.0
        for j in range(n):
            x, y, h = at[j + 1, 0], at[j + 1, 1], at[j + 1, 2]
            tx, ty = math.cos(pose[j, 2]), math.sin(pose[j, 2])
            cross = tx * (y - pose[j, 1]) - ty * (x - pose[j, 0])
            turned = wrap_angle(h - pose[j, 2])
            for k in range(j + 1):
                length = _travel(at[k, 3], accel[k])
                mx, my = 0.5 * (at[k, 0] + at[k + 1, 0]), 0.5 * (at[k, 1] + at[k + 1, 1])
                row[k] = length * ((x - mx) * tx + (y - my) * ty)
            for k in range(j + 1):
                length_k = _travel(at[k, 3], accel[k])
                b[k] -= row[k] * cross + _HEADING_WEIGHT_M * _HEADING_WEIGHT_M * length_k * turned
                for q in range(k + 1):
                    length_q = _travel(at[q, 3], accel[q])
                    a[k, q] += row[k] * row[q] + _HEADING_WEIGHT_M * _HEADING_WEIGHT_M * length_k * length_q
        for k in range(1, n):
            change = curvature[k] - curvature[k - 1]
            a[k, k] += _SMOOTH_M2
            a[k - 1, k - 1] += _SMOOTH_M2
            a[k, k - 1] -= _SMOOTH_M2
            b[k] -= _SMOOTH_M2 * change
            b[k - 1] += _SMOOTH_M2 * change
        _cholesky_solve(a, b)
        for k in range(n):
            curvature[k] = min(max(curvature[k] + b[k], -_CURVATURE_MAX), _CURVATURE_MAX)


@jit("void", "f8[:,:]", "f8[:]", "f8[:]", "f8[:]", "f8[:]", "f8[:]", allocates=True)
def fit_motion(pose: Array, distance: Array, speed: Array, start: Array, accel: Array, curvature: Array) -> None:
    """Fill ``accel`` and ``curvature`` [K] so that the motion from ``start`` follows ``pose`` [K, 3]."""
    fit_accel(distance, speed, start[3], accel)
    h, s = start[2], 0.0
    for k in range(len(accel)):
        length = distance[k] - s
        turn = wrap_angle(pose[k, 2] - h)
        curvature[k] = 0.0 if length < 0.3 else min(max(turn / length, -_CURVATURE_MAX), _CURVATURE_MAX)
        if length < 0.3 and k > 0:
            curvature[k] = curvature[k - 1]
        h, s = pose[k, 2], distance[k]
    fit_curvature(pose, start, accel, curvature)
