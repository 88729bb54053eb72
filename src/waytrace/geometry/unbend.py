"""A bend taken out of the plane: everything keeps its place along and across a line, and the line goes straight on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from .polylines import arc_lengths

Array = NDArray[np.float64]


class Moved(NamedTuple):
    """Q points of the plane with the bend taken out."""

    xy: Array
    """[Q, 2] where they come to lie."""
    side: NDArray[np.int8]
    """[Q] -1 before the bend (those stay to the bit), 0 beside it, 1 beyond it (those move as one rigid body)."""
    room: Array
    """[Q] 1 - curvature x offset: a metre along the line beside the point is so many metres at the point. 1 outside
    the bend; 0 at its centre of curvature, where the plane is cut open."""
    before: Array
    """[Q, 2] unit tangent of the line beside the point."""
    after: Array
    """[Q, 2] the same with the bend taken out."""

    def directed(self, vector: Array) -> Array:
        """[Q, 2] vectors at the points carried along: the part along the line is stretched as the plane is there."""
        along = (vector * self.before).sum(-1) / self.room
        across = self.before[:, 0] * vector[:, 1] - self.before[:, 1] * vector[:, 0]
        carried = along[:, None] * self.after + across[:, None] * _left(self.after)
        return np.where((self.side < 0)[:, None], vector, carried)


@dataclass(frozen=True, eq=False)
class Unbending:
    """The map of the plane that takes the bend of a line out between two of its points.

    A point at arc length s along the line and d to the left of it, as measured from the nearest place of the line,
    comes to lie at s along the straightened line and d to its left. So what is before the bend stays where it is, and
    what is beyond it turns and moves as a whole. Between the line's points the tangent is interpolated, as normals of
    vertices are in Phong shading: the map has no jump but one, on the inner side from the centre of curvature on.
    """

    xy: Array
    """[P, 2] the line, metres."""
    tangent: Array
    """[P, 2]."""
    first: int
    last: int
    """The points between which the bend lies."""
    image_xy: Array
    """[P, 2] the line with the bend taken out."""
    image_tangent: Array
    curvature: Array
    """[P - 1] of each piece, 1/m, left positive; 0 outside the bend."""
    near: KDTree

    @classmethod
    def of(cls, xy: Array, heading_rad: Array, first: int, last: int) -> Unbending:
        """Of a line [P, 2] with headings [P] and its points ``first < last``. The points must not repeat."""
        s = arc_lengths(xy)
        tangent = np.stack([np.cos(heading_rad), np.sin(heading_rad)], -1)
        ahead = np.clip(s, s[first], s[last]) - s[first]
        turn = heading_rad[first] - heading_rad[last]
        cos, sin = np.cos(turn), np.sin(turn)
        back = np.array([[cos, sin], [-sin, cos]])
        image, turned = xy.copy(), tangent.copy()
        image[first:] = xy[first] + ahead[first:, None] * tangent[first]
        image[last:] += (xy[last:] - xy[last]) @ back
        turned[first:last] = tangent[first]
        turned[last:] = tangent[last:] @ back
        curvature = np.zeros(len(s) - 1)
        curvature[first:last] = np.diff(heading_rad[first : last + 1]) / np.diff(s[first : last + 1])
        return cls(xy, tangent, first, last, image, turned, curvature, KDTree(xy))

    def moved(self, points: Array) -> Moved:
        """Points [Q, 2] with the bend taken out."""
        piece, u = self._place(points)
        weight = u[:, None]
        foot = self.xy[piece] + weight * (self.xy[piece + 1] - self.xy[piece])
        before = _unit(self.tangent[piece] + weight * (self.tangent[piece + 1] - self.tangent[piece]))
        image = self.image_xy[piece] + weight * (self.image_xy[piece + 1] - self.image_xy[piece])
        after = _unit(self.image_tangent[piece] + weight * (self.image_tangent[piece + 1] - self.image_tangent[piece]))
        away = points - foot
        along, across = (away * before).sum(-1), before[:, 0] * away[:, 1] - before[:, 1] * away[:, 0]
        side = np.where(piece < self.first, -1, np.where(piece < self.last, 0, 1)).astype(np.int8)
        side[(piece == self.first) & (u <= 0.0)] = -1
        side[(piece == self.last - 1) & (u >= 1.0)] = 1
        xy = image + along[:, None] * after + across[:, None] * _left(after)
        room = np.where(side == 0, 1.0 - self.curvature[piece] * across, 1.0)
        return Moved(np.where((side < 0)[:, None], points, xy), side, room, before, after)

    def _place(self, points: Array) -> tuple[NDArray[np.intp], Array]:
        """Of points [Q, 2] the piece of the line beside each, and where on it, 0 to 1."""
        _, nearest = self.near.query(points)
        behind = ((points - self.xy[nearest]) * self.tangent[nearest]).sum(-1) < 0.0
        piece = np.clip(nearest - behind, 0, len(self.xy) - 2)
        # Where the interpolated tangent is square to the way from the line to the point: the root of a quadratic.
        away, step = points - self.xy[piece], self.xy[piece + 1] - self.xy[piece]
        bend = self.tangent[piece + 1] - self.tangent[piece]
        c = (away * self.tangent[piece]).sum(-1)
        b = (away * bend).sum(-1) - (step * self.tangent[piece]).sum(-1)
        a = -(step * bend).sum(-1)
        root = np.sqrt(np.maximum(b * b - 4.0 * a * c, 0.0)) - b
        u = np.divide(2.0 * c, root, out=np.zeros_like(c), where=root > 0.0)
        return piece, np.clip(u, 0.0, 1.0)


def _left(tangent: Array) -> Array:
    return np.stack([-tangent[:, 1], tangent[:, 0]], -1)


def _unit(vector: Array) -> Array:
    length: Array = np.hypot(vector[:, 0], vector[:, 1])
    return vector / length[:, None]
