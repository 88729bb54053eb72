"""Where the expert could go: lanes of the route, lateral offsets in them, ways round what stands there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit
from waytrace.scenario import AgentKind

from .._ahead import base_path
from .._moment import OTHERS, Moment, Others
from .._path import PATH, STEP_M, Path, empty_path, project, shift, shifted
from .._speed import speed_caps
from .config import ExpertConfig
from .forecast import STEPS
from .rollout import Paths

Array = NDArray[np.float64]

STANDING_MPS = 0.3


@dataclass(frozen=True)
class Base:
    """A lane (and what follows it along the route) that could be driven."""

    lane: int
    path: Path
    count: int
    s0: float
    """Where the rear axle is."""
    d0: float
    slope: float
    place: Array
    """[41, A, 6] everyone's forecast in coordinates of this base."""
    kind: str
    """``keep``, ``left`` or ``right``."""
    run_m: float
    """How far one can go before another lane is needed."""


@dataclass(frozen=True)
class Option:
    """One lateral option: a base, and how the path lies beside it."""

    base: int
    kind: str
    """``keep``, ``offset``, ``pass``, ``left``, ``right``."""
    offset_m: float
    about: int
    """Row of the other that is passed, -1 for none."""


@jit("void", PATH, "i8", OTHERS, "f8[:,:,:]", "f8[:,:,:]")
def place_forecast(path: Path, count: int, others: Others, forecast: Array, out: Array) -> None:
    """Fill ``out`` [41, A, 6] with everyone's forecast in path coordinates (see ``place_others``)."""
    end = (count - 1) * STEP_M
    for a in range(len(others.x)):
        s, d = project(path, count, forecast[a, 0, 0], forecast[a, 0, 1], 0.0, -1.0)
        for t in range(STEPS):
            if t > 0:
                reach = 6.0 + 0.4 * abs(forecast[a, t, 3])
                s, d = project(path, count, forecast[a, t, 0], forecast[a, t, 1], s, reach)
            i = min(max(int(s / STEP_M), 0), count - 1)
            turned = forecast[a, t, 2] - path.heading[i]
            c, n = math.cos(turned), math.sin(turned)
            out[t, a, 0], out[t, a, 1] = s, d
            out[t, a, 2] = 0.5 * (abs(c) * others.length[a] + abs(n) * others.width[a])
            out[t, a, 3] = 0.5 * (abs(n) * others.length[a] + abs(c) * others.width[a])
            out[t, a, 4], out[t, a, 5] = forecast[a, t, 3] * c, forecast[a, t, 3] * n
            if s < -10.0 or s > end + 10.0 or abs(d) > 60.0:
                out[t, a, 0] = math.inf
                s = min(max(s, 0.0), end)


def bases(moment: Moment, lane: int, forecast: Array, desired_mps: float) -> list[Base]:
    """The lane being driven and its neighbours on the route."""
    index = moment.roads.index
    x, y, heading, speed = (float(v) for v in moment.axle)
    reach = 50.0 + 9.0 * max(speed, desired_mps)
    out = []
    for kind, candidate in (
        ("keep", lane),
        ("left", int(index.lane_left[lane])),
        ("right", int(index.lane_right[lane])),
    ):
        entry = moment.roads.entry(candidate)
        if candidate < 0 or (kind != "keep" and (entry < 0 or index.lane_junction[candidate])):
            continue
        path, count = base_path(moment, moment.roads.chain(candidate, reach), reach)
        s0, d0 = project(path, count, x, y, 25.0, 60.0)
        at = min(max(int(s0), 0), count - 1)
        turned = (heading - path.heading[at] + math.pi) % (2.0 * math.pi) - math.pi
        slope = math.tan(min(max(turned, -0.6), 0.6)) * max(1.0 - path.curvature[at] * d0, 0.2)
        place = np.zeros((STEPS, len(moment.others.x), 6))
        place_forecast(path, count, moment.others, forecast, place)
        run = math.inf
        if entry >= 0 and math.isfinite(moment.roads.run_m[entry]):
            run = float(moment.roads.run_m[entry]) - float(path.lane_s[at])
        out.append(Base(candidate, path, count, s0, d0, slope, place, kind, run))
    return out


def lateral_options(moment: Moment, all_bases: list[Base], config: ExpertConfig) -> list[tuple[Option, Array]]:
    """Every option with its offset profile [samples of its base]."""
    out: list[tuple[Option, Array]] = []
    speed = float(moment.axle[3])
    for number, base in enumerate(all_bases):
        at: Array = np.arange(base.count, dtype=np.float64) * STEP_M
        settle = max(8.0, config.settle_s * speed)
        if base.kind != "keep":
            shortest = _tightest(base.d0)
            lengths = [max(shortest, share * config.change_s * speed) for share in (1.0, 0.55)]
            out += [(Option(number, base.kind, 0.0, -1), _moved(at, base, length, 0.0)) for length in lengths]
            continue
        near = base.path.lane[int(base.s0) : int(base.s0 + 10.0 + 2.0 * speed)]
        crossing = bool(moment.roads.index.lane_junction[near].any())
        for offset in config.offsets_m[:1] if crossing else config.offsets_m:
            kind = "keep" if offset == 0.0 else "offset"
            out.append((Option(number, kind, offset, -1), _moved(at, base, settle, offset)))
        for about, needed, first, last in _passes(moment, base, config):
            out.append((Option(number, "pass", needed, about), _round(at, base, needed, first, last, settle, speed)))
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


def _passes(moment: Moment, base: Base, config: ExpertConfig) -> list[tuple[int, float, float, float]]:
    """Ways round what stands in the path: (row, offset, s where it must be reached, s where it may end).

    Those that stand one behind the other are passed in one go.
    """
    others, place = moment.others, base.place[0]
    half = 0.5 * moment.width_m
    blocking = [
        a for a in range(len(others.x))
        if math.isfinite(place[a, 0]) and abs(others.speed[a]) < STANDING_MPS and others.kind[a] != AgentKind.PEDESTRIAN
        and place[a, 0] + place[a, 2] > base.s0 - 2.0 and place[a, 0] < base.s0 + 90.0
        and abs(place[a, 1]) < half + place[a, 3] + config.pass_clearance_m
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
        for clearance in (config.pass_clearance_m, 0.5 * config.pass_clearance_m):
            edges = [place[a, 1] + side * (place[a, 3] + half + clearance) for a in group]
            needed = max(edges) if side > 0 else min(edges)
            if side * needed <= 0.0 or abs(needed) > 5.0:
                continue
            first = place[group[0], 0] - place[group[0], 2] - moment.front_m - 1.0
            last = max(place[a, 0] + place[a, 2] for a in group) + (0.5 * moment.length_m - moment.rear_m) + 1.0
            out.append((group[0], float(needed), float(first), float(last)))
    return out


def pack(
    moment: Moment, all_bases: list[Base], options: list[tuple[Option, Array]], desired_mps: float, config: ExpertConfig
) -> Paths:
    """All options as one bundle for the kernels, with the speed allowed along each."""
    samples = max(base.count for base in all_bases)
    rows = [np.zeros((len(options), samples)) for _ in range(7)]
    count = np.zeros(len(options), np.int32)
    number = np.zeros(len(options), np.int32)
    for q, (option, profile) in enumerate(options):
        base = all_bases[option.base]
        n = base.count
        path = empty_path(n)
        shifted(base.path, n, profile, path)
        caps = np.zeros(n)
        speed_caps(path, n, desired_mps, 1.0, config.driver, caps)
        careful_near_people(moment, base, profile, config, caps)
        if base.kind == "keep":
            hesitate_to_draw_level(moment, base, caps)
        for row, part in zip(rows, (path.x, path.y, path.heading, path.curvature, path.stretch, path.offset, caps),
                             strict=True):  # fmt: skip
            row[q, :n] = part
        count[q], number[q] = n, option.base
    place = np.ascontiguousarray(np.stack([base.place for base in all_bases]))
    return Paths._make([*rows, count, number, place, _zones(moment, all_bases)])


def _zones(moment: Moment, all_bases: list[Base]) -> Array:
    """[bases, Z, 2] the stretches of each base that lie across another lane; infinity pads."""
    index = moment.roads.index
    found: list[list[tuple[float, float]]] = []
    for base in all_bases:
        mine: list[tuple[float, float]] = []
        last = -1
        for i in range(max(int(base.s0), 1), min(base.count, int(base.s0) + 80)):
            lane = int(base.path.lane[i])
            if lane == last:
                continue
            last = lane
            start = i * STEP_M - float(base.path.lane_s[i])
            mine += [
                (start + float(index.conf_s0[c]), start + float(index.conf_s1[c]))
                for c in range(int(index.conf_lo[lane]), int(index.conf_lo[lane + 1])) if index.conf_kind[c] == 0
            ]  # fmt: skip
        found.append(mine)
    out = np.full((len(all_bases), max(len(mine) for mine in found) or 1, 2), np.inf)
    for number, mine in enumerate(found):
        out[number, : len(mine)] = np.array(mine).reshape(-1, 2)
    return out


def hesitate_to_draw_level(moment: Moment, base: Base, caps: Array) -> None:
    """Do not speed up beside or close behind a slower vehicle in the next lane: it may move over without seeing us."""
    place, speed = base.place[0], float(moment.axle[3])
    front = base.s0 + moment.front_m
    for a in range(len(place)):
        s, d, along, across, lengthwise = place[a, :5]
        if not math.isfinite(s) or moment.others.kind[a] > AgentKind.MOTORCYCLE or lengthwise < 2.0:
            continue
        aside = abs(d) - across - 0.5 * moment.width_m
        behind = s - along - front
        near = -2.0 * along - 2.0 < behind < 6.0 + 1.5 * max(speed - lengthwise, 0.0)
        if near and 0.0 < aside < 3.0:
            reach = slice(int(base.s0), int(base.s0 + 2.0 * speed) + 2)
            caps[reach] = np.minimum(caps[reach], max(speed, lengthwise + 1.0))


def careful_near_people(moment: Moment, base: Base, profile: Array, config: ExpertConfig, caps: Array) -> None:
    """Lower the allowed speed where someone on foot beside the path could step out (see docs/planners.md)."""
    others, place = moment.others, base.place[0]
    changed = False
    for a in range(len(others.x)):
        if others.kind[a] != AgentKind.PEDESTRIAN or not math.isfinite(place[a, 0]):
            continue
        s = place[a, 0]
        i = min(max(int(s / STEP_M), 0), base.count - 1)
        aside = place[a, 1] - profile[i]
        gap = abs(aside) - 0.5 * moment.width_m - place[a, 3]
        if gap < 0.0 or gap > 5.0 or s < base.s0 + moment.front_m - 1.0:
            continue
        facing = -math.copysign(1.0, aside) * math.sin(others.heading[a] - base.path.heading[i])
        if facing < 0.7:
            continue
        cap = max(3.5, 2.0 * config.kerb_brake_mps2 * (gap / config.walk_mps - config.kerb_latency_s))
        if cap < caps[i]:
            changed = True
            caps[max(0, i - 2) : i + 2] = np.minimum(caps[max(0, i - 2) : i + 2], cap)
    if changed:
        for i in range(base.count - 2, -1, -1):
            caps[i] = min(caps[i], math.sqrt(caps[i + 1] ** 2 + 2.0 * config.brake_mps2 * STEP_M))
