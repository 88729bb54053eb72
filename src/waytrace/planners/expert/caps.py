"""The speed allowed along a path, and what allows no more."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Reference, ReferenceKind
from waytrace.scenario import AgentKind, LaneKind
from waytrace.scenario.lanes import locate
from waytrace.scenario.paths import STEP_M, Path

from ..moment import Moment
from .base import Base
from .config import ExpertConfig

Array = NDArray[np.float64]

STANDING_MPS = 0.3
HIDING_REACH_M = 80.0
STEPS_OUT_M = 0.25
"""Someone comes into sight this far beyond the end of what hid them, and as far from its side."""
IN_LANE_M = 0.9
"""Whoever stands no farther than this from a lane's middle stands in traffic."""


@dataclass(frozen=True, eq=False)
class Cap:
    """One reason for a speed along a path of S samples."""

    name: str
    """One of the certificate's constraints."""
    reference: Reference | None
    """None: the lane on which the cap lies."""
    speed_mps: Array
    """[S] allowed at each sample; infinity where it has nothing to say."""
    ahead: bool = True
    """Whether one brakes for it ahead; else it holds only where it lies."""

    def felt(self, brake_mps2: float) -> Array:
        """[S] the speed that it allows at each sample, comfortable braking ahead included."""
        return braked_for(self.speed_mps, brake_mps2) if self.ahead else self.speed_mps


def braked_for(speed: Array, brake_mps2: float) -> Array:
    """[S] the speed at each sample from which ``brake_mps2`` still suffices for everything further on."""
    gained = 2.0 * brake_mps2 * STEP_M * np.arange(len(speed))
    reach = np.minimum.accumulate((speed * speed + gained)[::-1])[::-1] - gained
    least: Array = np.sqrt(reach)
    return least


def road_caps(path: Path, count: int, desired_mps: float, config: ExpertConfig) -> list[Cap]:
    """Speed limit (``desired_mps`` where there is none) and curves."""
    limit = path.limit[:count]
    curvature = np.maximum(np.abs(path.curvature[:count]), 1e-9)
    curve = np.where(curvature > 1e-4, np.sqrt(config.lateral_accel_mps2 / curvature), np.inf)
    return [
        Cap("speed_cap", None, np.where(np.isnan(limit), desired_mps, limit)),
        Cap("curve_lat_accel", None, curve),
    ]


def traffic_caps(moment: Moment, base: Base, profile: Array, config: ExpertConfig) -> list[Cap]:
    """What others beside the path call for; ``profile`` [S] is the path's offset from its base."""
    return [
        *_people(moment, base, profile, config),
        *_hidden(moment, base, profile, config),
        *(_levels(moment, base) if base.kind == "keep" else []),
    ]


def _people(moment: Moment, base: Base, profile: Array, config: ExpertConfig) -> list[Cap]:
    """Beside someone on foot who could step out: the speed from which one could then still stop."""
    others, place = moment.others, base.place[0]
    out = []
    for a in np.flatnonzero((others.kind == AgentKind.PEDESTRIAN) & np.isfinite(place[:, 0])):
        s = place[a, 0]
        i = min(max(int(s / STEP_M), 0), base.count - 1)
        aside = place[a, 1] - profile[i]
        gap = abs(aside) - 0.5 * moment.width_m - place[a, 3]
        if gap < 0.0 or gap > 5.0 or s < base.s0 + moment.front_m - 1.0:
            continue
        facing = -math.copysign(1.0, aside) * math.sin(others.heading[a] - base.path.heading[i])
        if facing < 0.7:
            continue
        allowed = max(3.5, 2.0 * config.kerb_brake_mps2 * (gap / config.walk_mps - config.kerb_latency_s))
        out.append(Cap("cross_conflict", moment.agent(int(a)), _abreast(moment, base, s, allowed)))
    return out


def _abreast(moment: Moment, base: Base, s: float, allowed_mps: float) -> Array:
    """[S] ``allowed_mps`` while the front bumper comes to ``s`` and passes it, infinity elsewhere."""
    speed = np.full(base.count, np.inf)
    reached = s - moment.front_m
    speed[max(0, int(reached) - 2) : max(0, int(reached) + 3)] = allowed_mps
    return speed


def _hidden(moment: Moment, base: Base, profile: Array, config: ExpertConfig) -> list[Cap]:
    """Beside a parked vehicle: the speed from which one could still stop for someone who steps out behind its far end.

    Nobody stands there for sure, so hard braking is counted on; who stands in traffic hides nobody who would walk.
    """
    others, place = moment.others, base.place[0]
    hides = (others.kind <= AgentKind.LARGE_VEHICLE) & (np.abs(others.speed) < STANDING_MPS)
    out = []
    for a in np.flatnonzero(hides & np.isfinite(place[:, 0])):
        far = place[a, 0] + place[a, 2]
        if not base.s0 + moment.front_m - 1.0 < far < base.s0 + HIDING_REACH_M:
            continue
        i = min(max(int(far / STEP_M), 0), base.count - 1)
        gap = abs(place[a, 1] - profile[i]) - 0.5 * moment.width_m - place[a, 3]
        if not 0.0 <= gap < 4.0 or _in_traffic(moment, int(a)):
            continue
        seen_s = (gap + STEPS_OUT_M) / config.hidden_walk_mps - config.hidden_latency_s
        allowed = max(config.hidden_least_mps, 2.0 * config.hidden_brake_mps2 * seen_s)
        out.append(Cap("occlusion_speed", moment.agent(int(a)), _abreast(moment, base, far + STEPS_OUT_M, allowed)))
    return out


def _in_traffic(moment: Moment, row: int) -> bool:
    """Whether one of the others stands near the middle of a lane for vehicles."""
    index, others = moment.roads.index, moment.others
    lane, _, d = locate(index, 0, others.x[row], others.y[row], others.heading[row], -1)
    return lane >= 0 and int(index.lane_kind[lane]) <= LaneKind.BUS and abs(d) < IN_LANE_M


def _levels(moment: Moment, base: Base) -> list[Cap]:
    """Do not speed up beside or close behind a slower vehicle in the next lane: it may move over without seeing us."""
    place, now = base.place[0], float(moment.axle[3])
    front = base.s0 + moment.front_m
    out = []
    for a in np.flatnonzero((moment.others.kind <= AgentKind.MOTORCYCLE) & np.isfinite(place[:, 0])):
        s, d, along, across, lengthwise = place[a, :5]
        if lengthwise < 2.0:
            continue
        aside = abs(d) - across - 0.5 * moment.width_m
        behind = s - along - front
        near = -2.0 * along - 2.0 < behind < 6.0 + 1.5 * max(now - lengthwise, 0.0)
        if near and 0.0 < aside < 3.0:
            speed = np.full(base.count, np.inf)
            speed[int(base.s0) : int(base.s0 + 2.0 * now) + 2] = max(now, lengthwise + 1.0)
            out.append(Cap("merge_gap", moment.agent(int(a)), speed, ahead=False))
    return out


def lane_reference(path: Path, cap: Cap, felt: Array, i: int) -> Reference:
    """The lane where a cap without a reference of its own lies that is felt at sample ``i``."""
    at = i
    while cap.ahead and at + 1 < len(felt) and felt[at] < cap.speed_mps[at] - 1e-6:
        at += 1
    return Reference(ReferenceKind.LANE, int(path.lane[at]))
