"""Rows of map elements."""

from __future__ import annotations

import math

import numpy as np

from waytrace.geometry import F8, I4, F4x2, F4x3, I4x2, jit

from .features import MAP_AT, MAP_ROWS


@jit(
    "void", "i8", "i8", "i8", "f8", "f8", "f8", "f8", "f8", "i4[:,:]", "f8[:]", "f8[:]", "f4[:,:]", "i4[:]",
    "f4[:,:]", "f4[:,:,:]", "i4[:,:]"
)  # fmt: skip
def write_map_rows(
    c: int, n: int, first_lane: int, x: float, y: float, cos: float, sin: float, done: float, kept: I4x2,
    element_x: F8, element_y: F8, row: F4x2, element_lane: I4,
    lane_now: F4x2, out: F4x3, reference: I4x2,
) -> None:  # fmt: skip
    """Write the first ``n`` kept elements of row ``c`` in the frame of (x, y, cos, sin), padding after them.

    All loads of an element stand before all stores, so that the compiler may use wide ones, and there is no branch in
    the loop: whether an element lies on the route is anyone's guess.
    """
    ec, es, zero = np.float32(cos), np.float32(sin), np.float32(0.0)
    known, since = zero, zero
    if not math.isnan(done):
        known, since = np.float32(1.0), np.float32(done)
    for i in range(n):
        q = np.uint32(kept[c, i])
        dx, dy = np.float32(element_x[q] - x), np.float32(element_y[q] - y)
        lane = np.uint32(element_lane[q])
        light, on = lane_now[lane, 0], lane_now[lane, 1]
        ahead = on * known * (lane_now[lane, 2] + row[q, 10] * lane_now[lane, 3] - since)
        hx, hy = row[q, 0], row[q, 1]
        length, curvature, left, right = row[q, 2], row[q, 3], row[q, 4], row[q, 5]
        limit, junction, kind, control = row[q, 6], row[q, 7], row[q, 8], row[q, 9]
        out[c, i, 0], out[c, i, 1] = ec * dx + es * dy, ec * dy - es * dx
        out[c, i, 2], out[c, i, 3] = ec * hx + es * hy, ec * hy - es * hx
        out[c, i, 4], out[c, i, 5], out[c, i, 6], out[c, i, 7] = length, curvature, left, right
        out[c, i, 8], out[c, i, 9], out[c, i, 10], out[c, i, 11] = limit, junction, kind, control
        out[c, i, 12], out[c, i, 13], out[c, i, 14] = light, on, ahead
        reference[c, MAP_AT + i] = np.int32(lane) - first_lane
    for i in range(n, MAP_ROWS):
        reference[c, MAP_AT + i] = -1
        for k in range(15):
            out[c, i, k] = zero
