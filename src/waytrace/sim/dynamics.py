"""How a vehicle moves: a unicycle at the rear axle, driven by acceleration and curvature held over a tick.

Within a tick the path is an exact circular arc and the speed is linear in time. A vehicle that brakes to a stop stays
there.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit, wrap
from waytrace.scenario import ACCEL_RANGE_MPS2, CURVATURE_RANGE_1PM, DT_S, PLAN_KNOT_S, PLAN_KNOTS

Array = NDArray[np.float64]

ACCEL_MIN, ACCEL_MAX = ACCEL_RANGE_MPS2
CURVATURE_MIN, CURVATURE_MAX = CURVATURE_RANGE_1PM
TICKS_PER_KNOT = round(PLAN_KNOT_S / DT_S)


@jit("f8,f8,f8,f8", "f8", "f8", "f8", "f8", "f8", "f8", "f8")
def advance(
    x: float, y: float, heading: float, speed: float, accel: float, curvature: float, dt_s: float
) -> tuple[float, float, float, float]:
    """Rear-axle (x, y, heading, speed) after ``dt_s`` of constant controls; speed never turns negative."""
    after = speed + accel * dt_s
    distance = 0.5 * (speed + after) * dt_s
    if after < 0.0 <= speed:
        after = 0.0
        distance = -0.5 * speed * speed / accel
    half = 0.5 * curvature * distance
    chord = distance
    if abs(half) > 1e-9:
        chord = distance * math.sin(half) / half
    return (
        x + chord * math.cos(heading + half),
        y + chord * math.sin(heading + half),
        heading + 2.0 * half,
        after,
    )


@jit("void", "f8[:,:]", "f8[:,:]", "f8[:,:]", "f8", "i8", "f8[:,:,:]")
def _integrate(start: Array, accel: Array, curvature: Array, dt_s: float, ticks_per_knot: int, out: Array) -> None:
    """Fill ``out`` [B, knots * ticks_per_knot + 1, 4] with dense rear-axle states; row 0 is the start."""
    for b in range(len(start)):
        x, y, h, v = start[b, 0], start[b, 1], start[b, 2], start[b, 3]
        out[b, 0, 0], out[b, 0, 1], out[b, 0, 2], out[b, 0, 3] = x, y, h, v
        for k in range(accel.shape[1]):
            for i in range(ticks_per_knot):
                x, y, h, v = advance(x, y, h, v, accel[b, k], curvature[b, k], dt_s)
                row = k * ticks_per_knot + i + 1
                out[b, row, 0], out[b, row, 1], out[b, row, 2], out[b, row, 3] = x, y, h, v


def integrate_dense(start: Array, accel_mps2: Array, curvature_1pm: Array) -> Array:
    """Rear-axle states [B, 81, 4] (x, y, heading, speed) each 0.1 s from ``start`` [B, 4] under knots [B, 16]."""
    start = np.ascontiguousarray(np.atleast_2d(start), dtype=np.float64)
    accel = np.ascontiguousarray(np.atleast_2d(accel_mps2), dtype=np.float64)
    curvature = np.ascontiguousarray(np.atleast_2d(curvature_1pm), dtype=np.float64)
    out = np.empty((len(start), accel.shape[1] * TICKS_PER_KNOT + 1, 4))
    _integrate(start, accel, curvature, DT_S, TICKS_PER_KNOT, out)
    return out


def integrate(start: Array, accel_mps2: Array, curvature_1pm: Array) -> Array:
    """Waypoints [B, 16, 4] (x, y, heading, speed of the rear axle, each 0.5 s) that a plan's controls lead to."""
    dense = integrate_dense(start, accel_mps2, curvature_1pm)
    return dense[:, TICKS_PER_KNOT::TICKS_PER_KNOT][:, :PLAN_KNOTS]


def invert(states: Array, dt_s: float = DT_S) -> tuple[Array, Array]:
    """Acceleration and curvature [T - 1] which carry each rear-axle state [T, 4] into the next.

    The inverse of :func:`advance` for states that it can produce: speed changes give the acceleration, the turned angle
    over the driven distance the curvature. Standing still has curvature 0.
    """
    v, h = states[:, 3], states[:, 2]
    accel = np.diff(v) / dt_s
    distance = 0.5 * (v[1:] + v[:-1]) * dt_s
    turned = wrap(np.diff(h))
    moving = np.abs(distance) > 1e-9
    return accel, np.where(moving, turned / np.where(moving, distance, 1.0), 0.0)
