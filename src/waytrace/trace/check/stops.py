"""Places where an ego may have a reason to stop, and how a plan lies to them."""

from __future__ import annotations

import math
from typing import NamedTuple

from waytrace.observe import Reference, ReferenceKind
from waytrace.scenario import AgentKind, LightState

from ..measure import Measured
from ..thresholds import T


class Target(NamedTuple):
    """A place to stop at: metres from the front bumper, and how much room may be left before it."""

    ref: Reference
    way_m: float
    room_m: float
    what: str


SHUT = (LightState.RED, LightState.YELLOW)


def target_of(m: Measured, ref: Reference) -> Target | None:
    """Where one would stop for something; None where there is no such place on the path ahead."""
    i = ref.index
    if ref.kind == ReferenceKind.LIGHT and i in m.lights and int(m.scene.light_state[i]) in SHUT:
        return Target(ref, m.lights[i].way_m, T.stop_before_m, "light")
    if ref.kind == ReferenceKind.STOP_LINE and i in m.stop_lines:
        return Target(ref, m.stop_lines[i].way_m, T.stop_before_m, "stop line")
    if ref.kind == ReferenceKind.CROSSWALK and i in m.crosswalks:
        return Target(ref, m.crosswalks[i].way_m, T.stop_wait_m, "crosswalk")
    if ref.kind == ReferenceKind.LANE:
        return _lane(m, ref)
    row = m.row(ref)
    if row >= 0 and m.others.on_path[row]:
        return Target(ref, _behind(m, row), T.stop_behind_m, "road user")
    return None


def _lane(m: Measured, ref: Reference) -> Target | None:
    stretch = m.stretches.get(ref.index)
    if stretch is None:
        return None
    if not stretch.leads_on:
        return Target(ref, stretch.end_m, T.stop_wait_m, "lane's end")
    return Target(ref, stretch.way_m, T.stop_wait_m, "lane's entry")


def _behind(m: Measured, row: int) -> float:
    """Way to someone's near end; of one whose way crosses, to the zone or to where it is, whichever is nearer."""
    o = m.others
    way = float(o.s[row] - o.along[row]) - m.front_m
    zones = [c.s0 for c in m.conflicts.get(row, ())]
    return min([way, *zones]) if not o.in_path[row] and zones else way


def targets(m: Measured) -> list[Target]:
    """Every place ahead where one could have to stop."""
    kinds = (
        (ReferenceKind.LIGHT, m.lights), (ReferenceKind.STOP_LINE, m.stop_lines),
        (ReferenceKind.CROSSWALK, m.crosswalks), (ReferenceKind.LANE, m.stretches),
    )  # fmt: skip
    found = [target_of(m, Reference(kind, i)) for kind, things in kinds for i in things]
    o = m.others
    for row in range(len(o)):
        pedestrian = o.kind[row] == AgentKind.PEDESTRIAN
        if o.in_path[row] or row in m.conflicts or (pedestrian and float(o.edge[row]) < T.vru_roadside_m):
            found.append(target_of(m, Reference(ReferenceKind.AGENT, int(o.index[row]))))
    return [t for t in found if t is not None and t.way_m > -T.entered_m]


def room_at(target: Target, stop_m: float) -> tuple[float, float]:
    """(room before the target where one stops, how well it fits: negative by how much it is off)."""
    room = target.way_m - stop_m
    return room, min(room + T.stop_beyond_m, target.room_m + 0.5 - room)


def next_red(m: Measured) -> float:
    """Way to the next red or yellow light on the path that is not passed; infinity for none."""
    ways = [
        v.way_m for k, v in m.lights.items()
        if int(m.scene.light_state[k]) in SHUT and v.entry_m > -T.entered_m and v.way_m > -T.entered_m
    ]  # fmt: skip
    return min(ways, default=math.inf)
