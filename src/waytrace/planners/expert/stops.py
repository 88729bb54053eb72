"""Where a lane that could be driven asks for a stop, and where one may wait."""

from __future__ import annotations

import math
from dataclasses import dataclass

from waytrace.observe import Reference, ReferenceKind
from waytrace.scenario.lanes import precedence
from waytrace.scenario.paths import STEP_M
from waytrace.scenario.types import LaneControl

from ..ahead import regulated_entry, stop_point
from ..moment import Moment
from .base import Base

WAITS, WAITS_APART_M = 3, 2.0


@dataclass(frozen=True)
class Stop:
    """A place for the front bumper to come to rest."""

    s: float
    """Along the base."""
    name: str
    """The certificate's constraint that it is."""
    reference: Reference


@dataclass(frozen=True)
class Stops:
    """Of one base."""

    must: tuple[Stop, ...]
    """The nearest first: closed light, stop sign, end of the lane."""
    may: tuple[Stop, ...]
    """Before conflict zones."""

    @property
    def nearest_s(self) -> float:
        """Where it must stop; infinity for nowhere."""
        return self.must[0].s if self.must else math.inf


def find_stops(moment: Moment, all_bases: list[Base], stopped_for: int) -> tuple[list[Stops], int]:
    """The stops of every base, and the lane at whose stop sign the vehicle has come to rest by now (-1 for none)."""
    out = []
    for base in all_bases:
        front = base.s0 + moment.front_m
        must = []
        s, lane = stop_point(moment, base.path, base.count, base.s0, moment.closed_lanes())
        if lane >= 0:
            must.append(Stop(s, "stop_point", moment.light(lane)))
        for s, regulated, control in regulated_entry(moment, base.path, base.count, front - 1.0):
            sign = _line(moment, base, s, regulated)
            if control == LaneControl.STOP and regulated != stopped_for and not moment.truncated(sign):
                if float(moment.axle[3]) < 0.3 and s - front < 3.0:
                    stopped_for = regulated
                else:
                    must.append(Stop(s - 0.5, "stop_point", sign))
            break
        if math.isfinite(base.run_m):
            end = base.s0 + base.run_m
            last = int(base.path.lane[min(max(int(end) - 1, 0), base.count - 1)])
            must.append(Stop(end - 3.0, "route_feasibility", Reference(ReferenceKind.LANE, last)))
        if _ends(moment, base):
            end = (base.count - 1) * STEP_M
            last = int(base.path.lane[base.count - 1])
            must.append(Stop(end - 1.0, "route_feasibility", Reference(ReferenceKind.LANE, last)))
        out.append(Stops(tuple(sorted(must, key=lambda stop: stop.s)), _waits(moment, base, front)))
    return out, stopped_for


def _ends(moment: Moment, base: Base) -> bool:
    """Whether the map ends where the base does, which else is cut off where nothing matters any more."""
    index, last = moment.roads.index, int(base.path.lane[base.count - 1])
    whole = float(base.path.lane_s[base.count - 1]) > float(index.lane_length[last]) - 1.5 * STEP_M
    return whole and int(index.succ_lo[last]) == int(index.succ_lo[last + 1])


def _line(moment: Moment, base: Base, s: float, regulated: int) -> Reference:
    """The stop line before a regulated lane, or that lane where the map has no line."""
    before = int(base.path.lane[max(math.ceil(s / STEP_M) - 1, 0)])
    if not math.isnan(float(moment.roads.index.lane_stop_s[before])):
        return Reference(ReferenceKind.STOP_LINE, before)
    return Reference(ReferenceKind.LANE, regulated)


def yields(moment: Moment, other: int, lane: int) -> bool:
    """Whether a sign tells traffic on lane ``other`` to give way to that on ``lane``, or both of them to yield."""
    index = moment.roads.index
    control = int(index.lane_control[other])
    mine, theirs = precedence(index, lane), precedence(index, other)
    return control in (LaneControl.YIELD, LaneControl.STOP) and (
        theirs < mine or (theirs == mine and control == LaneControl.YIELD)
    )


def _waits(moment: Moment, base: Base, front: float) -> tuple[Stop, ...]:
    """The first places before others' ways where one may wait: junctions, and inside them those who need not yield."""
    index, found, last = moment.roads.index, [], -1
    for i in range(max(int(base.s0), 1), min(base.count, int(base.s0) + 80)):
        lane = int(base.path.lane[i])
        if lane == last:
            continue
        last = lane
        start = i * STEP_M - float(base.path.lane_s[i])
        conflicts = range(int(index.conf_lo[lane]), int(index.conf_lo[lane + 1]))
        entries = {
            round(start + float(index.conf_s0[c]) - 1.0, 1) for c in conflicts
            if index.conf_kind[c] != 2 and not yields(moment, int(index.conf_lane[c]), lane)
        }  # fmt: skip
        found += [(s, lane) for s in sorted(entries) if s > front - 0.5]
        if start - 0.5 > front and index.lane_junction[lane]:
            found.append((start - 0.5, lane))
    kept: list[Stop] = []
    for s, lane in sorted(found):
        if not kept or s - kept[-1].s > WAITS_APART_M:
            kept.append(Stop(s, "stop_point", Reference(ReferenceKind.LANE, lane)))
    return tuple(kept[:WAITS])
