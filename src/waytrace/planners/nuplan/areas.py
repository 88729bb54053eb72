"""What the things of a map are made of: lines and areas. Shapely is imported where a planner asks for its geometry."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import arc_lengths, headings, polygon_contains, project, resample

from .shapes import LooksAlike, NuplanError
from .states import StateSE2

Array = NDArray[np.float64]
STEP_M = 1.0
"""Spacing of ``discrete_path``."""
HEADING_OVER_M = 0.1
CURVATURE_OVER_M = 2.0
"""Curvature is that of the circle through points this far before and behind; nuPlan's own default."""


class PoseType(Protocol):
    """Makes a pose of world x, y (metres) and heading (radians): the look-alike, or nuplan-devkit's ``StateSE2``."""

    def __call__(self, x: float, y: float, heading: float) -> Any: ...


def shapely_for(what: str) -> Any:
    """The module ``shapely``. Raises :class:`NuplanError` where it is not installed."""
    try:
        return import_module("shapely")
    except ModuleNotFoundError as error:
        raise NuplanError(f"{what} is shapely's, and shapely is not installed: pip install shapely") from error


class Path(LooksAlike):
    """A centre line or boundary."""

    def __init__(self, id: str, xy: Array, pose: PoseType = StateSE2) -> None:
        self.id = id
        self._xy, self._pose = xy, pose

    @cached_property
    def length(self) -> float:
        return float(arc_lengths(self._xy)[-1])

    @cached_property
    def linestring(self) -> Any:
        return shapely_for("a path's linestring").LineString(self._xy)

    @cached_property
    def discrete_path(self) -> list[Any]:
        """Poses about 1 m apart, both ends included."""
        xy = resample(self._xy, np.linspace(0.0, self.length, max(2, math.ceil(self.length / STEP_M) + 1)))
        return [self._pose(float(x), float(y), float(h)) for (x, y), h in zip(xy, headings(xy), strict=True)]

    def get_nearest_arc_length_from_position(self, point: Any) -> float:
        return float(project(self._xy, np.array([[point.x, point.y]]))[0][0])

    def get_nearest_pose_from_position(self, point: Any) -> Any:
        s = self.get_nearest_arc_length_from_position(point)
        since = max(0.0, min(s, self.length - HEADING_OVER_M))
        at, before, after = resample(self._xy, np.array([s, since, since + HEADING_OVER_M]))
        return self._pose(float(at[0]), float(at[1]), math.atan2(*(after - before)[::-1]))

    def get_curvature_at_arc_length(self, arc_length: float) -> float:
        """1/m, left positive; near an end of the circle through the nearest three points that there are."""
        over = min(CURVATURE_OVER_M, 0.5 * self.length)
        s = min(max(arc_length, over), self.length - over)
        a, b, c = resample(self._xy, np.array([s - over, s, s + over]))
        (ux, uy), (vx, vy) = b - a, c - b
        sides = math.hypot(ux, uy) * math.hypot(vx, vy) * math.dist(a, c)
        return float(2.0 * (ux * vy - uy * vx) / sides) if sides > 0.0 else 0.0

    def get_nearest_curvature_from_position(self, point: Any) -> float:
        return self.get_curvature_at_arc_length(self.get_nearest_arc_length_from_position(point))


class Area(LooksAlike):
    """One or more polygons, by their rings [P, 2]."""

    def __init__(self, id: str, rings: Sequence[Array]) -> None:
        self.id = id
        self._rings = rings

    @property
    def bounds(self) -> Array:
        """[4] least x and y, greatest x and y."""
        xy = np.concatenate(self._rings)
        return np.concatenate([xy.min(0), xy.max(0)])

    @cached_property
    def polygon(self) -> Any:
        """Shapely's. Where a ring crosses itself, as boundaries in recordings may, what its parts cover."""
        shapely = shapely_for("a map object's polygon")
        return shapely.union_all([shapely.make_valid(shapely.Polygon(ring)) for ring in self._rings])

    def contains_point(self, point: Any) -> bool:
        at = np.array([[point.x, point.y]])
        return any(bool(polygon_contains(ring, at)[0]) for ring in self._rings)

    def distance_m(self, point: Any) -> float:
        """From a point to the area; 0 inside. (Not nuPlan's; its planners ask the map or the polygon.)"""
        if self.contains_point(point):
            return 0.0
        at = np.array([[point.x, point.y]])
        return min(abs(float(project(np.concatenate([ring, ring[:1]]), at)[1][0])) for ring in self._rings)
