"""Argoverse 2 vector maps (``log_map_archive_*.json``): lane segments, crossings, drivable areas.

Source: https://argoverse.github.io/user-guide/api/hd_maps.html. Maps have no lights, signs, stop lines or limits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from waytrace.scenario import LaneKind

from .lanegraph import LaneDraft, Surroundings
from .untrusted import MAX_LANES, mapping, parse_json, points, read_bytes, refuse

LICENCE = "CC BY-NC-SA 4.0 (Argoverse 2 Terms of Use)"
ATTRIBUTION = "Argoverse 2, Argo AI, LLC (https://www.argoverse.org/av2.html)"

EGO_LENGTH_M, EGO_WIDTH_M = 4.877, 2.0
"""Box of the Argoverse 2 vehicle, as its own annotations give it."""

_KINDS = {"VEHICLE": LaneKind.VEHICLE, "BUS": LaneKind.BUS, "BIKE": LaneKind.BIKE}
_NO_CHANGE = {"DOUBLE_SOLID_WHITE", "DOUBLE_SOLID_YELLOW", "SOLID_YELLOW", "SOLID_BLUE"}
"""Markings that no vehicle may change lanes across."""


def _reference(value: Any, path: Path) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        refuse(path, f"{str(value)[:40]!r} is not a lane id")
    return str(value)


def _references(value: Any, path: Path) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > 1000:
        refuse(path, "successors or predecessors are not a list")
    return [r for v in value if (r := _reference(v, path)) is not None]


def _lane(key: str, row: dict[str, Any], path: Path) -> LaneDraft:
    what = f"lane {key[:40]}"
    for name in ("left_lane_boundary", "right_lane_boundary"):
        if name not in row:
            refuse(path, f"{what} has no {name}")
    barred = {side: str(row.get(f"{side}_lane_mark_type")) in _NO_CHANGE for side in ("left", "right")}
    centre = row.get("centerline")
    return LaneDraft(
        id=str(row.get("id", key)),
        left=points(row["left_lane_boundary"], path, f"{what}, left boundary"),
        right=points(row["right_lane_boundary"], path, f"{what}, right boundary"),
        centre=points(centre, path, f"{what}, centre line") if centre else None,
        successors=_references(row.get("successors"), path),
        predecessors=_references(row.get("predecessors"), path),
        left_neighbor=None if barred["left"] else _reference(row.get("left_neighbor_id"), path),
        right_neighbor=None if barred["right"] else _reference(row.get("right_neighbor_id"), path),
        kind=_KINDS.get(str(row.get("lane_type")), LaneKind.OTHER),
        in_intersection=bool(row.get("is_intersection", False)),
    )


def read_map(path: Path, limit: int) -> tuple[list[LaneDraft], Surroundings]:
    """Lanes and surroundings in city coordinates."""
    data = mapping(parse_json(read_bytes(path, limit), path), path, "the map")
    lanes = mapping(data.get("lane_segments"), path, "lane_segments")
    if not 0 < len(lanes) <= MAX_LANES:
        refuse(path, f"{len(lanes):,} lane segments")
    drafts = [_lane(key, mapping(row, path, f"lane {key[:40]}"), path) for key, row in lanes.items()]
    crossings = mapping(data.get("pedestrian_crossings", {}), path, "pedestrian_crossings")
    crosswalks = []
    for key, row in crossings.items():
        row = mapping(row, path, f"crossing {key[:40]}")
        one = points(row.get("edge1"), path, f"crossing {key[:40]}, edge1")
        two = points(row.get("edge2"), path, f"crossing {key[:40]}, edge2")
        if len(one) < 2 or len(two) < 2:
            continue
        if np.dot(one[-1] - one[0], two[-1] - two[0]) > 0:
            two = two[::-1]
        crosswalks.append(np.concatenate([one, two]))
    areas = mapping(data.get("drivable_areas", {}), path, "drivable_areas")
    drivable = [
        points(mapping(row, path, f"area {key[:40]}").get("area_boundary"), path, f"area {key[:40]}")
        for key, row in areas.items()
    ]
    drivable = [_open(p) for p in drivable if len(p) >= 3]
    if drivable:
        # The areas are cut off where lanes run on to the map's rim, so lanes count as drivable too.
        drivable += [np.concatenate([d.left, d.right[::-1]]) for d in drafts if len(d.left) > 1 and len(d.right) > 1]
    return drafts, Surroundings(crosswalks=crosswalks, drivable=drivable)


def _open(polygon: Any) -> Any:
    """A polygon without its closing point."""
    return polygon[:-1] if np.array_equal(polygon[0], polygon[-1]) else polygon
