"""A scene measured along the ego's path: what every rule of the checker, and the labeller, reads."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.scenario import AgentKind

from ..thresholds import T
from .conflicts import Conflict, find_conflicts
from .others import Others, measure_others
from .path import EgoPath
from .road import Line, Stretch, Walk, crosswalks, lights, limit_of, stop_lines, stretches

_KEPT = 64


@dataclass(frozen=True, eq=False)
class Measured:
    """Everything that the rules need of one scene. Ways are metres from the ego's front bumper along its path."""

    scene: Scene
    path: EgoPath
    others: Others
    front_m: float
    """From the ego's centre to its front bumper."""
    speed_mps: float
    accel_mps2: float
    """Of the ego, over the last half second."""

    @cached_property
    def lights(self) -> dict[int, Line]:
        """Lights of lanes on the path, by number."""
        return lights(self.scene, self.path, self.front_m)

    @cached_property
    def stop_lines(self) -> dict[int, Line]:
        """Stop lines on the path, by lane."""
        return stop_lines(self.path, self.front_m)

    @cached_property
    def crosswalks(self) -> dict[int, Walk]:
        """Crosswalks that the path leads over, by number."""
        return crosswalks(self.scene, self.path, self.front_m)

    @cached_property
    def stretches(self) -> dict[int, Stretch]:
        """Lanes of the path that are not behind, by number."""
        return stretches(self.path, self.front_m)

    @cached_property
    def conflicts(self) -> dict[int, tuple[Conflict, ...]]:
        """Where others' ways first cross and first join the path, by row of ``others``."""
        return find_conflicts(self.path, self.others, self.front_m, max(self.speed_mps, 0.0))

    @cached_property
    def limit_mps(self) -> float:
        """Of the lane that the ego follows; NaN for none."""
        return limit_of(self.path)

    @cached_property
    def next_light(self) -> int:
        """Number of the first light ahead that is not entered yet; -1 for none."""
        ahead = [(v.entry_m, k) for k, v in self.lights.items() if -T.entered_m < v.entry_m <= T.reference_range_m]
        return min(ahead)[1] if ahead else -1

    @cached_property
    def leads(self) -> tuple[int, ...]:
        """Rows of those ahead in the path that drive (or stand) the ego's way, nearest first."""
        o = self.others
        drives = (o.kind <= AgentKind.CYCLIST) & (np.abs(np.degrees(o.turned)) <= T.lead_aligned_deg)
        rows = np.flatnonzero(o.in_path & drives & (o.s > 0.0) & (o.s - o.along > self.front_m - T.ahead_m))
        return tuple(int(i) for i in rows[np.argsort((o.s - o.along)[rows], kind="stable")])

    @cached_property
    def followers(self) -> tuple[int, ...]:
        """Rows of those behind in the path that drive the ego's way, nearest first."""
        o = self.others
        drives = (o.kind <= AgentKind.CYCLIST) & (np.abs(np.degrees(o.turned)) <= T.lead_aligned_deg)
        rows = np.flatnonzero(o.in_path & drives & (o.s < 0.0) & (o.s + o.along < T.ahead_m - self.front_m))
        return tuple(int(i) for i in rows[np.argsort(-(o.s + o.along)[rows], kind="stable")])

    def row(self, ref: Reference) -> int:
        """Row of an agent among ``others``; -1 for what is no agent or not known."""
        return self.others.row.get(ref.index, -1) if ref.kind == ReferenceKind.AGENT else -1

    def headway_s(self, gap_m: float) -> float:
        """Seconds to cover a gap at the ego's speed."""
        return gap_m / max(self.speed_mps, T.headway_least_mps)

    def gap_m(self, ref: Reference, relation: str = "") -> float:
        """Free way to something along the path; NaN where it is not on it.

        Of lanes the way to their start (0 on them), of those that end or are left the way to that place, of curves the
        way to the bend.
        """
        i = ref.index
        if ref.kind == ReferenceKind.AGENT:
            row = self.row(ref)
            return float(self.others.gap[row]) if row >= 0 else math.nan
        if ref.kind == ReferenceKind.LANE and i in self.stretches:
            stretch = self.stretches[i]
            ends = relation in ("lane_end", "route_exit")
            way = stretch.end_m if ends else stretch.curve_m if relation == "curve" else stretch.way_m
            return max(way, 0.0)
        if ref.kind == ReferenceKind.LIGHT and i in self.lights:
            return max(self.lights[i].way_m, 0.0)
        if ref.kind == ReferenceKind.STOP_LINE and i in self.stop_lines:
            return max(self.stop_lines[i].way_m, 0.0)
        if ref.kind == ReferenceKind.CROSSWALK and i in self.crosswalks:
            return max(self.crosswalks[i].way_m, 0.0)
        return math.nan


_MEASURED: OrderedDict[int, Measured] = OrderedDict()


def measure(scene: Scene) -> Measured:
    """The measurements of a scene, kept for the scenes asked for last."""
    kept = _MEASURED.get(id(scene))
    if kept is None or kept.scene is not scene:
        ego = EgoPath.of(scene)
        kept = Measured(
            scene, ego, measure_others(scene, ego), 0.5 * scene.ego.length_m, scene.ego.speed_mps, _accel(scene)
        )
        _MEASURED[id(scene)] = kept
    _MEASURED.move_to_end(id(scene))
    while len(_MEASURED) > _KEPT:
        _MEASURED.popitem(last=False)
    return kept


def _accel(scene: Scene) -> float:
    """The ego's acceleration over the last half second, as far as it is known."""
    ego = scene.ego
    ticks = min(round(T.motion_window_s / scene.dt_s), len(ego.history_valid) - 1)
    if ticks < 1 or not ego.history_valid[-1 - ticks]:
        return ego.accel_mps2
    return float(ego.speed_mps - ego.speed_history_mps[-1 - ticks]) / (ticks * scene.dt_s)
