"""Where an agent may drive: drivable area, direction of the lane, red lights, speed limit, progress on the route."""

from __future__ import annotations

import math

from waytrace.geometry import jit
from waytrace.scenario.index import LANE_CELL_M, MAP_INDEX, ROUTE_INDEX, MapIndex, RouteIndex
from waytrace.scenario.lanes import off_drivable, project_on_lane, route_progress
from waytrace.scenario.state import LIGHT_ARRAYS, LightArrays

from .lane_keeping import in_lane
from .limits import ENTRY_ALIGNED_COS, ENTRY_MARGIN_M, ROUTE_REACH_M, STOP_AHEAD_M

RED = 1
"""``LightState.RED`` as a kernel constant."""
LAST_DRIVEN_KIND = 1
"""Lane kinds up to this one (``LaneKind.VEHICLE``, ``BUS``) prescribe a direction to vehicles."""


@jit("f8", MAP_INDEX, "i8", *["f8"] * 5)
def off_road_m(m: MapIndex, number: int, x: float, y: float, h: float, length: float, width: float) -> float:
    """Metres by which the outermost corner of a box is beyond the drivable area of map ``number``; at most 4."""
    c, s = math.cos(h), math.sin(h)
    worst = 0.0
    for i in range(4):
        u = 0.5 * length if i < 2 else -0.5 * length
        v = 0.5 * width if i % 2 == 0 else -0.5 * width
        worst = max(worst, off_drivable(m, number, x + u * c - v * s, y + u * s + v * c))
    return worst


@jit("f8", MAP_INDEX, "i8", "i8", "f8", "f8", "f8", "f8")
def wrong_way_step_m(m: MapIndex, number: int, lane: int, x0: float, y0: float, x1: float, y1: float) -> float:
    """Metres that a move of a box centre from (x0, y0) to (x1, y1) goes against the lane it ends in.

    Where several lanes hold the end point (in a junction), the one that suits the move best is taken; where none
    does, 0. ``lane`` (the agent's own, or -1) answers most calls quickly. nuPlan sums signed metres along the lane it
    assigns to the ego; here metres forward never make up for metres backward.
    """
    dx, dy = x1 - x0, y1 - y0
    if dx * dx + dy * dy < 1e-12:
        return 0.0
    if lane >= 0:
        s, _, _ = project_on_lane(m, lane, x1, y1, -1.0)
        lo, hi = m.point_lo[lane], m.point_lo[lane + 1]
        p = lo + min(max(int(s / m.lane_step[lane]), 0), hi - lo - 2)
        heading = m.point_heading[p]
        if dx * math.cos(heading) + dy * math.sin(heading) >= 0.0 and in_lane(m, lane, x1, y1, max(s, 0.0)):
            return 0.0
    nx, ny = m.grid_nx[number], m.grid_ny[number]
    ci = math.floor((x1 - m.grid_x[number]) / LANE_CELL_M)
    cj = math.floor((y1 - m.grid_y[number]) / LANE_CELL_M)
    best, found = -1.0e18, False
    for j in range(max(0, cj - 1), min(ny - 1, cj + 1) + 1):
        for i in range(max(0, ci - 1), min(nx - 1, ci + 1) + 1):
            cell = m.grid_lo[number] + j * nx + i
            for q in range(m.cell_lo[cell], m.cell_lo[cell + 1]):
                p = m.cell_point[q]
                if m.lane_kind[m.point_lane[p]] > LAST_DRIVEN_KIND:
                    continue
                ax, ay = m.point_x[p + 1] - m.point_x[p], m.point_y[p + 1] - m.point_y[p]
                n = math.hypot(ax, ay)
                rx, ry = x1 - m.point_x[p], y1 - m.point_y[p]
                along = (rx * ax + ry * ay) / n
                if along < -0.1 or along > n + 0.1:
                    continue
                d = (ax * ry - ay * rx) / n
                if d > m.point_left[p] or -d > m.point_right[p]:
                    continue
                forward = (dx * ax + dy * ay) / n
                if forward >= 0.0:
                    return 0.0
                best, found = max(best, forward), True
    return -best if found else 0.0


@jit("b1", MAP_INDEX, "i8", *["f8"] * 9)
def enters_connector(
    m: MapIndex, lane: int, stop_x: float, stop_y: float,
    x0: float, y0: float, h0: float, x1: float, y1: float, h1: float, length: float,
) -> bool:  # fmt: skip
    """Whether a box's front moves into connector ``lane`` between two ticks (box centre and heading before, after).

    The front's middle passes the line across the lane's first point, or across the light's stop point if that lies
    farther on; beside the lane, or at more than 60 degrees to it, it does not enter. Standing with the front between
    stop line and connector is not yet entering.
    """
    p = m.point_lo[lane]
    ux, uy = math.cos(m.point_heading[p]), math.sin(m.point_heading[p])
    px, py = m.point_x[p], m.point_y[p]
    line = (stop_x - px) * ux + (stop_y - py) * uy
    if not (0.0 <= line <= STOP_AHEAD_M):
        line = 0.0
    fx0, fy0 = x0 + 0.5 * length * math.cos(h0), y0 + 0.5 * length * math.sin(h0)
    fx1, fy1 = x1 + 0.5 * length * math.cos(h1), y1 + 0.5 * length * math.sin(h1)
    a0 = (fx0 - px) * ux + (fy0 - py) * uy - line
    a1 = (fx1 - px) * ux + (fy1 - py) * uy - line
    if not (a0 < 0.0 <= a1):
        return False
    if math.cos(h1) * ux + math.sin(h1) * uy < ENTRY_ALIGNED_COS:
        return False
    t = a0 / (a0 - a1)
    lateral = ux * (fy0 + t * (fy1 - fy0) - py) - uy * (fx0 + t * (fx1 - fx0) - px)
    inside: bool = -m.point_right[p] - ENTRY_MARGIN_M <= lateral <= m.point_left[p] + ENTRY_MARGIN_M
    return inside


@jit("i8", MAP_INDEX, LIGHT_ARRAYS, "i8", *["f8"] * 7, "i8")
def red_light_entry(
    m: MapIndex, lights: LightArrays, w: int,
    x0: float, y0: float, h0: float, x1: float, y1: float, h1: float, length: float, path_lane: int,
) -> int:  # fmt: skip
    """The connector that a box enters on red between two ticks, or -1. ``lights`` are those at the first tick.

    Several connectors may begin at one entry, some of them free. ``path_lane`` says which one the agent takes; where
    it is none of those entered (or -1), the agent is charged only if every one of them shows red.
    """
    red, free = -1, False
    for k in range(lights.lane.shape[1]):
        lane = lights.lane[w, k]
        if lane < 0:
            continue
        if not enters_connector(m, lane, lights.x[w, k], lights.y[w, k], x0, y0, h0, x1, y1, h1, length):
            continue
        is_red = lights.state[w, k] == RED
        if lane == path_lane:
            return lane if is_red else -1
        if is_red:
            red = lane if red < 0 else red
        else:
            free = True
    return -1 if free else red


@jit("f8", MAP_INDEX, "i8")
def speed_limit_mps(m: MapIndex, lane: int) -> float:
    """Speed limit of a lane, m/s; NaN where there is none (or ``lane`` is -1).

    A lane without a limit inside an intersection takes the highest of the lanes it joins, as nuPlan does.
    """
    if lane < 0:
        return math.nan
    limit: float = m.lane_limit[lane]
    if math.isnan(limit) and m.lane_junction[lane]:
        for k in range(m.succ_lo[lane], m.succ_lo[lane + 1]):
            other = m.lane_limit[m.succ[k]]
            if not math.isnan(other) and not limit >= other:
                limit = other
        for k in range(m.pred_lo[lane], m.pred_lo[lane + 1]):
            other = m.lane_limit[m.pred[k]]
            if not math.isnan(other) and not limit >= other:
                limit = other
    return limit


@jit("f8", MAP_INDEX, "i8", "f8")
def overspeed_mps(m: MapIndex, lane: int, speed: float) -> float:
    """By how much ``speed`` exceeds the limit of ``lane``, m/s, at least 0; NaN where there is no limit."""
    limit = speed_limit_mps(m, lane)
    return limit if math.isnan(limit) else max(0.0, abs(speed) - limit)


@jit("f8", MAP_INDEX, ROUTE_INDEX, "i8", "f8", "f8", "f8")
def progress_m(m: MapIndex, r: RouteIndex, route: int, x: float, y: float, last: float) -> float:
    """Metres along ``route`` of a box centre; ``last`` is the answer at the tick before (NaN at the first).

    Away from the route (more than 6 m beside every centre line of it) progress stands still.
    """
    progress, lateral, entry = route_progress(m, r, route, x, y, last)
    if entry < 0 or (abs(lateral) > ROUTE_REACH_M and not math.isnan(last)):
        return last
    return progress
