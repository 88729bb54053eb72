"""Angles in radians, counter-clockwise from the x axis."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ._jit import jit


def wrap(angle_rad: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """The same angle in [-pi, pi)."""
    return (np.asarray(angle_rad, dtype=np.float64) + np.pi) % (2.0 * np.pi) - np.pi


@jit("f8", "f8")
def wrap_angle(angle_rad: float) -> float:
    """The same angle in [-pi, pi); scalar kernel."""
    return (angle_rad + math.pi) % (2.0 * math.pi) - math.pi
