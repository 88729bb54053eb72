"""Where a map's lanes end, and which recorded states lie beyond."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import Agents, RoadMap

from .routes import Locator
from .tracks import VEHICLES

Array = NDArray[np.float64]

ON_LANE_M = 0.3
NEAR_EGO_M = 40.0
"""States this near the ego are kept wherever they are."""
SAME_M = 0.05
AHEAD_M = 1.0


def open_ends(road: RoadMap) -> Array:
    """Edges [e, 2, 2] across the ends of lanes that nothing leads on from, and the starts that nothing leads to."""
    reached = np.zeros(len(road), np.bool_)
    reached[road.successor] = True
    leads = np.diff(road.successor_start) > 0
    edges = [(a[-1], b[-1]) for a, b, on in zip(road.left, road.right, leads, strict=True) if not on]
    edges += [(a[0], b[0]) for a, b, on in zip(road.left, road.right, reached, strict=True) if not on]
    return np.array(edges, dtype=np.float64).reshape(-1, 2, 2)


def _edge_distance(edges: Array, points: Array) -> Array:
    """Distance [Q] from points to the nearest of some segments [e, 2, 2]."""
    a, d = edges[:, 0], edges[:, 1] - edges[:, 0]
    rel = points[:, None] - a[None]
    t = np.clip((rel * d).sum(-1) / np.maximum((d**2).sum(-1), 1e-12), 0.0, 1.0)
    return np.asarray(np.sqrt(((rel - t[..., None] * d) ** 2).sum(-1)).min(1))


def beyond_map(locator: Locator, points: Array) -> NDArray[np.bool_]:
    """Which points [Q, 2] lie beyond the end of the mapped lanes.

    Those are off every lane, and the nearest place of any lane is an end that leads nowhere. Places beside lanes
    (driveways, car parks) are not beyond.
    """
    out = np.zeros(len(points), np.bool_)
    nearest = locator.distance(points, ON_LANE_M)
    rows = np.flatnonzero(nearest > ON_LANE_M)
    edges = open_ends(locator.road)
    if len(rows) and len(edges):
        out[rows] = _edge_distance(edges, points[rows]) <= nearest[rows] + SAME_M
    return out


def front_beyond_map(locator: Locator, agents: Agents) -> NDArray[np.bool_]:
    """Where [N, T] the place 1 m ahead of an agent's box is beyond the map; False where the agent is not valid."""
    out = np.zeros(agents.valid.shape, np.bool_)
    rows, steps = np.nonzero(agents.valid)
    if len(rows):
        heading = agents.heading_rad[rows, steps]
        ahead = np.stack([np.cos(heading), np.sin(heading)], axis=-1) * (0.5 * agents.size_m[rows, :1] + AHEAD_M)
        out[rows, steps] = beyond_map(locator, agents.xy[rows, steps] + ahead)
    return out


def cut_beyond_map(agents: Agents, ego: int, locator: Locator, notes: Counter[str]) -> Agents:
    """Agents without the states of driving vehicles beyond the end of the map; they count into ``notes``.

    There the map knows no lane, so nothing that happens can be simulated or judged. States within 40 m of the ego,
    the ego's own, and vehicles that never move are kept.
    """
    driving = np.isin(agents.kind, VEHICLES) & (np.abs(agents.velocity_mps).max((1, 2)) > 0)
    driving[ego] = False
    away = np.hypot(*(agents.xy - agents.xy[ego]).transpose(2, 0, 1)) > NEAR_EGO_M
    rows, steps = np.nonzero(agents.valid & driving[:, None] & (away | ~agents.valid[ego]))
    if not len(rows):
        return agents
    beyond = beyond_map(locator, agents.xy[rows, steps])
    if not beyond.any():
        return agents
    notes["states_beyond_map"] += int(beyond.sum())
    gone = np.zeros(agents.valid.shape, np.bool_)
    gone[rows[beyond], steps[beyond]] = True
    return replace(
        agents,
        valid=agents.valid & ~gone,
        xy=np.where(gone[..., None], 0.0, agents.xy),
        heading_rad=np.where(gone, 0.0, agents.heading_rad),
        velocity_mps=np.where(gone[..., None], 0.0, agents.velocity_mps),
    )
