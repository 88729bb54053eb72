"""How far plans move for no reason: the threshold above which a plan counts as moved.

Agents that cannot matter (far behind, or on lanes from which one never gets to the route) are taken away, and the
expert's plans compared. The 99th percentile of that, by speed band, is delta: one for every planner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.scenario import AgentKind
from waytrace.scenario.lanes import locate
from waytrace.scenario.roads import RoadCache, Roads

BEHIND_M = 50.0
APART_M = 12.0
"""From the route's lanes: further than the lanes beside them."""
PERCENTILE = 99.0
SPEED_EDGES_MPS = (2.0, 6.0, 10.0)
"""Speed bands: standing or creeping, slow, town, faster."""
FEWEST = 100
"""A band with fewer irrelevant edits takes the percentile of all bands."""
RESOLUTION_M = 0.1
"""No delta is below this: an expert whose plans do not move at all says nothing of planners that round otherwise."""
BESIDE_M = (0.5, 1.0, 2.0)
"""Fixed thresholds that figures are given at as well."""


def irrelevant(scene: Scene, roads: RoadCache) -> list[Reference]:
    """Drivers in the scene that cannot matter to its ego, nearest first.

    Far behind it; or nowhere near the route, neither where they are nor on any lane that they can
    come to. (Oncoming lanes lie beside the route, so those on them are not among them: one may be waited for.) People
    on foot never are.
    """
    compiled = roads.of(scene.map, scene.route)
    index, route = compiled.index, sorted(set(scene.route.lanes))
    if not route:
        return []
    near = KDTree(_points(compiled, route))
    x, y, heading = (float(v) for v in scene.ego.pose)
    out = []
    for row, number in enumerate(scene.agents.index):
        ax, ay, turned = (float(v) for v in scene.agents.pose[row])
        lane = int(locate(index, 0, ax, ay, turned, -1)[0])
        if scene.agents.kind[row] > AgentKind.MOTORCYCLE or lane < 0:
            continue
        behind = (ax - x) * np.cos(heading) + (ay - y) * np.sin(heading) < -BEHIND_M
        ways = _points(compiled, _reachable(compiled, lane))
        meets = min(near.query([ax, ay])[0], near.query(ways)[0].min()) < APART_M
        if behind or not meets:
            out.append(Reference(ReferenceKind.AGENT, int(number)))
    return out


def _points(roads: Roads, lanes: Iterable[int]) -> NDArray[np.float64]:
    """[points, 2] of the lanes' centre lines."""
    index = roads.index
    rows = np.concatenate([np.arange(index.point_lo[lane], index.point_lo[lane + 1]) for lane in lanes])
    points: NDArray[np.float64] = np.stack([index.point_x[rows], index.point_y[rows]], -1)
    return points


def _reachable(roads: Roads, lane: int) -> set[int]:
    """Lanes that one can come to from ``lane``, changing lanes included."""
    index, seen, waiting = roads.index, {lane}, [lane]
    while waiting:
        at = waiting.pop()
        following = index.succ[index.succ_lo[at] : index.succ_lo[at + 1]]
        for other in (*following.tolist(), int(index.lane_left[at]), int(index.lane_right[at])):
            if other >= 0 and other not in seen:
                seen.add(other)
                waiting.append(other)
    return seen


class Delta:
    """The thresholds by speed band."""

    def __init__(self, speed_mps: Sequence[float], moved_m: Sequence[float]) -> None:
        """Of irrelevant edits: the ego's speed, and how far the expert's plan moved."""
        band, moved = band_of(np.asarray(speed_mps, float)), np.asarray(moved_m, float)
        self.count = [int((band == b).sum()) for b in range(len(SPEED_EDGES_MPS) + 1)]
        whole = float(np.percentile(moved, PERCENTILE)) if len(moved) else RESOLUTION_M
        self.found_m = [
            float(np.percentile(moved[band == b], PERCENTILE)) if n >= FEWEST else whole
            for b, n in enumerate(self.count)
        ]
        self.delta_m = [max(value, RESOLUTION_M) for value in self.found_m]

    def of(self, speed_mps: float) -> float:
        """The threshold at a speed, metres."""
        return self.delta_m[int(band_of(np.array([speed_mps]))[0])]

    def to_json(self) -> Mapping[str, object]:
        """As plain JSON values."""
        return {
            "speed_edges_mps": list(SPEED_EDGES_MPS), "edits": self.count, "percentile_m": self.found_m,
            "delta_m": self.delta_m, "resolution_m": RESOLUTION_M,
        }  # fmt: skip


def band_of(speed_mps: NDArray[np.float64]) -> NDArray[np.intp]:
    """Speed band of each speed."""
    return np.asarray(np.digitize(speed_mps, SPEED_EDGES_MPS), np.intp)
