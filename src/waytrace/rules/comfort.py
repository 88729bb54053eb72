"""Comfort values from speed and heading per tick, smoothed the way nuPlan smooths them.

Savitzky-Golay: a polynomial is fitted to a window of ticks and evaluated (or derived) in its middle; at both ends, in
the first and last window. nuPlan's windows, except that its even one (8) is 9 here, because its filter would shift by
half a tick; a drive shorter than a window takes the longest odd window that fits. All rows are at 10 Hz.

| value | signal | window | order | derivative |
|---|---|---|---|---|
| longitudinal acceleration | change of speed to the next tick | 9 | 2 | 0 |
| lateral acceleration | speed x yaw rate | 9 | 2 | 0 |
| magnitude | norm of both (the lateral one unsmoothed) | 9 | 2 | 0 |
| jerk, longitudinal jerk | smoothed magnitude, smoothed longitudinal acceleration | 15 | 2 | 1 |
| yaw rate | heading | 5 | 2 | 1 |
| yaw acceleration | heading | 5 | 3 | 2 |

nuPlan reads the accelerations of the box centre from the simulator's state; here they are those of the rear axle,
from poses, so that logs, plans and simulated drives are measured alike.
"""

from __future__ import annotations

import math

import numpy as np
from numba.core import types
from numpy.typing import NDArray

from waytrace.geometry import jit, wrap_angle

from .limits import (
    JERK_MPS3,
    LAT_ACCEL_MPS2,
    LON_ACCEL_HIGH_MPS2,
    LON_ACCEL_LOW_MPS2,
    LON_JERK_MPS3,
    YAW_ACCEL_RADPS2,
    YAW_RATE_RADPS,
)

LON_ACCEL, LAT_ACCEL, JERK, LON_JERK, YAW_RATE, YAW_ACCEL, ACCEL = 0, 1, 2, 3, 4, 5, 6
"""Rows of what :func:`comfort_rows` fills; ``ACCEL`` is the magnitude, which has no bound of its own."""
COMFORT_ROWS = 7
SCRATCH_ROWS = 3
SLACK = 1.0e-6
"""Bounds are met up to this much: a rounding error is no discomfort."""


def _filters(windows: range, order: int, derivative: int) -> NDArray[np.float64]:
    """Weights [len(windows), n, n] (n the longest window): row i of a window gives the value at its place i."""
    longest = max(windows)
    out = np.zeros((len(windows), longest, longest))
    for number, n in enumerate(windows):
        k = np.arange(n, dtype=np.float64)
        fit = np.linalg.pinv(k[:, None] ** np.arange(order + 1))
        for i in range(n):
            basis = np.zeros(order + 1)
            for power in range(derivative, order + 1):
                basis[power] = math.perm(power, derivative) * float(i) ** (power - derivative)
            out[number, i, :n] = basis @ fit
    return out


_ACCEL = _filters(range(3, 10, 2), 2, 0)
_JERK = _filters(range(3, 16, 2), 2, 1)
_YAW_RATE = _filters(range(3, 6, 2), 2, 1)
_YAW_ACCEL = _filters(range(5, 6, 2), 3, 2)


_WEIGHTS = types.Array(types.float64, 3, "C", readonly=True)


@jit("void", "f8[:]", "i8", _WEIGHTS, "i8", "f8", "f8[:]")
def smooth(
    y: NDArray[np.float64], rows: int, weights: NDArray[np.float64], shortest: int, scale: float,
    out: NDArray[np.float64],
) -> None:  # fmt: skip
    """Filter ``y[:rows]`` into ``out``, multiplied by ``scale``; zeros where even the shortest window does not fit."""
    if rows < shortest:
        for t in range(rows):
            out[t] = 0.0
        return
    number = min((rows - shortest) // 2, weights.shape[0] - 1)
    n = shortest + 2 * number
    for t in range(rows):
        at = min(max(t - n // 2, 0), rows - n)
        total = 0.0
        for k in range(n):
            total += weights[number, t - at, k] * y[at + k]
        out[t] = scale * total


@jit("b1", "f8[:,:]", "i8")
def is_comfortable(rows: NDArray[np.float64], count: int) -> bool:
    """Whether the first ``count`` ticks of :func:`comfort_rows` stay within every bound."""
    for t in range(count):
        if not (LON_ACCEL_LOW_MPS2 - SLACK <= rows[LON_ACCEL, t] <= LON_ACCEL_HIGH_MPS2 + SLACK):
            return False
        if abs(rows[LAT_ACCEL, t]) > LAT_ACCEL_MPS2 + SLACK or abs(rows[JERK, t]) > JERK_MPS3 + SLACK:
            return False
        if abs(rows[LON_JERK, t]) > LON_JERK_MPS3 + SLACK or abs(rows[YAW_RATE, t]) > YAW_RATE_RADPS + SLACK:
            return False
        if abs(rows[YAW_ACCEL, t]) > YAW_ACCEL_RADPS2 + SLACK:
            return False
    return True


@jit("void", "f8[:]", "f8[:]", "i8", "f8", "f8[:,:]", "f8[:,:]")
def comfort_rows(
    speed: NDArray[np.float64], heading: NDArray[np.float64], rows: int, dt: float, out: NDArray[np.float64],
    scratch: NDArray[np.float64],
) -> None:  # fmt: skip
    """Fill ``out`` [7, >= rows] with the comfort values of a drive: rows as ``LON_ACCEL`` ... ``ACCEL`` say.

    ``speed`` m/s (signed) and ``heading`` rad, one per tick of ``dt`` seconds; ``scratch`` is [3, >= rows].
    """
    raw, unwrapped, norm = scratch[0], scratch[1], scratch[2]
    for t in range(rows):
        unwrapped[t] = heading[t] if t == 0 else unwrapped[t - 1] + wrap_angle(heading[t] - heading[t - 1])
    smooth(unwrapped, rows, _YAW_RATE, 3, 1.0 / dt, out[YAW_RATE])
    smooth(unwrapped, rows, _YAW_ACCEL, 5, 1.0 / (dt * dt), out[YAW_ACCEL])
    for t in range(rows - 1):
        raw[t] = (speed[t + 1] - speed[t]) / dt
    raw[rows - 1] = raw[rows - 2] if rows > 1 else 0.0
    smooth(raw, rows, _ACCEL, 3, 1.0, out[LON_ACCEL])
    for t in range(rows):
        lateral = speed[t] * out[YAW_RATE, t]
        norm[t] = math.hypot(raw[t], lateral)
        raw[t] = lateral
    smooth(raw, rows, _ACCEL, 3, 1.0, out[LAT_ACCEL])
    smooth(norm, rows, _ACCEL, 3, 1.0, out[ACCEL])
    smooth(out[ACCEL], rows, _JERK, 3, 1.0 / dt, out[JERK])
    smooth(out[LON_ACCEL], rows, _JERK, 3, 1.0 / dt, out[LON_JERK])
