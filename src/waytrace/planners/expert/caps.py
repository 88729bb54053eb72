"""The speed allowed along a path, and what allows no more."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Reference, ReferenceKind
from waytrace.scenario import AgentKind
from waytrace.scenario.paths import STEP_M, Path

from .._moment import Moment
from .base import Base
from .config import ExpertConfig

Array = NDArray[np.float64]


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
    return _people(moment, base, profile, config) + (_levels(moment, base) if base.kind == "keep" else [])


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
        speed = np.full(base.count, np.inf)
        speed[max(0, i - 2) : i + 2] = max(
            3.5, 2.0 * config.kerb_brake_mps2 * (gap / config.walk_mps - config.kerb_latency_s)
        )
        out.append(Cap("cross_conflict", moment.agent(int(a)), speed))
    return out


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
