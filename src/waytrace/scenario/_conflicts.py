"""Where lanes cross, merge and split: zones in which two vehicles cannot be at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit, point_segment_distance2

CLEARANCE_M = 2.3
"""Centre lines nearer than this leave no room for two cars (2.0 m wide, 0.3 m apart)."""

CROSSING, MERGE, SPLIT = 0, 1, 2


@jit(
    "i8", "i4[:]", "f8[:]", "f8[:]", "f8[:]", "i4[:]", "i4[:]", "i4[:]", "i4[:]", "i4[:]", "i4[:]", "u1[:]",
    "f8", "i4[:,:]", "f8[:,:]", allocates=True,
)  # fmt: skip
def _find(
    point_lo: NDArray[np.int32], x: NDArray[np.float64], y: NDArray[np.float64], step: NDArray[np.float64],
    succ_lo: NDArray[np.int32], succ: NDArray[np.int32], pred_lo: NDArray[np.int32], pred: NDArray[np.int32],
    left: NDArray[np.int32], right: NDArray[np.int32], kind: NDArray[np.uint8],
    clearance: float, pair: NDArray[np.int32], zone: NDArray[np.float64],
) -> int:  # fmt: skip
    """Fill ``pair`` [Q, 3] (lane, other, kind) and ``zone`` [Q, 4]; returns how many there are (may exceed Q)."""
    n, found = len(step), 0
    box = np.empty((n, 4))
    for a in range(n):
        box[a] = (np.inf, np.inf, -np.inf, -np.inf)
        for p in range(point_lo[a], point_lo[a + 1]):
            box[a, 0], box[a, 1] = min(box[a, 0], x[p]), min(box[a, 1], y[p])
            box[a, 2], box[a, 3] = max(box[a, 2], x[p]), max(box[a, 3], y[p])
    for a in range(n):
        for b in range(n):
            if a == b or left[a] == b or right[a] == b or kind[a] >= 2 or kind[b] >= 2:
                continue
            if box[a, 0] > box[b, 2] + clearance or box[b, 0] > box[a, 2] + clearance:
                continue
            if box[a, 1] > box[b, 3] + clearance or box[b, 1] > box[a, 3] + clearance:
                continue
            chained = False
            for q in range(succ_lo[a], succ_lo[a + 1]):
                chained |= succ[q] == b
            for q in range(pred_lo[a], pred_lo[a + 1]):
                chained |= pred[q] == b
            if chained:
                continue
            s0, s1 = np.inf, -np.inf
            for p in range(point_lo[a], point_lo[a + 1]):
                for q in range(point_lo[b], point_lo[b + 1] - 1):
                    if point_segment_distance2(x[p], y[p], x[q], y[q], x[q + 1], y[q + 1]) < clearance * clearance:
                        s = (p - point_lo[a]) * step[a]
                        s0, s1 = min(s0, s), max(s1, s)
                        break
            if s1 < s0:
                continue
            o0, o1 = np.inf, -np.inf
            for q in range(point_lo[b], point_lo[b + 1]):
                for p in range(point_lo[a], point_lo[a + 1] - 1):
                    if point_segment_distance2(x[q], y[q], x[p], y[p], x[p + 1], y[p + 1]) < clearance * clearance:
                        o = (q - point_lo[b]) * step[b]
                        o0, o1 = min(o0, o), max(o1, o)
                        break
            if o1 < o0:
                continue
            what = 0
            for q in range(succ_lo[a], succ_lo[a + 1]):
                for r in range(succ_lo[b], succ_lo[b + 1]):
                    if succ[q] == succ[r]:
                        what = 1
            for q in range(pred_lo[a], pred_lo[a + 1]):
                for r in range(pred_lo[b], pred_lo[b + 1]):
                    if pred[q] == pred[r]:
                        what = 2
            if found < len(pair):
                pair[found, 0], pair[found, 1], pair[found, 2] = a, b, what
                pa, pb = 0.5 * step[a], 0.5 * step[b]  # the points are samples: the zone reaches between them
                zone[found, 0], zone[found, 1] = max(0.0, s0 - pa), s1 + pa
                zone[found, 2], zone[found, 3] = max(0.0, o0 - pb), o1 + pb
            found += 1
    return found


def lane_conflicts(lanes: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """The ``conf_*`` arrays of one map (see ``MapIndex``). Bike and other lanes take no part."""
    names = ["point_lo", "point_x", "point_y", "lane_step", "succ_lo", "succ", "pred_lo", "pred"]
    names += ["lane_left", "lane_right", "lane_kind"]
    arrays: list[Any] = [np.ascontiguousarray(lanes[name]) for name in names]
    room = 1024
    while True:
        pair, zone = np.zeros((room, 3), np.int32), np.zeros((room, 4))
        found = _find(*[*arrays, CLEARANCE_M, pair, zone])
        if found <= room:
            break
        room = found
    pair, zone = pair[:found], zone[:found]
    starts = np.searchsorted(pair[:, 0], np.arange(len(lanes["lane_step"]) + 1)).astype(np.int32)
    return {
        "conf_lo": starts, "conf_lane": pair[:, 1].copy(), "conf_kind": pair[:, 2].astype(np.uint8),
        "conf_s0": zone[:, 0].copy(), "conf_s1": zone[:, 1].copy(), "conf_o0": zone[:, 2].copy(),
        "conf_o1": zone[:, 3].copy(),
    }  # fmt: skip
