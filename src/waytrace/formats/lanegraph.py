"""Lanes as readers find them, made into a :class:`RoadMap`: centre lines, successors and neighbours where missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import Polylines, arc_lengths, deduplicate, project, resample, wrap
from waytrace.scenario import LaneControl, LaneKind, RoadMap

from .untrusted import MAX_EXTENT_M, refuse

Array = NDArray[np.float64]

CENTRE_SPACING_M = 2.0
MAX_CENTRE_POINTS = 5000
END_TOLERANCE_M = 1.0
HEADING_TOLERANCE_RAD = np.deg2rad(40.0)
BOUNDARY_TOLERANCE_M = 0.6
MIN_LANE_M = 0.05
DRIVEN = (LaneKind.VEHICLE, LaneKind.BUS)
"""Kinds that motor vehicles may change between."""


@dataclass
class LaneDraft:
    """One lane as a source gives it. Boundaries [P, 2] run in the direction of travel; references are lane ids."""

    id: str
    left: Array
    right: Array
    centre: Array | None = None
    successors: list[str] = field(default_factory=list)
    predecessors: list[str] = field(default_factory=list)
    left_neighbor: str | None = None
    right_neighbor: str | None = None
    speed_limit_mps: float = float("nan")
    kind: LaneKind = LaneKind.VEHICLE
    in_intersection: bool = False
    control: LaneControl = LaneControl.NONE


def centre_line(left: Array, right: Array) -> Array:
    """Centre line [Q, 2], points about 2 m apart, between two boundaries resampled at equal shares of their lengths."""
    along, beside = arc_lengths(left), arc_lengths(right)
    count = min(MAX_CENTRE_POINTS, int(np.ceil(max(along[-1], beside[-1]) / CENTRE_SPACING_M)) + 1)
    share = np.linspace(0.0, 1.0, max(2, count))
    centre = np.empty((len(share), 2))
    for axis in (0, 1):
        centre[:, axis] = np.interp(share * along[-1], along, left[:, axis])
        centre[:, axis] += np.interp(share * beside[-1], beside, right[:, axis])
    return 0.5 * centre


def end_headings(xy: Array) -> tuple[float, float]:
    """Heading at the first and at the last segment of a polyline, radians."""
    a, b = xy[1] - xy[0], xy[-1] - xy[-2]
    return float(np.arctan2(a[1], a[0])), float(np.arctan2(b[1], b[0]))


def _usable(draft: LaneDraft) -> bool:
    draft.left, draft.right = deduplicate(draft.left), deduplicate(draft.right)
    if len(draft.left) < 2 or len(draft.right) < 2:
        return False
    centre = centre_line(draft.left, draft.right) if draft.centre is None else deduplicate(draft.centre)
    if len(centre) < 2 or arc_lengths(centre)[-1] < MIN_LANE_M:
        return False
    draft.centre = centre
    return True


def derive_successors(centres: Sequence[Array], lacking: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Pairs (lane, next lane) for lanes marked ``lacking``: end meets start and headings agree."""
    if not len(centres):
        return []
    starts = np.array([c[0] for c in centres])
    ends = np.array([c[-1] for c in centres])
    head = np.array([end_headings(c) for c in centres])
    pairs = []
    for i in np.flatnonzero(lacking):
        near = np.hypot(*(starts - ends[i]).T) <= END_TOLERANCE_M
        agree = np.abs(wrap(head[:, 0] - head[i, 1])) <= HEADING_TOLERANCE_RAD
        pairs += [(int(i), int(j)) for j in np.flatnonzero(near & agree) if j != i]
    return pairs


def derive_neighbors(drafts: Sequence[LaneDraft]) -> list[tuple[int, int]]:
    """Pairs (lane, its left neighbour): the left boundary of one lies on the right boundary of the other."""
    boxes = np.array([[*d.left.min(0), *d.left.max(0), *d.right.min(0), *d.right.max(0)] for d in drafts])
    pairs = []
    for i, draft in enumerate(drafts):
        low, high = boxes[i, :2] - BOUNDARY_TOLERANCE_M, boxes[i, 2:4] + BOUNDARY_TOLERANCE_M
        near = (boxes[:, 4:6] <= high).all(1) & (boxes[:, 6:8] >= low).all(1)
        samples = resample(draft.left, np.linspace(0.1, 0.9, 5) * arc_lengths(draft.left)[-1])
        for j in map(int, np.flatnonzero(near)):
            if j == i or not _same_way(draft, drafts[j]):
                continue
            if np.mean(np.abs(project(drafts[j].right, samples)[1]) < BOUNDARY_TOLERANCE_M) >= 0.8:
                pairs.append((i, j))
                break
    return pairs


def _same_way(a: LaneDraft, b: LaneDraft) -> bool:
    """Whether two lanes run in one direction (at the middle of ``a``) and motor vehicles may use both, or neither."""
    assert a.centre is not None
    assert b.centre is not None
    middle = len(a.centre) // 2
    da = a.centre[middle] - a.centre[middle - 1]
    beside = ((b.centre[1:] - a.centre[middle]) ** 2).sum(-1)
    k = 1 + int(np.argmin(beside))
    db = b.centre[k] - b.centre[k - 1]
    along = float(np.dot(da, db)) / max(float(np.hypot(*da) * np.hypot(*db)), 1e-9)
    return along > 0.5 and (a.kind in DRIVEN) == (b.kind in DRIVEN)


@dataclass(frozen=True)
class Surroundings:
    """What a map holds beside lanes, in the lanes' coordinates. Stop lines name the lane that comes to them."""

    stop_lines: Sequence[tuple[Array, str]] = ()
    """Pairs of end points [2, 2] and lane id."""
    crosswalks: Sequence[Array] = ()
    drivable: Sequence[Array] = ()


def build_road_map(
    drafts: Sequence[LaneDraft], surroundings: Surroundings, origin_xy: Array, where: Path
) -> tuple[RoadMap, dict[str, int]]:
    """The map in the world frame (source minus ``origin_xy``) and counts of what was dropped, derived or repaired.

    References to lanes that are not there are dropped. Successors are derived only for lanes that name none,
    neighbours only where the whole map names none. Raises :class:`~waytrace.scenario.BadFileError`, naming file
    ``where``, if no lane is usable or the lanes lie absurdly far apart.
    """
    clouds = [p for d in drafts for p in (d.left, d.right) if len(p)]
    low, high = (f([f(p, axis=0) for p in clouds], axis=0) if clouds else np.zeros(2) for f in (np.min, np.max))
    if (high - low).max() > MAX_EXTENT_M:
        refuse(where, f"its lanes lie {(high - low).max() / 1000:,.0f} km apart")
    counts = {"lanes_dropped": 0, "references_dropped": 0, "successors_derived": 0, "neighbors_derived": 0}
    kept: list[LaneDraft] = []
    row: dict[str, int] = {}
    for draft in drafts:
        if draft.id in row or not _usable(draft):
            counts["lanes_dropped"] += 1
            continue
        row[draft.id] = len(kept)
        kept.append(draft)
    if not kept:
        refuse(where, "it has no usable lane")
    links: list[set[int]] = [set() for _ in kept]
    for i, draft in enumerate(kept):
        for name in draft.successors:
            if name in row and row[name] != i:
                links[i].add(row[name])
            else:
                counts["references_dropped"] += 1
        for name in draft.predecessors:
            if name in row and row[name] != i:
                links[row[name]].add(i)
    centres = [d.centre for d in kept if d.centre is not None]
    lacking = np.array([not link for link in links], dtype=bool)
    for i, j in derive_successors(centres, lacking):
        links[i].add(j)
        counts["successors_derived"] += 1
    left, right = _neighbors(kept, row, counts)
    shift = np.asarray(origin_xy, dtype=np.float64)
    stops = [(line - shift, row[name]) for line, name in surroundings.stop_lines if name in row]
    outlines = surroundings.drivable or [np.concatenate([d.left, d.right[::-1]]) for d in kept]
    successor_start = np.zeros(len(kept) + 1, np.int32)
    np.cumsum([len(link) for link in links], out=successor_start[1:])
    road = RoadMap(
        lane_id=tuple(d.id for d in kept),
        centre=Polylines.of(c - shift for c in centres),
        left=Polylines.of(d.left - shift for d in kept),
        right=Polylines.of(d.right - shift for d in kept),
        successor=np.array([j for link in links for j in sorted(link)], dtype=np.int32),
        successor_start=successor_start,
        left_neighbor=left,
        right_neighbor=right,
        speed_limit_mps=np.array([d.speed_limit_mps for d in kept], dtype=np.float64),
        lane_kind=np.array([d.kind for d in kept], dtype=np.uint8),
        in_intersection=np.array([d.in_intersection for d in kept], dtype=np.bool_),
        lane_control=np.array([d.control for d in kept], dtype=np.uint8),
        stop_line_xy=np.array([line for line, _ in stops], dtype=np.float64).reshape(-1, 2, 2),
        stop_line_lane=np.array([lane for _, lane in stops], dtype=np.int32),
        crosswalk=Polylines.of(p - shift for p in surroundings.crosswalks),
        drivable=Polylines.of(p - shift for p in outlines),
    )
    return road, {k: v for k, v in counts.items() if v}


def _neighbors(
    kept: Sequence[LaneDraft], row: dict[str, int], counts: dict[str, int]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Left and right neighbour of every lane; those that run the other way or take other traffic are left out."""
    left, right = np.full(len(kept), -1, np.int32), np.full(len(kept), -1, np.int32)
    named = False
    for i, draft in enumerate(kept):
        for name, out in ((draft.left_neighbor, left), (draft.right_neighbor, right)):
            if name is None:
                continue
            named = True
            if name not in row:
                counts["references_dropped"] += 1
            elif row[name] != i and _same_way(draft, kept[row[name]]):
                out[i] = row[name]
    if not named:
        for i, j in derive_neighbors(kept):
            left[i], right[j] = j, i
            counts["neighbors_derived"] += 1
    return left, right
