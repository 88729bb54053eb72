"""The edit that straightens a bend of the ego's route, and with it everything that lies beside and beyond it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import Polylines, wrap
from waytrace.geometry.unbend import Unbending

from .edits import EditError, noted
from .paths import STEP_M, Path, project
from .roads import RoadCache, Roads
from .types import Agents, RoadMap, Scenario, Script

Array = NDArray[np.float64]
Pose = tuple[float, float, float]
"""x, y, heading."""

BENT_1PM = 1e-3
"""A route that turns less than this, per metre, is straight: nobody slows down for a radius of 1 km."""
BEHIND_M, REACH_M = 200.0, 400.0
"""The line along which the plane is unbent reaches so far to both sides of the ego, as far as there are lanes."""
CLEAR_M = 0.25
"""The bend is taken out from so far ahead of the ego's centre on."""
PIECE_M = 1.0
"""Straight pieces of lines that come to be bent are cut at least so finely."""
MOST_STRETCH = 4.0
"""Where something beside the bend would be drawn out more than this, the edit is refused."""
LEAST_TEAR_M = 1.0
"""What is drawn out by less than this is not torn."""


def straighten(scenario: Scenario, lane: int, beyond: Pose | None = None) -> Scenario:
    """With the bend of the ego's route on ``lane`` straightened, from the pose ``beyond`` on.

    Without ``beyond``, from the ego's pose at the start step on. The bend is the lane's together with what adjoins it
    on the route as long as that is bent too; of a lane beside the route, that of the route's lane beside it.
    Everything keeps its place along and across the route: lanes, edges, stop lines, lights, crosswalks, the drivable
    area, agents with headings and velocities at every step, places in scripts. What is behind stays to the bit, what
    is beyond the bend turns as a whole, what is beside it is drawn out on the inner side and pushed together on the
    outer (:class:`~waytrace.geometry.unbend.Unbending`). Where the route is not bent there, nothing changes.

    Raises :class:`EditError` where the lane is not on the route ahead, and where the edit would tear something, or draw
    it out to more than four times its length: beyond the bend's centre of curvature nothing has one place.
    """
    if not 0 <= lane < len(scenario.map):
        raise EditError(f"Scenario {scenario.id!r} has no lane {lane} among its {len(scenario.map)}.")
    if beyond is None:
        ego, step = scenario.ego_index, scenario.start_step
        x, y = scenario.agents.xy[ego, step].tolist()
        beyond = (x, y, float(scenario.agents.heading_rad[ego, step]))
    bend, edited = _bend(scenario, lane, beyond), scenario
    if bend is not None:
        edited = scenario.with_(
            map=_road(scenario, bend),
            lights=replace(scenario.lights, xy=bend.moved(scenario.lights.xy).xy),
            agents=_agents(scenario, bend),
            scripts=tuple(_script(script, bend) for script in scenario.scripts),
        )
    name = scenario.map.lane_id[lane]
    return noted(edited, f"straight-{name}", edit="straighten", lane=name, beyond=[float(v) for v in beyond])


def _bend(scenario: Scenario, lane: int, at: Pose) -> Unbending | None:
    """The bend of the ego's route on a lane, as far as it is ahead; None where it is straight there."""
    roads = RoadCache().of(scenario.map, scenario.route)
    chain, on = _chain(scenario, roads, lane, at)
    path, count = roads.path_around(chain, at[0], at[1], BEHIND_M, REACH_M)
    now, _ = project(path, count, at[0], at[1], 0.0, -1.0)
    begin, end = _extent(path, count, on)
    if end * STEP_M <= now + CLEAR_M:
        raise EditError(f"Lane {lane} of scenario {scenario.id!r} lies behind the ego.")
    bent = np.flatnonzero(np.abs(path.curvature[begin : end + 1]) > BENT_1PM) + begin
    bent = bent[bent * STEP_M >= now]
    if len(bent) == 0:
        return None
    s = STEP_M * np.arange(count)
    first, last = max(float(s[bent[0]]), now + CLEAR_M), float(s[min(bent[-1] + 1, count - 1)])
    cut = np.unique(np.concatenate([s, [first]]))
    xy = np.stack([np.interp(cut, s, path.x[:count]), np.interp(cut, s, path.y[:count])], -1)
    heading = np.interp(cut, s, path.heading[:count])
    return Unbending.of(xy, heading, int(np.searchsorted(cut, first)), int(np.searchsorted(cut, last)))


def _chain(scenario: Scenario, roads: Roads, lane: int, at: Pose) -> tuple[list[int], int]:
    """Lanes from the ego's own (else from one beside it) on, that hold ``lane`` or one beside it; and which one."""
    road = scenario.map
    own = roads.start_lane(*at, -1)
    starts = [own, int(road.left_neighbor[own]), int(road.right_neighbor[own])] if own >= 0 else []
    chains = [roads.chain(start, REACH_M) for start in starts if start >= 0]
    for chain in chains:
        for wanted in (lane, int(road.left_neighbor[lane]), int(road.right_neighbor[lane])):
            if wanted in chain:
                return chain, wanted
    raise EditError(f"Lane {lane} of scenario {scenario.id!r} is not on the ego's route ahead.")


def _extent(path: Path, count: int, lane: int) -> tuple[int, int]:
    """First and last sample of the bend on a lane of the path: the lane and what is bent before and behind it."""
    on = np.flatnonzero(path.lane[:count] == lane)
    begin, end = int(on[0]), int(on[-1])
    bent = np.abs(path.curvature[:count]) > BENT_1PM
    while begin > 0 and bent[begin - 1]:
        begin -= 1
    while end + 1 < count and bent[end + 1]:
        end += 1
    return begin, end


def _road(scenario: Scenario, bend: Unbending) -> RoadMap:
    road = scenario.map
    changed: dict[str, Any] = {
        name: _lines(scenario, name, bend, closed=name in ("crosswalk", "drivable"))
        for name in ("centre", "left", "right", "crosswalk", "drivable")
    }
    stops = bend.moved(road.stop_line_xy.reshape(-1, 2)).xy.reshape(-1, 2, 2)
    return replace(road, stop_line_xy=np.ascontiguousarray(stops), **changed)


def _lines(scenario: Scenario, name: str, bend: Unbending, *, closed: bool) -> Polylines:
    """Lines (or rings) of the map unbent; pieces of them that are beside the bend are cut finely first."""
    lines: Polylines = getattr(scenario.map, name)
    if len(lines.xy) == 0:
        return lines
    follower = np.arange(1, len(lines.xy) + 1)
    ends = lines.start[1:] - 1
    follower[ends] = lines.start[:-1] if closed else ends
    step = lines.xy[follower] - lines.xy
    cuts = np.maximum(np.ceil(np.hypot(step[:, 0], step[:, 1]) / PIECE_M), 1).astype(np.int64)
    head = np.cumsum(cuts) - cuts
    piece = np.repeat(np.arange(len(cuts)), cuts)
    xy = lines.xy[piece] + ((np.arange(len(piece)) - head[piece]) / cuts[piece])[:, None] * step[piece]
    moved = bend.moved(xy)
    after = np.arange(1, len(xy) + 1)
    after[head + cuts - 1] = head[follower]
    torn = _torn(xy[after] - xy, moved.xy[after] - moved.xy)
    if torn.any():
        at = np.searchsorted(lines.start, piece[np.argmax(torn)], side="right") - 1
        raise EditError(_refusal(scenario, f"{name} {int(at)} of the map"))
    side = np.stack([np.minimum.reduceat(moved.side, head), np.maximum.reduceat(moved.side, head)])
    rigid = (side[0] == side[1]) & (side[0] != 0) & (moved.side[head[follower]] == side[0])
    kept = ~rigid[piece]
    kept[head] = True
    counted = np.concatenate([[0], np.cumsum(kept)])
    first = np.append(head, len(xy))[lines.start]
    return Polylines(np.ascontiguousarray(moved.xy[kept]), counted[first].astype(np.int32))


def _agents(scenario: Scenario, bend: Unbending) -> Agents:
    agents = scenario.agents
    there = agents.valid
    moved = bend.moved(agents.xy[there])
    heading, velocity = agents.heading_rad[there], agents.velocity_mps[there]
    crushed = (moved.room < 1.0 / MOST_STRETCH) & (np.hypot(*velocity.T) > 0.0)
    xy, turned, carried = agents.xy.copy(), agents.heading_rad.copy(), agents.velocity_mps.copy()
    xy[there] = moved.xy
    torn = _torn(np.diff(agents.xy, axis=1), np.diff(xy, axis=1)) & there[:, 1:] & there[:, :-1]
    rows = np.concatenate([np.nonzero(there)[0][crushed], np.nonzero(torn)[0]])
    if len(rows):
        raise EditError(_refusal(scenario, f"the way of agent {agents.agent_id[int(rows.min())]!r}"))
    ahead = moved.directed(np.stack([np.cos(heading), np.sin(heading)], -1))
    stays = moved.side < 0
    turned[there] = np.where(stays, heading, wrap(np.arctan2(ahead[:, 1], ahead[:, 0])))
    carried[there] = moved.directed(velocity)
    return replace(agents, xy=xy, heading_rad=turned, velocity_mps=carried)


def _torn(before: Array, after: Array) -> NDArray[np.bool_]:
    """[...] which steps [..., 2] have become too long."""
    was, now = (np.hypot(step[..., 0], step[..., 1]) for step in (before, after))
    longer: NDArray[np.bool_] = (now > MOST_STRETCH * was) & (now > was + LEAST_TEAR_M)
    return longer


def _refusal(scenario: Scenario, what: str) -> str:
    return (
        f"The bend of scenario {scenario.id!r} cannot be straightened: {what} lies near or beyond its centre of "
        f"curvature and would be torn."
    )


def _script(script: Script, bend: Unbending) -> Script:
    (ax, ay), (tx, ty) = bend.moved(np.array([script.at_xy, script.to_xy])).xy.tolist()
    return replace(script, at_xy=(ax, ay), to_xy=(tx, ty))
