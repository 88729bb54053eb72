"""Where the expert could go: lanes of the route, lateral offsets in them, ways round what stands there."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit
from waytrace.scenario import AgentKind
from waytrace.scenario.paths import STEP_M, empty_path, shift, shifted

from ..moment import Moment
from ..speed import speed_caps
from .base import Base
from .caps import IN_LANE_M, traffic_caps
from .certificate import Sideways
from .config import ExpertConfig
from .rollout import Paths
from .stops import Stops, yields

Array = NDArray[np.float64]

STANDING_MPS = 0.3
QUEUE_M = 60.0
SETTLED_S = 4.0
"""Who has moved within this time is waited for, not passed."""


@dataclass(frozen=True, eq=False)
class Option:
    """One lateral option: a base, and how the path lies beside it."""

    base: int
    kind: Sideways
    offset_m: float
    about: int
    """Row of the other that is passed, -1 for none."""
    profile: Array = field(repr=False)
    """[S] offset from the base at each of its samples."""


def lateral_options(
    moment: Moment, all_bases: list[Base], stops: list[Stops], config: ExpertConfig
) -> list[Option]:  # fmt: skip
    """Every option; ``stops`` are those of the bases."""
    out: list[Option] = []
    speed = float(moment.axle[3])
    for number, base in enumerate(all_bases):
        at: Array = np.arange(base.count, dtype=np.float64) * STEP_M
        settle = max(8.0, config.settle_s * speed)
        if base.kind != "keep":
            shortest = _tightest(base.d0)
            lengths = [max(shortest, share * config.change_s * speed) for share in (1.0, 0.55)]
            out += [Option(number, base.kind, 0.0, -1, _moved(at, base, length, 0.0)) for length in lengths]
            continue
        near = base.path.lane[int(base.s0) : int(base.s0 + 10.0 + 2.0 * speed)]
        crossing = bool(moment.roads.index.lane_junction[near].any())
        for offset in config.offsets_m[:1] if crossing else config.offsets_m:
            kind: Sideways = "keep" if offset == 0.0 else "offset"
            out.append(Option(number, kind, offset, -1, _moved(at, base, settle, offset)))
        for about, needed, first, last in _passes(moment, base, stops[number].nearest_s, config):
            profile = _round(at, base, needed, first, last, settle, speed)
            out.append(Option(number, "pass", needed, about, profile))
    return out


@jit("f8[:]", "f8[:]", "f8", "f8", "f8", "f8", "f8", allocates=True)
def _shifts(at: Array, s0: float, length: float, d0: float, slope: float, d1: float) -> Array:
    out = np.empty(len(at))
    for i in range(len(at)):
        out[i] = shift(at[i] - s0, length, d0, slope, d1)
    return out


def _moved(at: Array, base: Base, length: float, offset: float) -> Array:
    """Offsets [P] of a smooth move from where the vehicle is to ``offset``, ``length`` metres long."""
    moved: Array = _shifts(at, base.s0, length, base.d0, base.slope, offset)
    return moved


def _tightest(across_m: float) -> float:
    """Metres that moving so far sideways takes at least: the quintic's curvature then peaks at 0.18 1/m."""
    return math.sqrt(32.0 * abs(across_m)) + 0.5


def _round(
    at: Array, base: Base, needed: float, first: float, last: float, settle: float, speed: float
) -> Array:  # fmt: skip
    """Offsets [P] of a way round something: ``needed`` to the side from ``first`` to ``last``, then back."""
    lead = max(10.0, 3.0 * speed, 4.0 * abs(needed))
    begin = first - lead
    if begin > base.s0 + 1.0:
        profile = _moved(at, base, settle, 0.0) + _shifts(at, begin, lead, 0.0, 0.0, needed)
    else:
        profile = _moved(at, base, min(max(first - base.s0, _tightest(needed - base.d0)), lead), needed)
    back: Array = profile - _shifts(at, last, lead, 0.0, 0.0, needed)
    return back


def _passes(
    moment: Moment, base: Base, stop_s: float, config: ExpertConfig
) -> list[tuple[int, float, float, float]]:  # fmt: skip
    """Ways round what stands in the path: (row, offset, s where it must be reached, s where it may end).

    Those that stand one behind the other are passed in one go. Vehicles in the lane's middle within ``QUEUE_M`` before
    ``stop_s`` wait there themselves and are not passed.
    """
    others, place = moment.others, base.place[0]
    half = 0.5 * moment.width_m
    blocking = [
        a for a in range(len(others.x))
        if math.isfinite(place[a, 0]) and abs(others.speed[a]) < STANDING_MPS and moment.still_s[a] >= SETTLED_S
        and place[a, 0] + place[a, 2] > base.s0 - 2.0 and place[a, 0] < base.s0 + 90.0
        and abs(place[a, 1]) < half + place[a, 3] + config.pass_clearance_m
        and not (
            others.kind[a] <= AgentKind.MOTORCYCLE and abs(place[a, 1]) < IN_LANE_M
            and 0.0 < stop_s - place[a, 0] < QUEUE_M
        )
    ]  # fmt: skip
    blocking.sort(key=lambda a: place[a, 0])
    out = []
    for side in (1, -1):
        group: list[int] = []
        for a in blocking:
            if group and place[a, 0] - place[group[-1], 0] > 25.0:
                break
            group.append(a)
        if not group:
            continue
        beside = max(side * place[a, 1] + place[a, 3] + half for a in group)
        edge = _to_boundary(moment, base, place[group[0], 0], side) - 0.05
        wide = [beside + config.pass_clearance_m, beside + 0.5 * config.pass_clearance_m]
        if beside + config.pass_least_m < edge < wide[-1]:
            wide.append(edge)  # with the middle of the vehicle still in the lane
        for offset in wide:
            needed = side * offset
            if offset <= 0.0 or offset > 5.0:
                continue
            first = place[group[0], 0] - place[group[0], 2] - moment.front_m - 1.0
            last = max(place[a, 0] + place[a, 2] for a in group) + (0.5 * moment.length_m - moment.rear_m) + 1.0
            out.append((group[0], float(needed), float(first), float(last)))
    return out


def _to_boundary(moment: Moment, base: Base, s: float, side: int) -> float:
    """Metres from the middle of the base's lane at ``s`` to its boundary on a side (1 left, -1 right)."""
    index = moment.roads.index
    first = int(index.point_lo[base.path.lane[min(max(int(s / STEP_M), 0), base.count - 1)]])
    return float(index.point_left[first] if side > 0 else index.point_right[first])


def pack(
    moment: Moment, all_bases: list[Base], options: list[Option], desired_mps: float, config: ExpertConfig
) -> Paths:
    """All options as one bundle for the kernels, with the speed allowed along each."""
    samples = max(base.count for base in all_bases)
    rows = [np.zeros((len(options), samples)) for _ in range(7)]
    count = np.zeros(len(options), np.int32)
    number = np.zeros(len(options), np.int32)
    for q, option in enumerate(options):
        base = all_bases[option.base]
        n = base.count
        path = empty_path(n)
        shifted(base.path, n, option.profile, path)
        caps = np.zeros(n)
        speed_caps(path, n, desired_mps, 1.0, config.driver, caps)
        for cap in traffic_caps(moment, base, option.profile, config):
            caps = np.minimum(caps, cap.felt(config.brake_mps2))
        for row, part in zip(rows, (path.x, path.y, path.heading, path.curvature, path.stretch, path.offset, caps),
                             strict=True):  # fmt: skip
            row[q, :n] = part
        count[q], number[q] = n, option.base
    place = np.ascontiguousarray(np.stack([base.place for base in all_bases]))
    return Paths._make([*rows, count, number, place, *_zones(moment, all_bases)])


def _zones(moment: Moment, all_bases: list[Base]) -> tuple[Array, NDArray[np.int32]]:
    """[bases, Z, 2] the stretches of each base across a lane that need not yield, infinity pads; [bases, Z] whose."""
    index = moment.roads.index
    found: list[list[tuple[float, float, int]]] = []
    for base in all_bases:
        mine: list[tuple[float, float, int]] = []
        last = -1
        for i in range(max(int(base.s0), 1), min(base.count, int(base.s0) + 80)):
            lane = int(base.path.lane[i])
            if lane == last:
                continue
            last = lane
            start = i * STEP_M - float(base.path.lane_s[i])
            mine += [
                (start + float(index.conf_s0[c]), start + float(index.conf_s1[c]), int(index.conf_lane[c]))
                for c in range(int(index.conf_lo[lane]), int(index.conf_lo[lane + 1]))
                if index.conf_kind[c] == 0 and not yields(moment, int(index.conf_lane[c]), lane)
            ]  # fmt: skip
        found.append(mine)
    most = max(len(mine) for mine in found) or 1
    out, whose = np.full((len(all_bases), most, 2), np.inf), np.full((len(all_bases), most), -1, np.int32)
    for number, mine in enumerate(found):
        for z, (s0, s1, lane) in enumerate(mine):
            out[number, z], whose[number, z] = (s0, s1), lane
    return out, whose
