"""Kernels on a :class:`MapIndex`: poses on lanes, projection, the lane an agent is on, drivable area, route progress.

All coordinates are metres in the world frame. A lane coordinate is (lane, s, d): s along the centre line from its
start, d to the left of it.
"""

from __future__ import annotations

import math

from waytrace.geometry import jit, point_segment_distance2, wrap_angle

from ._drivable import DRIVABLE_CELL_M
from .index import LANE_CELL_M, MAP_INDEX, MAX_STEP_M, ROUTE_INDEX, MapIndex, RouteIndex
from .types import LaneControl

_FAR = 1.0e18
_STOP, _YIELD, _PRIORITY = int(LaneControl.STOP), int(LaneControl.YIELD), int(LaneControl.PRIORITY)

_SURE_M = LANE_CELL_M - 0.5 * MAX_STEP_M - 0.5
"""No segment outside the first ring of cells can cost less than this."""


@jit("f8,f8,f8", MAP_INDEX, "i8", "f8", "f8")
def lane_pose(m: MapIndex, lane: int, s: float, d: float) -> tuple[float, float, float]:
    """(x, y, heading) of lane coordinate (lane, s, d); beyond its ends the lane goes on straight."""
    lo, hi = m.point_lo[lane], m.point_lo[lane + 1]
    u = s / m.lane_step[lane]
    i = min(max(math.floor(u), 0), hi - lo - 2)
    t = u - i
    p = lo + i
    x = m.point_x[p] + t * (m.point_x[p + 1] - m.point_x[p])
    y = m.point_y[p] + t * (m.point_y[p + 1] - m.point_y[p])
    c = min(max(t, 0.0), 1.0)
    h = m.point_heading[p] + c * (m.point_heading[p + 1] - m.point_heading[p])
    return x - d * math.sin(h), y + d * math.cos(h), h


@jit("f8", MAP_INDEX, "i8", "f8")
def lane_curvature(m: MapIndex, lane: int, s: float) -> float:
    """Curvature of a lane's centre line at s, 1/m, left positive; 0 beyond its ends."""
    if s < 0.0 or s > m.lane_length[lane]:
        return 0.0
    lo, hi = m.point_lo[lane], m.point_lo[lane + 1]
    i = min(int(s / m.lane_step[lane]), hi - lo - 2)
    turn: float = (m.point_heading[lo + i + 1] - m.point_heading[lo + i]) / m.lane_step[lane]
    return turn


@jit("f8,f8,f8", MAP_INDEX, "i8", "f8", "f8", "f8")
def project_on_lane(m: MapIndex, lane: int, x: float, y: float, hint_s: float) -> tuple[float, float, float]:
    """(s, d, distance) of the point of a lane nearest to (x, y); at its ends s runs on along the tangent.

    With ``hint_s`` >= 0 the search goes downhill from the hint, enough for an agent that moved since: a lane's points
    are evenly spaced on a smooth curve. A negative hint searches the whole lane.
    """
    lo, hi = m.point_lo[lane], m.point_lo[lane + 1]
    if hint_s >= 0.0:
        near = lo + min(int(hint_s / m.lane_step[lane]), hi - lo - 1)
        best = (x - m.point_x[near]) ** 2 + (y - m.point_y[near]) ** 2
        for way in (1, -1):
            p = near + way
            while lo <= p < hi:
                dist2 = (x - m.point_x[p]) ** 2 + (y - m.point_y[p]) ** 2
                if dist2 >= best:
                    break
                best, near = dist2, p
                p += way
        first, last = max(lo, near - 1), min(hi - 1, near + 1)
    else:
        first, last = lo, hi - 1
    best, where = _FAR, first
    for p in range(first, last):
        dist2 = point_segment_distance2(x, y, m.point_x[p], m.point_y[p], m.point_x[p + 1], m.point_y[p + 1])
        if dist2 < best:
            best, where = dist2, p
    dx, dy = m.point_x[where + 1] - m.point_x[where], m.point_y[where + 1] - m.point_y[where]
    n = math.hypot(dx, dy)
    rx, ry = x - m.point_x[where], y - m.point_y[where]
    t = (rx * dx + ry * dy) / (n * n)
    d = (dx * ry - dy * rx) / n
    if (t < 0.0 and where > lo) or (t > 1.0 and where < hi - 2):
        t = min(max(t, 0.0), 1.0)
        d = math.copysign(math.sqrt(best), d)
    return (where - lo + t) * m.lane_step[lane], d, math.sqrt(best)


@jit("i8,f8,f8", MAP_INDEX, "i8", "f8", "f8", "f8", "i8")
def locate(m: MapIndex, number: int, x: float, y: float, heading: float, prefer: int) -> tuple[int, float, float]:
    """(lane, s, d) of the lane of map ``number`` that an agent at (x, y) drives on; lane -1 where none is near.

    Nearest centre line within about 6 m, half a lane width of distance added for each radian between the headings;
    ``prefer`` (a lane or -1) and its successors are favoured by 0.5 m, so that the answer does not flicker.
    """
    nx, ny = m.grid_nx[number], m.grid_ny[number]
    ci = math.floor((x - m.grid_x[number]) / LANE_CELL_M)
    cj = math.floor((y - m.grid_y[number]) / LANE_CELL_M)
    best, where, lane_ = _FAR, -1, -1
    for ring in range(1, 3):
        for j in range(max(0, cj - ring), min(ny - 1, cj + ring) + 1):
            for i in range(max(0, ci - ring), min(nx - 1, ci + ring) + 1):
                if ring == 2 and abs(i - ci) < 2 and abs(j - cj) < 2:
                    continue
                cell = m.grid_lo[number] + j * nx + i
                for q in range(m.cell_lo[cell], m.cell_lo[cell + 1]):
                    p = m.cell_point[q]
                    dist2 = point_segment_distance2(
                        x, y, m.point_x[p], m.point_y[p], m.point_x[p + 1], m.point_y[p + 1]
                    )
                    if best > -0.5 and dist2 > (best + 0.5) * (best + 0.5):
                        continue
                    lane = m.point_lane[p]
                    cost = math.sqrt(dist2) + 1.75 * abs(wrap_angle(heading - m.point_heading[p]))
                    if m.lane_kind[lane] >= 2:
                        cost += 1.0
                    if prefer >= 0:
                        if lane == prefer:
                            cost -= 0.5
                        else:
                            for k in range(m.succ_lo[prefer], m.succ_lo[prefer + 1]):
                                if m.succ[k] == lane:
                                    cost -= 0.5
                    if cost < best or (cost == best and lane < lane_):
                        best, where, lane_ = cost, p, lane
        if best < _SURE_M:
            break
    if where < 0:
        return -1, 0.0, 0.0
    s, d, _ = project_on_lane(m, lane_, x, y, (where - m.point_lo[lane_]) * m.lane_step[lane_])
    return lane_, s, d


@jit("b1", MAP_INDEX, "i8", "f8", "f8")
def inside_ring(m: MapIndex, ring: int, x: float, y: float) -> bool:
    """Whether a point lies inside a drivable polygon (even-odd)."""
    lo, hi = m.ring_lo[ring], m.ring_lo[ring + 1]
    inside = False
    j = hi - 1
    for i in range(lo, hi):
        if (m.ring_y[i] > y) != (m.ring_y[j] > y):
            at = (m.ring_x[j] - m.ring_x[i]) * (y - m.ring_y[i]) / (m.ring_y[j] - m.ring_y[i]) + m.ring_x[i]
            if x < at:
                inside = not inside
        j = i
    return inside


@jit("f8", MAP_INDEX, "i8", "f8", "f8")
def off_drivable(m: MapIndex, number: int, x: float, y: float) -> float:
    """Distance in metres from (x, y) to the drivable area of map ``number``: 0 inside.

    Exact up to one grid cell (4 m); farther out the answer is 4 m, "far". A map without any drivable polygon answers 0.
    """
    if m.dgrid_lo[number + 1] - m.dgrid_lo[number] <= 1 and m.dcell_state[m.dgrid_lo[number]] == 0:
        return 0.0
    nx, ny = m.dgrid_nx[number], m.dgrid_ny[number]
    ci = math.floor((x - m.dgrid_x[number]) / DRIVABLE_CELL_M)
    cj = math.floor((y - m.dgrid_y[number]) / DRIVABLE_CELL_M)
    if 0 <= ci < nx and 0 <= cj < ny:
        cell = m.dgrid_lo[number] + cj * nx + ci
        if m.dcell_state[cell] == 1:
            return 0.0
        if m.dcell_state[cell] == 2:
            for q in range(m.dcell_lo[cell], m.dcell_lo[cell + 1]):
                if inside_ring(m, m.dcell_ring[q], x, y):
                    return 0.0
    best = DRIVABLE_CELL_M * DRIVABLE_CELL_M
    for j in range(max(0, cj - 1), min(ny - 1, cj + 1) + 1):
        for i in range(max(0, ci - 1), min(nx - 1, ci + 1) + 1):
            cell = m.dgrid_lo[number] + j * nx + i
            if m.dcell_state[cell] == 1:  # such a cell lies whole inside a polygon: its nearest point counts
                bx = m.dgrid_x[number] + i * DRIVABLE_CELL_M
                by = m.dgrid_y[number] + j * DRIVABLE_CELL_M
                ex = max(0.0, bx - x, x - bx - DRIVABLE_CELL_M)
                ey = max(0.0, by - y, y - by - DRIVABLE_CELL_M)
                best = min(best, ex * ex + ey * ey)
            for q in range(m.dcell_lo[cell], m.dcell_lo[cell + 1]):
                ring = m.dcell_ring[q]
                lo, hi = m.ring_lo[ring], m.ring_lo[ring + 1]
                k = hi - 1
                for v in range(lo, hi):
                    best = min(
                        best,
                        point_segment_distance2(x, y, m.ring_x[k], m.ring_y[k], m.ring_x[v], m.ring_y[v]),
                    )
                    k = v
    return math.sqrt(best)


@jit("i8", ROUTE_INDEX, "i8", "i8")
def route_entry(r: RouteIndex, route: int, lane: int) -> int:
    """Number of the entry of ``lane`` on a route, or -1 where the route does not use it."""
    for e in range(r.route_lo[route], r.route_lo[route + 1]):
        if r.route_lane[e] == lane:
            return e
    return -1


@jit("f8,f8,i8", MAP_INDEX, ROUTE_INDEX, "i8", "f8", "f8", "f8")
def route_progress(m: MapIndex, r: RouteIndex, route: int, x: float, y: float, near: float) -> tuple[float, float, int]:
    """(progress, lateral offset, entry) of (x, y) on a route: metres since the route's start.

    The nearest entry wins among those whose progress lies within 50 m of ``near`` (all of them where ``near`` is NaN),
    so that a route which crosses itself does not make progress jump. Entry -1 and the old progress where none is near.
    """
    best, progress, lateral, entry = _FAR, near, 0.0, -1
    for e in range(r.route_lo[route], r.route_lo[route + 1]):
        lane = r.route_lane[e]
        length = r.route_scale[e] * m.lane_length[lane]
        if not math.isnan(near) and (r.route_offset[e] > near + 50.0 or r.route_offset[e] + length < near - 50.0):
            continue
        s, d, dist = project_on_lane(m, lane, x, y, -1.0)
        if dist < best:
            clamped = min(max(s, 0.0), m.lane_length[lane])
            best, lateral, entry = dist, d, e
            progress = r.route_offset[e] + clamped * r.route_scale[e]
    return progress, lateral, entry


@jit("f8", MAP_INDEX, "i8")
def precedence(m: MapIndex, lane: int) -> float:
    """Rank of a lane's traffic at a conflict: signs first, then straight before right before left."""
    control = m.lane_control[lane]
    if control == _PRIORITY:
        return 3.0
    if control == _YIELD:
        return 0.0
    if control == _STOP:
        return -1.0
    turn = m.point_heading[m.point_lo[lane + 1] - 1] - m.point_heading[m.point_lo[lane]]
    return 1.0 if turn > 0.5 else 1.5 if turn < -0.5 else 2.0
