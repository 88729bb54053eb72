"""Frames, angles, polylines and oriented boxes: pure functions, metres and radians."""

from ._jit import bundle, jit
from .angles import wrap, wrap_angle
from .boxes import (
    boxes_distance,
    boxes_overlap,
    corners,
    point_box_distance2,
    point_segment_distance2,
    segment_hits_box,
)
from .frames import from_frame, heading_in_frame, to_frame
from .polylines import (
    Polylines,
    arc_lengths,
    deduplicate,
    headings,
    polygon_contains,
    project,
    resample,
)

__all__ = [
    "Polylines",
    "arc_lengths",
    "boxes_distance",
    "boxes_overlap",
    "bundle",
    "corners",
    "deduplicate",
    "from_frame",
    "heading_in_frame",
    "headings",
    "jit",
    "point_box_distance2",
    "point_segment_distance2",
    "polygon_contains",
    "project",
    "resample",
    "segment_hits_box",
    "to_frame",
    "wrap",
    "wrap_angle",
]
