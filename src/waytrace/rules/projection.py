"""Time to collision by constant-velocity projection, after nuPlan's ``time_to_collision_within_bound``."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import boxes_overlap, jit
from waytrace.scenario.index import MAP_INDEX, MapIndex
from waytrace.scenario.state import AGENT_STATE, AgentState

from .contacts import bearing_cos
from .lane_keeping import wholly_in_one_lane
from .limits import AHEAD_COS, BEHIND_COS, TTC_STEP_S, TTC_STEPS, TTC_STOPPED_MPS


@jit("f8", *["f8"] * 14)
def _first_contact_s(
    ex: float, ey: float, eh: float, el: float, ew: float, evx: float, evy: float,
    ox: float, oy: float, oh: float, ol: float, ow: float, ovx: float, ovy: float,
) -> float:  # fmt: skip
    """:func:`time_to_contact_s` from velocities in the world frame."""
    px, py, vx, vy = ox - ex, oy - ey, ovx - evx, ovy - evy
    reach = 0.5 * (el + ew + ol + ow)  # no less than the sum of the half diagonals
    a, b, c = vx * vx + vy * vy, px * vx + py * vy, px * px + py * py - reach * reach
    first, last = 1, TTC_STEPS
    if c > 0.0:
        if b >= 0.0:
            return math.inf  # apart, and not closing
        root = b * b - a * c
        if root < 0.0:
            return math.inf  # passes by
        root = math.sqrt(root)
        horizon = TTC_STEP_S * TTC_STEPS
        if -b - root > a * horizon:
            return math.inf
        first = max(1, math.floor((-b - root) / (a * TTC_STEP_S)))
        last = math.ceil(min((-b + root) / (a * TTC_STEP_S), 1.0 * TTC_STEPS))
    for k in range(first, last + 1):
        t = k * TTC_STEP_S
        if boxes_overlap(ex + t * evx, ey + t * evy, eh, el, ew, ox + t * ovx, oy + t * ovy, oh, ol, ow):
            return t
    return math.inf


@jit("f8", *["f8"] * 12)
def time_to_contact_s(
    ex: float, ey: float, eh: float, el: float, ew: float, ev: float,
    ox: float, oy: float, oh: float, ol: float, ow: float, ov: float,
) -> float:  # fmt: skip
    """Seconds until two boxes that keep speed and heading touch: a multiple of 0.1 up to 3; infinity if they do not.

    Boxes are tested only at the steps in which the circles around them overlap; the answer is the same.
    """
    return _first_contact_s(
        ex, ey, eh, el, ew, ev * math.cos(eh), ev * math.sin(eh), ox, oy, oh, ol, ow, ov * math.cos(oh),
        ov * math.sin(oh),
    )  # fmt: skip


@jit("i8", *["f8"] * 6)
def ttc_relevance(ex: float, ey: float, eh: float, el: float, ox: float, oy: float) -> int:
    """2 for an agent ahead, 1 for one beside (counts unless the ego keeps its lane), 0 behind (never counts)."""
    bearing = bearing_cos(ex, ey, eh, el, ox, oy)
    if bearing > AHEAD_COS:
        return 2
    return 0 if bearing < BEHIND_COS else 1


@jit("f8", MAP_INDEX, AGENT_STATE, "i8", "i8", "i8", "b1[:]")
def time_to_collision_s(m: MapIndex, a: AgentState, number: int, w: int, ego: int, skip: NDArray[np.bool_]) -> float:
    """Least time to collision of slot ``ego`` of world ``w`` with any other, seconds; infinity for none within 3 s.

    Excluded as nuPlan does: everyone while the ego stands, agents behind, agents beside while the ego is wholly in
    one lane outside intersections, and slots that ``skip`` [A] marks (struck before). ``number`` is the world's map.
    """
    if abs(a.speed[w, ego]) <= TTC_STOPPED_MPS:
        return math.inf
    x, y, h, speed = a.x[w, ego], a.y[w, ego], a.heading[w, ego], a.speed[w, ego]
    length, width, lane = a.length[w, ego], a.width[w, ego], a.lane[w, ego]
    vx, vy = speed * a.cos[w, ego], speed * a.sin[w, ego]
    least = math.inf
    beside_known, beside_counts = False, False
    for o in range(a.x.shape[1]):
        if o == ego or skip[o] or not a.present[w, o]:
            continue
        v = a.speed[w, o]
        t = _first_contact_s(
            x, y, h, length, width, vx, vy, a.x[w, o], a.y[w, o], a.heading[w, o], a.length[w, o], a.width[w, o],
            v * a.cos[w, o], v * a.sin[w, o],
        )  # fmt: skip
        if t >= least:
            continue
        relevance = ttc_relevance(x, y, h, length, a.x[w, o], a.y[w, o])
        if relevance == 0:
            continue
        if relevance == 1 and not beside_known:
            beside_known = True
            beside_counts = lane >= 0 and m.lane_junction[lane] == 1
            if not beside_counts:
                beside_counts = not wholly_in_one_lane(m, number, lane, x, y, h, length, width)
        if relevance == 2 or beside_counts:
            least = t
    return least
