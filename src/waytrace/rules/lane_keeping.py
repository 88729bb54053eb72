"""Whether an agent is wholly in one lane, inside an intersection, and which lanes hold a point."""

from __future__ import annotations

import math

from waytrace.geometry import jit
from waytrace.scenario.index import LANE_CELL_M, MAP_INDEX, MapIndex
from waytrace.scenario.lanes import project_on_lane

from .limits import LANE_EDGE_M


@jit("b1", MAP_INDEX, "i8", "f8", "f8", "f8")
def in_lane(m: MapIndex, lane: int, x: float, y: float, hint_s: float) -> bool:
    """Whether (x, y) lies between a lane's boundaries; ``hint_s`` as for ``project_on_lane``."""
    s, d, _ = project_on_lane(m, lane, x, y, hint_s)
    if s < -LANE_EDGE_M or s > m.lane_length[lane] + LANE_EDGE_M:
        return False
    lo, hi = m.point_lo[lane], m.point_lo[lane + 1]
    u = min(max(s / m.lane_step[lane], 0.0), hi - lo - 1.0)
    i = min(int(u), hi - lo - 2)
    t = u - i
    side = m.point_left if d >= 0.0 else m.point_right
    reach: float = side[lo + i] + t * (side[lo + i + 1] - side[lo + i])
    return abs(d) <= reach + LANE_EDGE_M


@jit("b1", MAP_INDEX, "i8", "f8", "f8", "f8", "f8", "f8", "f8")
def box_in_lane(m: MapIndex, lane: int, s: float, x: float, y: float, h: float, length: float, width: float) -> bool:
    """Whether all four corners of a box lie in a lane, its successors or its predecessors; ``s`` is near the box."""
    c, n = math.cos(h), math.sin(h)
    for i in range(4):
        u = 0.5 * length if i < 2 else -0.5 * length
        v = 0.5 * width if i % 2 == 0 else -0.5 * width
        px, py = x + u * c - v * n, y + u * n + v * c
        if in_lane(m, lane, px, py, s):
            continue
        found = False
        for k in range(m.succ_lo[lane], m.succ_lo[lane + 1]):
            if in_lane(m, m.succ[k], px, py, 0.0):
                found = True
                break
        if not found:
            for k in range(m.pred_lo[lane], m.pred_lo[lane + 1]):
                if in_lane(m, m.pred[k], px, py, m.lane_length[m.pred[k]]):
                    found = True
                    break
        if not found:
            return False
    return True


@jit("b1", MAP_INDEX, "i8", "i8", "f8", "f8", "f8", "f8", "f8")
def wholly_in_one_lane(
    m: MapIndex, number: int, lane: int, x: float, y: float, h: float, length: float, width: float
) -> bool:
    """Whether some one lane of map ``number``, with the lanes it leads to and comes from, holds the whole box.

    ``lane`` (the agent's own, or -1) is tried first, then every lane that holds the box centre.
    After nuPlan's ``get_common_or_connected_route_objs_of_corners``.
    """
    if lane >= 0:
        s, _, _ = project_on_lane(m, lane, x, y, -1.0)
        if box_in_lane(m, lane, max(s, 0.0), x, y, h, length, width):
            return True
    nx, ny = m.grid_nx[number], m.grid_ny[number]
    ci = math.floor((x - m.grid_x[number]) / LANE_CELL_M)
    cj = math.floor((y - m.grid_y[number]) / LANE_CELL_M)
    for j in range(max(0, cj - 1), min(ny - 1, cj + 1) + 1):
        for i in range(max(0, ci - 1), min(nx - 1, ci + 1) + 1):
            cell = m.grid_lo[number] + j * nx + i
            for q in range(m.cell_lo[cell], m.cell_lo[cell + 1]):
                p = m.cell_point[q]
                other = m.point_lane[p]
                if other == lane:
                    continue
                ax, ay = m.point_x[p + 1] - m.point_x[p], m.point_y[p + 1] - m.point_y[p]
                rx, ry = x - m.point_x[p], y - m.point_y[p]
                n = ax * ax + ay * ay
                along, across = rx * ax + ry * ay, ax * ry - ay * rx
                if along < -0.1 * n or along > 1.1 * n:
                    continue
                side = m.point_left[p] if across >= 0.0 else m.point_right[p]
                if across * across > side * side * n:
                    continue
                s = (p - m.point_lo[other]) * m.lane_step[other]
                if box_in_lane(m, other, s, x, y, h, length, width):
                    return True
    return False
