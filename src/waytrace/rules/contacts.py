"""Collisions and whose fault they are, after nuPlan's ``no_ego_at_fault_collisions``.

An agent is given as box centre x, y, heading, length, width and signed speed, or by slot of an ``AgentState``.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import boxes_overlap, jit, segment_hits_box
from waytrace.scenario.index import MAP_INDEX, MapIndex
from waytrace.scenario.plans import REAR_AXLE_TO_CENTRE
from waytrace.scenario.state import AGENT_STATE, AgentState

from .lane_keeping import wholly_in_one_lane
from .limits import BEHIND_COS, STOPPED_MPS

NO_CONTACT = 0
STOPPED_EGO = 1
"""The ego stands: not its fault."""
STOPPED_TRACK = 2
"""The ego strikes something that stands: its fault."""
FRONT = 3
"""The ego's front bumper strikes a moving road user: its fault."""
REAR = 4
"""The ego is struck from behind: not its fault."""
LATERAL = 5
"""Side contact of two moving road users: the ego's fault unless it is wholly in one lane."""
CONTACT_NAMES = ("none", "stopped_ego", "stopped_track", "front", "rear", "lateral")


@jit("f8", *["f8"] * 6)
def bearing_cos(ex: float, ey: float, eh: float, el: float, ox: float, oy: float) -> float:
    """Cosine of the bearing of (ox, oy) from the ego's rear axle (box centre ex, ey, heading eh, length el)."""
    c, s = math.cos(eh), math.sin(eh)
    dx = ox - ex + REAR_AXLE_TO_CENTRE * el * c
    dy = oy - ey + REAR_AXLE_TO_CENTRE * el * s
    n = math.hypot(dx, dy)
    return 0.0 if n < 1e-9 else (dx * c + dy * s) / n


@jit("i8", *["f8"] * 12)
def contact_kind(
    ex: float, ey: float, eh: float, el: float, ew: float, ev: float,
    ox: float, oy: float, oh: float, ol: float, ow: float, ov: float,
) -> int:  # fmt: skip
    """How the ego (e) and another (o) are in contact: ``NO_CONTACT``, ``STOPPED_EGO``, ... ``LATERAL``.

    The order of the questions is nuPlan's: ego standing, other standing, other behind, front bumper, else lateral.
    """
    dx, dy = ox - ex, oy - ey
    reach = 0.5 * (el + ew + ol + ow)  # no less than the sum of the half diagonals
    if dx * dx + dy * dy > reach * reach:
        return NO_CONTACT
    if not boxes_overlap(ex, ey, eh, el, ew, ox, oy, oh, ol, ow):
        return NO_CONTACT
    if abs(ev) <= STOPPED_MPS:
        return STOPPED_EGO
    if abs(ov) <= STOPPED_MPS:
        return STOPPED_TRACK
    if bearing_cos(ex, ey, eh, el, ox, oy) < BEHIND_COS:
        return REAR
    c, s = math.cos(eh), math.sin(eh)
    fx, fy, wx, wy = ex + 0.5 * el * c, ey + 0.5 * el * s, -0.5 * ew * s, 0.5 * ew * c
    if segment_hits_box(fx + wx, fy + wy, fx - wx, fy - wy, ox, oy, oh, ol, ow):
        return FRONT
    return LATERAL


@jit("b1", "i8", "b1")
def is_at_fault(kind: int, in_one_lane: bool) -> bool:
    """Whether the ego answers for a contact, given whether it was wholly in one lane when it began."""
    return kind in (FRONT, STOPPED_TRACK) or (kind == LATERAL and not in_one_lane)


@jit("i8", AGENT_STATE, "i8", "i8", "i8")
def pair_contact(a: AgentState, w: int, ego: int, other: int) -> int:
    """:func:`contact_kind` of two slots of world ``w``; ``NO_CONTACT`` where one of them is absent."""
    if not (a.present[w, ego] and a.present[w, other]):
        return NO_CONTACT
    return contact_kind(
        a.x[w, ego], a.y[w, ego], a.heading[w, ego], a.length[w, ego], a.width[w, ego], a.speed[w, ego],
        a.x[w, other], a.y[w, other], a.heading[w, other], a.length[w, other], a.width[w, other], a.speed[w, other],
    )  # fmt: skip


@jit("i8", AGENT_STATE, "i8", "i8", "u1[:]")
def find_contacts(a: AgentState, w: int, ego: int, kind: NDArray[np.uint8]) -> int:
    """Number of agents that touch slot ``ego`` of world ``w``; ``kind`` [A] is filled with how each does."""
    count = 0
    x, y, size = a.x[w, ego], a.y[w, ego], a.length[w, ego] + a.width[w, ego]
    for other in range(a.x.shape[1]):
        kind[other] = NO_CONTACT
        dx, dy = a.x[w, other] - x, a.y[w, other] - y
        reach = 0.5 * (size + a.length[w, other] + a.width[w, other])
        if dx * dx + dy * dy <= reach * reach and other != ego:
            k = pair_contact(a, w, ego, other)
            if k != NO_CONTACT:
                kind[other] = k
                count += 1
    return count


@jit("i8,i8,b1", MAP_INDEX, AGENT_STATE, "i8", "i8", "i8")
def gravest_contact(m: MapIndex, a: AgentState, number: int, w: int, ego: int) -> tuple[int, int, bool]:
    """(kind, other slot, at fault) of the contact of slot ``ego`` that weighs most: at fault first, then by slot.

    (``NO_CONTACT``, -1, False) where nobody touches it. ``number`` is the world's map.
    """
    found, who = NO_CONTACT, -1
    lane_known, in_one_lane = False, False
    x, y, size = a.x[w, ego], a.y[w, ego], a.length[w, ego] + a.width[w, ego]
    for other in range(a.x.shape[1]):
        dx, dy = a.x[w, other] - x, a.y[w, other] - y
        reach = 0.5 * (size + a.length[w, other] + a.width[w, other])
        if dx * dx + dy * dy > reach * reach or other == ego:
            continue
        kind = pair_contact(a, w, ego, other)
        if kind == NO_CONTACT:
            continue
        if kind == LATERAL and not lane_known:
            in_one_lane = wholly_in_one_lane(
                m, number, a.lane[w, ego], a.x[w, ego], a.y[w, ego], a.heading[w, ego], a.length[w, ego],
                a.width[w, ego],
            )  # fmt: skip
            lane_known = True
        if is_at_fault(kind, in_one_lane):
            return kind, other, True
        if found == NO_CONTACT:
            found, who = kind, other
    return found, who, False
