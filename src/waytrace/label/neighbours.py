"""Who stands or drives where: those whom a choice leads round, and the slower ones in its lane and beside it."""

from __future__ import annotations

import math

import numpy as np

from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.planners import Choice, Foresight
from waytrace.scenario import AgentKind
from waytrace.trace.measure import Measured
from waytrace.trace.thresholds import T

from .decisions import STANDING_MPS
from .predictions import crosses, in_way

PASS_ROOM_M = 0.6
PASS_REACH_M = 40.0
MOST_PASSED = 2
"""Of those passed in one go so many are cited: on both axes there is room for four causes."""

NEXT_LANE_M = (1.9, 5.5)
BESIDE_BACK_M = 30.0
"""Who drives in a neighbouring lane: offsets from the own one's middle, and how far behind still counts."""


def passed(choice: Choice, seen: Foresight, scene: Scene) -> list[Reference]:
    """Those that a pass leads round, the one it is about first: who stands where the middle of the lane leads."""
    if choice.about is None:
        return []
    group, side = [choice.about], choice.offset_m
    s, d, along, across, speed = seen.place[0, :, :5].T
    reach = seen.half_width_m + across + PASS_ROOM_M
    first = {int(i): k for k, i in enumerate(seen.index)}.get(choice.about.index)
    for a in np.argsort(s, kind="stable"):
        stands = abs(float(speed[a])) < STANDING_MPS and _kind(scene, int(seen.index[a])) != AgentKind.PEDESTRIAN
        beside = np.isfinite(s[a]) and abs(d[a]) < reach[a] and s[a] + along[a] > seen.front_s - 5.0
        if first is None or a == first or not stands or not beside or s[a] - s[first] > PASS_REACH_M:
            continue
        if side * d[a] < 0.0 or abs(d[a]) < seen.half_width_m:
            group.append(Reference(ReferenceKind.AGENT, int(seen.index[a])))
    return group[:MOST_PASSED]


def slower(choice: Choice, m: Measured) -> Reference | None:
    """Whoever drives ahead in the ego's lane, slower than the plan means to get; None for nobody."""
    if not m.leads:
        return None
    lead = m.leads[0]
    slow = float(m.others.v_along[lead]) < choice.target_speed_mps - 0.5
    return Reference(ReferenceKind.AGENT, int(m.others.index[lead])) if slow else None


def beside(m: Measured) -> dict[str, Reference]:
    """The nearest one ahead, else behind, in each neighbouring lane who is slower than the limit lets one be."""
    out: dict[str, Reference] = {}
    o = m.others
    for side, sign in (("left", 1.0), ("right", -1.0)):
        there = (np.abs(o.turned) < math.radians(T.aligned_deg)) & (np.abs(o.d) < NEXT_LANE_M[1]) & np.isfinite(o.s)
        rows = np.flatnonzero(there & (sign * o.d > NEXT_LANE_M[0]) & (o.s > -BESIDE_BACK_M) & (o.s < T.lead_gap_m))
        if len(rows):
            nearest = min(rows, key=lambda a: (o.s[a] < 0.0, abs(o.s[a])))
            out[side] = Reference(ReferenceKind.AGENT, int(o.index[nearest]))
    return out


def later(seen: Foresight, first: Reference | None) -> list[Reference]:
    """Those forecast to cross the ego's way after someone, in the order in which they come."""
    enters = {int(seen.index[a]): int(in_way(seen, a)[0]) for a in range(len(seen.index)) if crosses(seen, a)}
    if first is None or first.kind != ReferenceKind.AGENT or first.index not in enters:
        return []
    after = [(k, i) for i, k in enters.items() if k > enters[first.index]]
    return [Reference(ReferenceKind.AGENT, i) for _, i in sorted(after)]


def _kind(scene: Scene, agent: int) -> int:
    """:class:`AgentKind` of an agent by its number."""
    return int(scene.agents.kind[np.flatnonzero(scene.agents.index == agent)[0]])
