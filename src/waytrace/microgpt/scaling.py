"""How metres and other quantities become numbers of about 1; kernels shared by all kinds of tokens."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import bundle, jit

FAR_AT_M = 200.0


class Ego(NamedTuple):
    """The ego at the moment of the tokens; world frame, metres, radians."""

    x: float
    """Box centre."""
    y: float
    heading: float
    cos: float
    sin: float
    speed: float
    axle_x: float
    axle_y: float
    rear_m: float
    """From the rear axle to the box centre."""
    front_m: float
    """From the rear axle to the front bumper."""
    length: float
    width: float


EGO = bundle(Ego)


@jit("f8", "f8", "f8")
def cut(value: float, most: float) -> float:
    """``value`` within ``most`` of 0."""
    return min(max(value, -most), most)


@jit("f8", "f8")
def near(metres: float) -> float:
    """Metres with full resolution close by: asinh over 3."""
    return math.asinh(cut(metres, FAR_AT_M)) / 3.0


@jit("f8", "f8")
def far(metres: float) -> float:
    """Metres over 50, within 4."""
    return cut(metres / 50.0, 4.0)


@jit("f8", "f8")
def fine(value: float) -> float:
    """A small offset (m) or angle (rad), resolved to hundredths: asinh of ten times it over 3."""
    return math.asinh(10.0 * value) / 3.0


@jit("void", EGO, "f8", "f8", "f4[:]", "i8")
def write_place(ego: Ego, x: float, y: float, out: NDArray[np.float32], at: int) -> None:
    """Write a world point as seen from the ego: x, y, x_near, y_near, distance_near from column ``at`` on."""
    dx, dy = x - ego.x, y - ego.y
    ahead, left = ego.cos * dx + ego.sin * dy, ego.cos * dy - ego.sin * dx
    out[at], out[at + 1] = far(ahead), far(left)
    out[at + 2], out[at + 3] = near(ahead), near(left)
    out[at + 4] = near(math.hypot(ahead, left))
