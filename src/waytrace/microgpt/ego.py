"""The ego's token: how it moves, where it stands in its lane, what it did and decided."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit

from .agents import write_past
from .columns import EGO as NAMES
from .scaling import EGO, FAR_AT_M, Ego, cut, far, fine, near

Array = NDArray[np.float64]
F4 = NDArray[np.float32]

STILL_MPS = 0.1
_LANE, _LIMIT, _KIND, _STILL, _PAST = (
    NAMES.index(n) for n in ("lane_d", "limit", "large_vehicle", "still", "past_0.4_ahead")
)
_LONGITUDINAL, _LATERAL = NAMES.index("last_set_speed"), NAMES.index("last_keep")


@jit("f8,f8", "f8[:]", "b1[:]", "f8")
def since(speed: Array, known: NDArray[np.bool_], dt_s: float) -> tuple[float, float]:
    """(seconds since it last moved, metres since it last stood) from speeds up to now; 200 m for never."""
    still_s, way = 0.0, 0.0
    for i in range(len(speed) - 1, -1, -1):
        if not known[i] or abs(speed[i]) > STILL_MPS:
            break
        still_s += dt_s
    for i in range(len(speed) - 1, -1, -1):
        if not known[i]:
            return still_s, FAR_AT_M
        if abs(speed[i]) <= STILL_MPS:
            return still_s, min(way, FAR_AT_M)
        way += abs(speed[i]) * dt_s
    return still_s, FAR_AT_M


@jit("void", "f4[:]", EGO, "f8", "f8", "f8[:,:]", "f8[:]", "b1[:]", "i8", "i8", "b1", "f8", "f4[:]")
def write_ego(
    seen: F4, ego: Ego, still_s: float, since_stood_m: float, past: Array, past_speed: Array,
    past_seen: NDArray[np.bool_], longitudinal: int, lateral: int, has_route: bool,
    unlimited_mps: float, out: F4,
) -> None:  # fmt: skip
    """Write the token from the observation's ``ego`` row, the history and the last decision (-1 for none).

    ``unlimited_mps`` is what counts as the limit where the map has none.
    """
    v = seen[0]
    out[0], out[1], out[2], out[3] = v / 10.0, abs(v) < STILL_MPS, cut(seen[1] / 3.0, 3.0), cut(2.0 * seen[2], 3.0)
    out[4], out[5] = cut(10.0 * seen[3], 3.0), cut(v * seen[2] / 4.0, 3.0)
    out[6], out[7] = seen[4] / 5.0, seen[5] / 2.0
    if seen[6] > 0.5:
        out[_LANE], out[_LANE + 1] = cut(0.5 * seen[7], 3.0), fine(seen[7])
        out[_LANE + 2], out[_LANE + 3] = cut(2.0 * seen[8], 3.0), fine(seen[8])
    out[_LANE + 4], out[_LANE + 5] = 1.0 - seen[6], seen[10]
    limit = seen[9] if seen[9] > 0.0 else unlimited_mps
    out[_LIMIT], out[_LIMIT + 1], out[_LIMIT + 2] = limit / 15.0, seen[9] <= 0.0, (v - limit) / 10.0
    if has_route:
        out[_LIMIT + 3], out[_LIMIT + 4] = near(seen[11]), far(seen[11])
    out[_LIMIT + 5] = not has_route
    if 0 < int(seen[12]) < 4:
        out[_KIND + int(seen[12]) - 1] = 1.0
    out[_STILL] = min(still_s, 10.0) / 5.0
    out[_STILL + 1], out[_STILL + 2] = near(since_stood_m), far(since_stood_m)
    write_past(ego.x, ego.y, ego.heading, ego.speed, past, past_speed, past_seen, out, _PAST)
    if longitudinal >= 0:
        out[_LONGITUDINAL + longitudinal] = 1.0
    if lateral >= 0:
        out[_LATERAL + lateral] = 1.0
