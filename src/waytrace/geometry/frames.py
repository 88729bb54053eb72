"""Planar rigid frames. A pose is (x, y, heading): metres, radians, heading counter-clockwise from east."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .angles import wrap

Array = NDArray[np.float64]


def to_frame(xy_world: Array, pose_world: Array) -> Array:
    """Points [..., 2] of the world, in the frame of one pose [3] (x forward, y left)."""
    cos, sin = np.cos(pose_world[2]), np.sin(pose_world[2])
    dx, dy = xy_world[..., 0] - pose_world[0], xy_world[..., 1] - pose_world[1]
    return np.stack([cos * dx + sin * dy, -sin * dx + cos * dy], axis=-1)


def from_frame(xy_local: Array, pose_world: Array) -> Array:
    """Points [..., 2] of the frame of one pose [3], in the world; the inverse of :func:`to_frame`."""
    cos, sin = np.cos(pose_world[2]), np.sin(pose_world[2])
    x, y = xy_local[..., 0], xy_local[..., 1]
    return np.stack([pose_world[0] + cos * x - sin * y, pose_world[1] + sin * x + cos * y], axis=-1)


def heading_in_frame(heading_world: Array, pose_world: Array) -> Array:
    """Headings of the world, in the frame of one pose [3], wrapped to [-pi, pi)."""
    return wrap(heading_world - pose_world[2])
