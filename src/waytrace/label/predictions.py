"""What is expected of the others: the expert's own forecast in the trace's words, with how often such words hold."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.planners import Foresight
from waytrace.rules import time_to_contact_s
from waytrace.scenario import AgentKind, LightState
from waytrace.trace import Prediction, sets

from .calibration import probability

Array = NDArray[np.float64]

STEP_S = 0.2
HORIZON_STEPS = 20
"""An intent is about the next 4 s."""

STANDING_MPS = 0.3
STAYS_M = 0.5
TURN_RAD = 0.52
RATE_MPS2 = 0.3
RATE_STEPS = 10
"""Speeding up and braking are judged over 2 s."""

CROSSING_RAD = (0.44, 2.7)
"""Headings between which ways cross: 25 to 155 degrees."""

ASIDE_M = 1.0
_ON_FOOT = (AgentKind.PEDESTRIAN, AgentKind.CYCLIST)


def predictions_of(refs: Iterable[Reference], scene: Scene, seen: Foresight, arrival_s: Array) -> list[Prediction]:
    """A prediction for each agent and light among ``refs`` that the expert has a forecast for.

    ``arrival_s`` [n] is when the ego, on its plan, has come 0, 1, 2, ... metres far; infinity for never within 8 s.
    """
    out = []
    rows = {int(i): k for k, i in enumerate(seen.index)}
    for ref in refs:
        if ref.kind == ReferenceKind.LIGHT:
            out.append(_light(ref, scene))
        elif ref.kind == ReferenceKind.AGENT and ref.index in rows:
            out.append(_agent(ref, scene, seen, rows[ref.index], arrival_s))
    return out


def _light(ref: Reference, scene: Scene) -> Prediction:
    state = LightState(int(scene.light_state[ref.index]))
    intent = {LightState.GREEN: "stays_green", LightState.YELLOW: "turns_red"}.get(state, "stays_red")
    none = len(sets.CONFLICT_S.edges)
    return Prediction(ref, intent, len(sets.TTC.edges), none, sets.PROBABILITY.number(probability(intent)))


def _agent(ref: Reference, scene: Scene, seen: Foresight, a: int, arrival_s: Array) -> Prediction:
    at = int(np.flatnonzero(scene.agents.index == ref.index)[0])
    kind = int(scene.agents.kind[at])
    meets = conflict_m(seen, a)
    crossing = crosses(seen, a)
    first = False
    if crossing and meets is not None:
        enters = in_way(seen, a)
        ego = arrival_s[min(int(max(meets, 0.0)), len(arrival_s) - 1)]
        first = bool(len(enters)) and STEP_S * float(enters[-1]) < float(ego)
    intent = intent_of(seen.poses[a], kind, changes=bool(seen.changes[a]), crossing=crossing, first=first)
    x, y, h, v = (float(q) for q in seen.poses[a, 0])
    ego_x, ego_y, ego_h = (float(q) for q in scene.ego.pose)
    length, width = (float(q) for q in scene.agents.size_m[at])
    left = time_to_contact_s(
        ego_x, ego_y, ego_h, scene.ego.length_m, scene.ego.width_m, scene.ego.speed_mps, x, y, h, length, width, v
    )
    return Prediction(
        ref, intent, sets.TTC.number(float(left) if left <= sets.TTC.edges[-1] else None),
        sets.CONFLICT_S.number(meets), sets.PROBABILITY.number(probability(intent)),
    )  # fmt: skip


def intent_of(poses: Array, kind: int, *, changes: bool, crossing: bool, first: bool) -> str:
    """What a motion ``poses`` [>= 21, 4] (each 0.2 s) is called; of a forecast, or of what then happened."""
    poses = poses[: HORIZON_STEPS + 1]
    now, moved = float(poses[0, 3]), float(np.hypot(*(poses[-1, :2] - poses[0, :2])))
    if kind == AgentKind.STATIC:
        return "static"
    if abs(now) < STANDING_MPS and moved < STAYS_M:
        return "stay_stopped"
    if crossing:
        return "go_before_ego" if first and kind not in _ON_FOOT else "cross"
    if changes:
        aside = sideways_m(poses)
        return f"lane_change_{'left' if aside > 0.0 else 'right'}"
    if abs(now) < STANDING_MPS:
        return "start"
    if abs(float(poses[-1, 3])) < STANDING_MPS:
        return "stop"
    turned = (float(poses[-1, 2] - poses[0, 2]) + math.pi) % (2.0 * math.pi) - math.pi
    if abs(turned) >= TURN_RAD and kind not in _ON_FOOT:
        return f"turn_{'left' if turned > 0.0 else 'right'}"
    rate = (float(poses[min(RATE_STEPS, len(poses) - 1), 3]) - now) / (RATE_STEPS * STEP_S)
    if abs(rate) >= RATE_MPS2:
        return "accelerate" if rate > 0.0 else "brake"
    return "keep"


def sideways_m(poses: Array) -> float:
    """How far a motion leads to the left of where it was heading, metres."""
    dx, dy = poses[-1, :2] - poses[0, :2]
    h = poses[0, 2]
    return float(dy * math.cos(h) - dx * math.sin(h))


def crosses(seen: Foresight, a: int) -> bool:
    """Whether someone who is not in the ego's way now comes into it from the side."""
    inside = in_way(seen, a)
    if not len(inside) or inside[0] == 0:
        return False
    along, across = seen.place[inside[0], a, 4:6]
    return CROSSING_RAD[0] <= math.atan2(abs(float(across)), float(along)) <= CROSSING_RAD[1]


def conflict_m(seen: Foresight, a: int) -> float | None:
    """Metres from the front bumper to where someone is first in the ego's way; None for nowhere ahead."""
    inside = in_way(seen, a)
    if not len(inside):
        return None
    s, _, along = seen.place[inside[0], a, :3]
    ahead = float(s - along) - seen.front_s
    return max(ahead, 0.0) if float(s + along) > seen.front_s - 1.0 else None


def in_way(seen: Foresight, a: int) -> NDArray[np.int64]:
    """Forecast steps at which someone is on the ego's way."""
    s, d, _, across = seen.place[:, a, :4].T
    return np.flatnonzero(np.isfinite(s) & (np.abs(d) < seen.half_width_m + across))


def arrivals_s(waypoints: Array, start: Array) -> Array:
    """[81] when a plan has come 0, 1, ... 80 m far; infinity for never."""
    xy = np.concatenate([start[None, :2], waypoints[:, :2]])
    far = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    metres = np.arange(81, dtype=np.float64)
    times: Array = np.interp(metres, far + 1e-9 * np.arange(len(far)), 0.5 * np.arange(len(far)))
    times[metres > far[-1] + 1e-6] = np.inf
    return times
