"""Whether imported drives are right: figures that catch wrong frames, units, angles and maps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import wrap
from waytrace.scenario import DT_S, Scenario

from .routes import Locator, connected, polygon_distance
from .tracks import MOVING_MPS, VEHICLES, overlaps

LANE_TOLERANCE_M = 0.3
"""A box centre this far outside a lane still counts as on it: maps are drawn to about that."""
_BINS = 1800
"""Of 0.1 degrees."""


@dataclass
class Quality:
    """Sums over scenarios from which :meth:`figures` are derived; sums of two parts add up to those of the whole."""

    scenarios: int = 0
    velocity_angles: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_BINS, np.int64))
    motion_angles: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_BINS, np.int64))
    positions: int = 0
    on_lane: int = 0
    ego_positions: int = 0
    ego_on_lane: int = 0
    on_drivable: int = 0
    routes_connected: int = 0
    start_overlaps: int = 0
    ego_start_overlaps: int = 0
    route_m: float = 0.0

    def __iadd__(self, other: Quality) -> Quality:
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    def figures(self) -> dict[str, Any]:
        """Figures by name; angles in degrees, shares 0 to 1, None where there is nothing to measure."""
        return {
            "scenarios": self.scenarios,
            "heading_velocity_deg": _median(self.velocity_angles),
            "heading_motion_deg": _median(self.motion_angles),
            "on_lane_share": _share(self.on_lane, self.positions),
            "on_drivable_share": _share(self.on_drivable, self.positions),
            "ego_on_lane_share": _share(self.ego_on_lane, self.ego_positions),
            "routes_connected": _share(self.routes_connected, self.scenarios),
            "start_overlaps": self.start_overlaps,
            "ego_start_overlaps": self.ego_start_overlaps,
        }


def _median(counts: NDArray[np.int64]) -> float | None:
    total = int(counts.sum())
    if not total:
        return None
    return round(0.1 * (int(np.searchsorted(np.cumsum(counts), 0.5 * total)) + 0.5), 2)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _histogram(angles_rad: NDArray[np.float64]) -> NDArray[np.int64]:
    rows = np.minimum((np.degrees(np.abs(wrap(angles_rad))) * 10).astype(np.int64), _BINS - 1)
    return np.bincount(rows, minlength=_BINS)


def measure(scenario: Scenario) -> Quality:
    """Sums of one scenario."""
    out = Quality(scenarios=1)
    agents, road = scenario.agents, scenario.map
    vehicles = np.isin(agents.kind, VEHICLES)
    speed = np.hypot(agents.velocity_mps[..., 0], agents.velocity_mps[..., 1])
    moving = agents.valid & vehicles[:, None] & (speed > MOVING_MPS)
    course = np.arctan2(agents.velocity_mps[..., 1], agents.velocity_mps[..., 0])
    out.velocity_angles += _histogram((course - agents.heading_rad)[moving])
    step = (agents.xy[:, 2:] - agents.xy[:, :-2]) / (2 * DT_S)
    both = agents.valid[:, 2:] & agents.valid[:, :-2] & agents.valid[:, 1:-1] & vehicles[:, None]
    driven = both & (np.hypot(step[..., 0], step[..., 1]) > MOVING_MPS)
    gap = np.arctan2(step[..., 1], step[..., 0]) - agents.heading_rad[:, 1:-1]
    out.motion_angles += _histogram(gap[driven])
    locator = Locator(road)
    rows, steps = np.nonzero(moving)
    points = agents.xy[rows, steps]
    if len(points):
        on = locator.distance(points, LANE_TOLERANCE_M) <= LANE_TOLERANCE_M
        ego = rows == scenario.ego_index
        out.positions, out.on_lane = len(points), int(on.sum())
        out.ego_positions, out.ego_on_lane = int(ego.sum()), int((on & ego).sum())
        rest = np.flatnonzero(~on)
        for area in road.drivable:
            rest = rest[polygon_distance(area, points[rest]) > LANE_TOLERANCE_M]
        out.on_drivable = len(points) - len(rest)
    out.routes_connected = int(connected(road, scenario.route))
    pairs = overlaps(agents, scenario.start_step)
    out.start_overlaps = len(pairs)
    out.ego_start_overlaps = sum(scenario.ego_index in pair for pair in pairs)
    return out


def quality(scenarios: Iterable[Scenario]) -> dict[str, dict[str, Any]]:
    """Figures per source.

    ``heading_velocity_deg``: median angle between heading and stored velocity of vehicles faster than 1 m/s;
    ``heading_motion_deg``: the same against displacement over 0.2 s, which does not depend on what is stored;
    ``on_lane_share``: share of their positions (box centres) within 0.3 m of a lane, ``on_drivable_share`` of a lane
    or the drivable area (which has driveways and car parks); ``ego_on_lane_share``: of the ego's; ``routes_connected``:
    share of scenarios; ``start_overlaps``: pairs of boxes that touch at the start step, and of them those of the ego.
    """
    sums: dict[str, Quality] = {}
    for scenario in scenarios:
        of = sums.setdefault(scenario.source, Quality())
        of += measure(scenario)
    return {source: q.figures() for source, q in sorted(sums.items())}
