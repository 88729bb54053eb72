"""The map as an observation needs it: one packed row per element, built once for a :class:`MapIndex`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import F8, I4, F4x2, bundle
from waytrace.scenario.index import MapIndex

ELEMENT_FLOATS = 11
"""Heading at the middle (2), length, curvature, half widths (2), limit, junction, kind, control, arc length of the
middle on its lane."""


class ElementTable(NamedTuple):
    """Map elements, stop lines and crosswalks in the world frame, metres. E elements, S stop lines, X crosswalks."""

    row: F4x2
    """[E, ELEMENT_FLOATS]."""
    lane: I4
    """[E] lane of an element (MapIndex number)."""
    cell_x: F8
    """[E] middles in the order of ``MapIndex.ecell_element``: a grid cell's are side by side."""
    cell_y: F8
    stop_lo: I4
    """[M + 1] stop lines of map m."""
    stop_lane: I4
    """[S] lane (MapIndex number) on which the line lies."""
    stop_s: F8
    stop_x: F8
    stop_y: F8
    stop_cos: F8
    stop_sin: F8
    walk_lo: I4
    """[M + 1] crosswalks of map m."""
    walk_x: F8
    """[X] centre of the bounding box along the longest edge."""
    walk_y: F8
    walk_cos: F8
    walk_sin: F8
    walk_length: F8
    walk_width: F8


ELEMENT_TABLE = bundle(ElementTable)
"""Numba type of :class:`ElementTable`, for signatures."""


def pack_elements(m: MapIndex) -> ElementTable:
    """The packed elements, stop lines and crosswalks of every map of an index."""
    p0, p1, lane = m.element_p0, m.element_p1, m.element_lane
    twice = p0 + p1
    mid, odd = twice // 2, twice % 2
    heading = 0.5 * (m.point_heading[mid] + m.point_heading[mid + odd])
    limit = m.lane_limit[lane]
    length = np.maximum((p1 - p0) * m.lane_step[lane], 1e-6)
    row = np.stack(
        [
            np.cos(heading), np.sin(heading), length, (m.point_heading[p1] - m.point_heading[p0]) / length,
            0.5 * (m.point_left[mid] + m.point_left[mid + odd]),
            0.5 * (m.point_right[mid] + m.point_right[mid + odd]),
            np.nan_to_num(limit, nan=0.0), m.lane_junction[lane], m.lane_kind[lane], m.lane_control[lane],
            0.5 * (twice - 2 * m.point_lo[lane]) * m.lane_step[lane],
        ],
        -1,
    )  # fmt: skip
    return ElementTable(
        row=np.ascontiguousarray(row, np.float32),
        lane=lane,
        cell_x=m.element_x[m.ecell_element],
        cell_y=m.element_y[m.ecell_element],
        **_stop_lines(m),
        **_crosswalks(m),
    )


def _stop_lines(m: MapIndex) -> dict[str, NDArray[Any]]:
    """Where each lane's stop line crosses its centre line."""
    lane = np.flatnonzero(np.isfinite(m.lane_stop_s)).astype(np.int32)
    s = m.lane_stop_s[lane]
    u = s / m.lane_step[lane]
    points = (m.point_lo[lane + 1] - m.point_lo[lane]).astype(np.int64)
    i = np.clip(np.floor(u).astype(np.int64), 0, points - 2)
    p, t = m.point_lo[lane] + i, np.clip(u - i, 0.0, 1.0)
    heading = m.point_heading[p] + t * (m.point_heading[p + 1] - m.point_heading[p])
    return {
        "stop_lo": np.searchsorted(lane, m.lane_lo).astype(np.int32), "stop_lane": lane, "stop_s": s,
        "stop_x": m.point_x[p] + t * (m.point_x[p + 1] - m.point_x[p]),
        "stop_y": m.point_y[p] + t * (m.point_y[p + 1] - m.point_y[p]),
        "stop_cos": np.cos(heading), "stop_sin": np.sin(heading),
    }  # fmt: skip


def _crosswalks(m: MapIndex) -> dict[str, NDArray[Any]]:
    """Centre, axis and extent of each crosswalk: its bounding box along its longest edge."""
    count = len(m.crosswalk_point_lo) - 1
    out = np.zeros((6, count))
    for x in range(count):
        lo, hi = m.crosswalk_point_lo[x], m.crosswalk_point_lo[x + 1]
        xy = np.stack([m.crosswalk_x[lo:hi], m.crosswalk_y[lo:hi]], -1)
        if not len(xy):
            continue
        edge = np.roll(xy, -1, 0) - xy
        along = edge[np.argmax((edge**2).sum(-1))]
        along = along / max(float(np.hypot(*along)), 1e-9)
        axes = np.stack([along, [-along[1], along[0]]])
        local = xy @ axes.T
        low, high = local.min(0), local.max(0)
        out[:2, x] = 0.5 * (low + high) @ axes
        out[2:4, x] = along
        out[4:, x] = high - low
    names = ("walk_x", "walk_y", "walk_cos", "walk_sin", "walk_length", "walk_width")
    return {"walk_lo": m.crosswalk_lo.astype(np.int32)} | dict(zip(names, out.copy(), strict=True))
