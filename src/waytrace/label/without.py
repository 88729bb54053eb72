"""A scene with one thing in it undone: what the expert is asked about to see whether a cause is one.

Only the present is edited. Who stood behind someone that is taken away does not come into sight, and the ego keeps the
speed that it has: this asks what the decision rests on, not how the past would have gone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, replace

import numpy as np

from waytrace.observe import Reference, ReferenceKind, Scene, SceneAgents
from waytrace.scenario import LightState, RoadMap
from waytrace.scenario.types import LaneControl
from waytrace.trace import Cause

STRAIGHT_MPS2 = 60.0
"""Lateral acceleration allowed to a driver who is to mind no curve."""

RAISED = 2.0


def testable(cause: Cause) -> bool:
    """Whether a cause can be undone: routes and ends of lanes cannot."""
    return cause.ref.kind in (ReferenceKind.AGENT, ReferenceKind.LIGHT, ReferenceKind.STOP_LINE) or (
        cause.ref.kind == ReferenceKind.LANE and cause.constraint in ("speed_cap", "curve_lat_accel", "stop_point")
    )


def without(scene: Scene, refs: Collection[Reference], *, limits: bool = False) -> Scene:
    """A scene without some agents, with some lights green, and without the duty to stop at some lines.

    With ``limits`` the speed limits of lanes among ``refs`` are twice what they were.
    """
    out = scene
    agents = {ref.index for ref in refs if ref.kind == ReferenceKind.AGENT}
    if agents:
        out = replace(out, agents=_less(out.agents, agents))
    lights = [ref.index for ref in refs if ref.kind == ReferenceKind.LIGHT]
    if lights:
        state = out.light_state.copy()
        state[lights] = int(LightState.GREEN)
        out = replace(out, light_state=state)
    lines = {ref.index for ref in refs if ref.kind == ReferenceKind.STOP_LINE}
    lanes = {ref.index for ref in refs if ref.kind == ReferenceKind.LANE}
    if lines or lanes:
        out = replace(out, map=eased(out.map, lines, lanes, limits=limits))
    return out


def only(scene: Scene, refs: Collection[Reference]) -> Scene:
    """A scene with no agents but these, and with every other light green."""
    kept = {ref.index for ref in refs if ref.kind == ReferenceKind.AGENT}
    gone = {Reference(ReferenceKind.AGENT, int(i)) for i in scene.agents.index if int(i) not in kept}
    shut = {Reference(ReferenceKind.LIGHT, k) for k in range(len(scene.light_lane))} - set(refs)
    return without(scene, gone | shut)


def _less(agents: SceneAgents, gone: Collection[int]) -> SceneAgents:
    rows = np.array([int(i) not in gone for i in agents.index], np.bool_)
    changed = {}
    for field in fields(agents):
        array = getattr(agents, field.name)
        timed = field.name in ("pose_history", "speed_history_mps", "history_valid")
        changed[field.name] = array[:, rows] if timed else array[rows]
    return replace(agents, **changed)


def eased(road: RoadMap, lines: Collection[int], lanes: Collection[int], *, limits: bool = False) -> RoadMap:
    """A map without the duty to stop behind the lines on ``lines`` or at the entry of ``lanes``.

    With ``limits`` the speed limits of ``lanes`` are twice what they were.
    """
    control, limit = road.lane_control.copy(), road.speed_limit_mps.copy()
    free = [int(v) for lane in lines for v in road.successors(lane)] + list(lanes)
    control[[v for v in free if control[v] in (LaneControl.STOP, LaneControl.YIELD)]] = LaneControl.NONE
    if limits:
        limit[list(lanes)] *= RAISED
    kept = np.array([int(lane) not in lines for lane in road.stop_line_lane], np.bool_)
    return replace(
        road, lane_control=control, speed_limit_mps=limit, stop_line_xy=road.stop_line_xy[kept],
        stop_line_lane=road.stop_line_lane[kept],
    )  # fmt: skip
