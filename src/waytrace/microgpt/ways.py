"""How one would steer from here: back to a path's middle or over to it, and round what stands on it.

The same smooth moves as the expert's options (:mod:`waytrace.planners.expert.options`), each said as lateral
accelerations of the first knots of a plan: half a second of driving is what a plan is followed for.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import bundle, jit, wrap_angle
from waytrace.planners.expert import ExpertConfig
from waytrace.planners.expert.caps import IN_LANE_M
from waytrace.planners.expert.options import QUEUE_M, SETTLED_S, STANDING_MPS
from waytrace.planners.moment import OTHERS, Others
from waytrace.scenario import PLAN_KNOT_S, AgentKind
from waytrace.scenario.index import MAP_INDEX, MapIndex
from waytrace.scenario.paths import PATH, STEP_M, Path, pose_at, shift

from .columns import PATH as NAMES
from .columns import STEER_KNOTS
from .scaling import EGO, Ego, cut, far, near

Array = NDArray[np.float64]

_SETTLE, _CHANGE, _LEFT, _RIGHT = (NAMES.index(n) for n in ("settle_0", "hurry_0", "has_way_left", "has_way_right"))
_SETTLE_S, _CHANGE_S, _CLEAR_M, _LEAST_M = (
    ExpertConfig.settle_s, ExpertConfig.change_s, ExpertConfig.pass_clearance_m, ExpertConfig.pass_least_m,
)  # fmt: skip
HURRIED = 0.55
"""Share of its usual length that a hurried move has."""

SLOWEST_MPS = 4.0
"""Below this speed a bend counts as a lateral acceleration as if this fast (``heads.squash``)."""

GROUP_M, SIGHT_M, WIDEST_M = 25.0, 90.0, 5.0
_MOTORCYCLE = int(AgentKind.MOTORCYCLE)
_FAR = 1.0e9


class Way(NamedTuple):
    """A lateral profile along a path: a move from where the vehicle is, a shift on the way, and the same shift back."""

    s0: float
    d0: float
    slope: float
    length: float
    to: float
    """Where the move ends."""
    begin: float
    lead: float
    """Where the shift begins, and how long it takes."""
    shift: float
    last: float
    """Where the way back begins."""
    back: float
    """How far it leads back."""


WAY = bundle(Way)


@jit("f8", WAY, "f8")
def aside(way: Way, s: float) -> float:
    """Offset from the path at ``s``."""
    moved = shift(s - way.s0, way.length, way.d0, way.slope, way.to)
    shifted = shift(s - way.begin, way.lead, 0.0, 0.0, way.shift)
    return moved + shifted - shift(s - way.last, way.lead, 0.0, 0.0, way.back)


@jit("f8", "f8")
def tightest(across_m: float) -> float:
    """Metres that moving so far sideways takes at least: the quintic's curvature then peaks at 0.18 1/m."""
    return math.sqrt(32.0 * abs(across_m)) + 0.5


@jit("void", PATH, "i8", WAY, "f8", "f4[:]", "i8")
def write_steering(path: Path, count: int, way: Way, v: float, out: NDArray[np.float32], at: int) -> None:
    """Write how a way is steered: the lateral acceleration of each of the first knots at the present speed, over 4."""
    run = max(v * PLAN_KNOT_S, 1.0)
    square = max(v, SLOWEST_MPS) ** 2
    end = (count - 1) * STEP_M
    for k in range(STEER_KNOTS):
        a = way.s0 + k * run
        b = a + run
        slope_a = (aside(way, a + 0.25) - aside(way, a - 0.25)) / 0.5
        slope_b = (aside(way, b + 0.25) - aside(way, b - 0.25)) / 0.5
        turn = 0.0
        if b < end:
            _, _, heading_a = pose_at(path, count, a)
            _, _, heading_b = pose_at(path, count, b)
            turn = wrap_angle(heading_b - heading_a)
        bend = (math.atan(slope_b) - math.atan(slope_a) + turn) / run
        out[at + k] = cut(bend * square / 4.0, 3.0)


@jit("i8", "f8[:,:]", OTHERS, "f8[:]", EGO, "f8", "f8", "i8[:]")
def standing(
    place: Array, others: Others, still_s: Array, ego: Ego, s0: float, stop_s: float, rows: NDArray[np.int64]
) -> int:  # fmt: skip
    """How many stand in the way of a path, and which: ``rows`` comes back in the order in which they stand.

    Those that have stood for ``SETTLED_S``, but not vehicles that wait before ``stop_s``.
    """
    count = 0
    room = 0.5 * ego.width + _CLEAR_M
    for a in range(len(place)):
        s, d = place[a, 0], place[a, 1]
        if s == math.inf or abs(others.speed[a]) >= STANDING_MPS or still_s[a] < SETTLED_S:
            continue
        if s + place[a, 2] <= s0 - 2.0 or s >= s0 + SIGHT_M or abs(d) >= room + place[a, 3]:
            continue
        if others.kind[a] <= _MOTORCYCLE and abs(d) < IN_LANE_M and 0.0 < stop_s - s < QUEUE_M:
            continue
        k = count
        while k > 0 and place[rows[k - 1], 0] > s:
            rows[k] = rows[k - 1]
            k -= 1
        rows[k] = a
        count += 1
    return count


@jit(
    "void", MAP_INDEX, PATH, "i8", "f8", "f8", "f8", "f8[:,:]", OTHERS, "f8[:]", "f8", EGO, "i8", "i8[:]", "f4[:]"
)  # fmt: skip
def write_ways(
    m: MapIndex, path: Path, count: int, s0: float, d0: float, turned: float, place: Array, others: Others,
    still_s: Array, stop_s: float, ego: Ego, which: int, rows: NDArray[np.int64], out: NDArray[np.float32],
) -> None:  # fmt: skip
    """Write to the token of path ``which`` (0 own) how one would steer to its middle and round what stands on it.

    ``turned`` is the ego's heading to the path's; ``rows`` is working memory, one for each other.
    """
    v = ego.speed
    here = min(max(int(s0 / STEP_M), 0), count - 1)
    slope = math.tan(min(max(turned, -0.6), 0.6)) * max(1.0 - path.curvature[here] * d0, 0.2)
    if which == 0:
        usual, hurried = max(8.0, _SETTLE_S * v), max(8.0, HURRIED * _SETTLE_S * v)
    else:
        shortest = tightest(d0)
        usual, hurried = max(shortest, _CHANGE_S * v), max(shortest, HURRIED * _CHANGE_S * v)
    write_steering(path, count, Way(s0, d0, slope, usual, 0.0, _FAR, 1.0, 0.0, _FAR, 0.0), v, out, _SETTLE)
    write_steering(path, count, Way(s0, d0, slope, hurried, 0.0, _FAR, 1.0, 0.0, _FAR, 0.0), v, out, _CHANGE)
    if which != 0:
        return
    found = standing(place, others, still_s, ego, s0, stop_s, rows)
    if found == 0:
        return
    group = 1
    while group < found and place[rows[group], 0] - place[rows[group - 1], 0] <= GROUP_M:
        group += 1
    nearest = rows[0]
    i = min(max(int(place[nearest, 0] / STEP_M), 0), count - 1)
    p = m.point_lo[path.lane[i]]
    first = place[nearest, 0] - place[nearest, 2] - ego.front_m - 1.0
    last = -_FAR
    for k in range(group):
        last = max(last, place[rows[k], 0] + place[rows[k], 2])
    last += 0.5 * ego.length - ego.rear_m + 1.0
    for side in (1.0, -1.0):
        at = _LEFT if side > 0.0 else _RIGHT
        beside = -_FAR
        for k in range(group):
            beside = max(beside, side * place[rows[k], 1] + place[rows[k], 3] + 0.5 * ego.width)
        edge = (m.point_left[p] if side > 0.0 else m.point_right[p]) - 0.05
        if not 0.0 < beside + _CLEAR_M <= WIDEST_M:
            continue
        out[at], out[at + 1], out[at + 2] = 1.0, beside / 3.0, cut((edge - beside) / 2.0, 3.0)
        out[at + 3], out[at + 4] = near(first - s0), far(first - s0)
        out[at + 5], out[at + 6] = near(last - s0), far(last - s0)
        tight = edge if beside + _LEAST_M < edge < beside + 0.5 * _CLEAR_M else beside + 0.5 * _CLEAR_M
        for k in range(2):
            needed = side * (beside + _CLEAR_M if k == 0 else tight)
            lead = max(10.0, 3.0 * v, 4.0 * abs(needed))
            begin = first - lead
            if begin > s0 + 1.0:
                way = Way(s0, d0, slope, max(8.0, _SETTLE_S * v), 0.0, begin, lead, needed, last, needed)
            else:
                length = min(max(first - s0, tightest(needed - d0)), lead)
                way = Way(s0, d0, slope, length, needed, _FAR, lead, 0.0, last, needed)
            write_steering(path, count, way, v, out, at + 7 + STEER_KNOTS * k)
