"""Agent tokens: who else is there, where that lies on the ego's paths, and where they are expected to go."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit, wrap_angle
from waytrace.planners.expert import ExpertConfig
from waytrace.planners.expert.forecast import STEP_S, STEPS
from waytrace.planners.moment import OTHERS, Others
from waytrace.scenario import AgentKind
from waytrace.scenario.paths import PATH, STEP_M, Path, project

from .columns import AGENT as NAMES
from .columns import EXPECTED_S, HISTORY_S
from .conflicts import arrival_s
from .paths import neighbours
from .scaling import EGO, Ego, cut, far, near, write_place

Array = NDArray[np.float64]
F4 = NDArray[np.float32]

STANDING_MPS = 0.3
BESIDE_M = 25.0
"""Who is farther from a path has no place on it."""

_CONFIG = ExpertConfig()
_KERB_BRAKE, _WALK, _KERB_S = _CONFIG.kerb_brake_mps2, _CONFIG.walk_mps, _CONFIG.kerb_latency_s
_HIDDEN_BRAKE, _HIDDEN_WALK, _HIDDEN_S = (
    _CONFIG.hidden_brake_mps2, _CONFIG.hidden_walk_mps, _CONFIG.hidden_latency_s
)  # fmt: skip
_LEAST_MPS = _CONFIG.hidden_least_mps
_PEDESTRIAN, _LARGE = int(AgentKind.PEDESTRIAN), int(AgentKind.LARGE_VEHICLE)
_AGO_S = np.array(HISTORY_S)
_EXPECTED = np.round(np.array(EXPECTED_S) / STEP_S).astype(np.int64)
_BEARING, _COS, _SPEED, _LENGTH, _KIND = (NAMES.index(n) for n in ("bearing_cos", "cos", "speed", "length", "vehicle"))
_VISIBLE, _APPROACH, _PAST = (NAMES.index(n) for n in ("visible", "approach_s", "past_0.4_ahead"))
_PATHS = np.array([NAMES.index(f"{side}_reach") for side in ("own", "left", "right")])
_IN, _CHANGES, _ENTERS, _FACING = (NAMES.index(n) for n in ("in_1_ahead", "changes_lane", "enters", "facing_own"))


@jit("void", "f8", "f8", "f8", "f8", "f8[:,:]", "f8[:]", "b1[:]", "f4[:]", "i8")
def write_past(
    x: float, y: float, heading: float, speed: float, pose: Array, past_speed: Array, seen: NDArray[np.bool_], out: F4,
    at: int,
) -> None:  # fmt: skip
    """Write past poses [H, 3] as seen from the present one: ahead, left, turned, faster, seen of each.

    *Ahead* is compared with where it would have been at the present speed.
    """
    c, s = math.cos(heading), math.sin(heading)
    for k in range(len(past_speed)):
        if seen[k]:
            dx, dy = pose[k, 0] - x, pose[k, 1] - y
            out[at] = cut((c * dx + s * dy + speed * _AGO_S[k]) / 5.0, 4.0)
            out[at + 1], out[at + 2] = cut((c * dy - s * dx) / 2.0, 4.0), math.sin(pose[k, 2] - heading)
            out[at + 3], out[at + 4] = cut((past_speed[k] - speed) / 5.0, 4.0), 1.0
        at += 5


@jit("void", EGO, OTHERS, "f8[:]", "f8[:]", "b1[:]", "f8[:,:,:]", "f8[:,:]", "b1[:,:]", "f4[:,:]")
def write_agents(
    ego: Ego, others: Others, still_s: Array, age_s: Array, changes: NDArray[np.bool_], past: Array, past_speed: Array,
    past_seen: NDArray[np.bool_], out: F4,
) -> None:  # fmt: skip
    """Write what does not depend on a path; ``past`` [A, H, 3] are poses at ``HISTORY_S`` ago."""
    for a in range(len(others.x)):
        row = out[a]
        x, y, h, v = others.x[a], others.y[a], others.heading[a], others.speed[a]
        write_place(ego, x, y, row, 0)
        dx, dy = x - ego.x, y - ego.y
        ahead, left = ego.cos * dx + ego.sin * dy, ego.cos * dy - ego.sin * dx
        away = max(math.hypot(ahead, left), 0.1)
        row[_BEARING], row[_BEARING + 1] = ahead / away, left / away
        turn = h - ego.heading
        c, s = math.cos(turn), math.sin(turn)
        ux, uy = v * c, v * s
        row[_COS], row[_COS + 1] = c, s
        row[_COS + 2], row[_COS + 3], row[_COS + 4] = ux / 10.0, uy / 10.0, (ux - ego.speed) / 10.0
        row[_SPEED], row[_SPEED + 1] = v / 10.0, abs(v) < STANDING_MPS
        row[_SPEED + 2], row[_SPEED + 3] = cut(others.accel[a] / 3.0, 3.0), cut(2.0 * others.yaw_rate[a], 3.0)
        row[_SPEED + 4] = cut(0.5 * others.sideways[a], 3.0)
        row[_LENGTH], row[_LENGTH + 1] = others.length[a] / 5.0, others.width[a] / 2.0
        row[_KIND + min(others.kind[a], 6)] = 1.0
        row[_VISIBLE], row[_VISIBLE + 1] = age_s[a] == 0.0, age_s[a] / 3.0
        row[_VISIBLE + 2], row[_VISIBLE + 3] = min(still_s[a], 10.0) / 5.0, still_s[a] == math.inf
        rx, ry = ux - ego.speed, uy
        square = rx * rx + ry * ry
        when = min(max(-(ahead * rx + left * ry) / square, 0.0), 8.0) if square > 0.01 else 0.0
        row[_APPROACH] = when / 4.0
        row[_APPROACH + 1] = near(math.hypot(ahead + when * rx, left + when * ry))
        write_past(x, y, h, v, past[a], past_speed[a], past_seen[a], row, _PAST)
        row[_CHANGES] = changes[a]


@jit("void", EGO, "f8[:,:]", "f8", "i8", "f4[:,:]")
def write_places(ego: Ego, place: Array, s0: float, which: int, out: F4) -> None:
    """Write everyone's place on path ``which`` (0 own, 1 left, 2 right)."""
    lead, rear = neighbours(place, ego, s0)
    at = _PATHS[which]
    middle = s0 + ego.rear_m
    for a in range(len(place)):
        s, d = place[a, 0], place[a, 1]
        if s == math.inf or abs(d) > BESIDE_M:
            continue
        row = out[a]
        row[at], row[at + 1] = 1.0, far(s - middle)
        between = abs(s - middle) - place[a, 2] - 0.5 * ego.length
        row[at + 2] = math.copysign(near(max(between, 0.0)), s - middle)
        row[at + 3], row[at + 4] = cut(d / 5.0, 4.0), near(d)
        row[at + 5] = near(abs(d) - place[a, 3] - 0.5 * ego.width)
        row[at + 6], row[at + 7] = place[a, 4] / 10.0, cut(place[a, 5] / 5.0, 4.0)
        row[at + 8], row[at + 9] = a == lead, a == rear


@jit("f8", OTHERS, PATH, "i8", "f8[:,:]", "f8", EGO, "f8", "f4[:,:]")
def write_care(
    others: Others, path: Path, count: int, place: Array, s0: float, ego: Ego, brake: float, out: F4
) -> float:
    """Write who calls for care beside the own path, and how fast to pass; the speed that this allows the ego now.

    Someone on foot who faces the path may step out; behind a parked vehicle may stand somebody who will. The speed is
    that from which the ego could then still stop, as the expert reckons it.
    """
    front, now = s0 + ego.front_m, math.inf
    for a in range(len(place)):
        s, d = place[a, 0], place[a, 1]
        if s == math.inf or abs(d) > BESIDE_M:
            continue
        i = min(max(int(s / STEP_M), 0), count - 1)
        facing = -math.copysign(1.0, d) * math.sin(others.heading[a] - path.heading[i])
        out[a, _FACING] = facing
        gap = abs(d) - 0.5 * ego.width - place[a, 3]
        allowed, at = math.inf, s
        if others.kind[a] == _PEDESTRIAN:
            if 0.0 <= gap < 5.0 and s > front - 1.0 and facing >= 0.7:
                allowed = max(_LEAST_MPS, 2.0 * _KERB_BRAKE * (gap / _WALK - _KERB_S))
        elif others.kind[a] <= _LARGE and abs(others.speed[a]) < STANDING_MPS:
            at = s + place[a, 2]
            if 0.0 <= gap < 4.0 and front - 1.0 < at < front + 80.0:
                seen_s = (gap + 0.25) / _HIDDEN_WALK - _HIDDEN_S
                allowed = max(_LEAST_MPS, 2.0 * _HIDDEN_BRAKE * seen_s)
        if allowed < math.inf:
            out[a, _FACING + 1], out[a, _FACING + 2] = 1.0, min(allowed, 30.0) / 15.0
            now = min(now, math.sqrt(allowed * allowed + 2.0 * brake * max(at - front, 0.0)))
    return now


@jit("void", EGO, OTHERS, "f8[:,:,:]", PATH, "i8", "f8", "f8", "f8[:,:]", "f4[:,:]")
def write_expected(
    ego: Ego,
    others: Others,
    forecast: Array,
    path: Path,
    count: int,
    s0: float,
    allowed: float,
    place: Array,
    out: F4,
) -> None:
    """Write where everyone is expected on the own path, and who will be on it when.

    ``forecast`` [A, 41, 4] as the expert's: along the lanes, at the present speed. Someone enters at the first time at
    which the box overlaps the way that the ego's body has yet to go.
    """
    front, middle = s0 + ego.front_m, s0 + ego.rear_m
    end = (count - 1) * STEP_M
    for a in range(len(others.x)):
        if place[a, 0] == math.inf or abs(place[a, 1]) > 80.0:
            continue
        row = out[a]
        s, d = place[a, 0], place[a, 1]
        enters, clears, enters_s, k = -1, -1, 0.0, 0
        for t in range(STEPS):
            if t > 0:
                reach = 4.0 + 2.0 * STEP_S * abs(forecast[a, t, 3])
                s, d = project(path, count, forecast[a, t, 0], forecast[a, t, 1], s, reach)
            on = -2.0 < s < end + 2.0
            if k < len(_EXPECTED) and t == _EXPECTED[k]:
                if on:
                    row[_IN + 2 * k], row[_IN + 2 * k + 1] = far(s - middle), cut(d / 5.0, 4.0)
                k += 1
            i = min(max(int(s / STEP_M), 0), count - 1)
            turned = wrap_angle(forecast[a, t, 2] - path.heading[i])
            c, n = abs(math.cos(turned)), abs(math.sin(turned))
            along = 0.5 * (c * others.length[a] + n * others.width[a])
            across = 0.5 * (n * others.length[a] + c * others.width[a])
            within = on and abs(d) < across + 0.5 * ego.width + 0.2 and s + along > front
            if within and enters < 0:
                enters, enters_s = t, s - along
            if enters >= 0 and clears < 0 and not within:
                clears = t
        if enters >= 0:
            gap = enters_s - front
            there = arrival_s(gap, ego.speed, allowed)
            row[_ENTERS], row[_ENTERS + 1] = 1.0, enters * STEP_S / 4.0
            row[_ENTERS + 2] = (clears if clears >= 0 else STEPS) * STEP_S / 4.0
            row[_ENTERS + 3], row[_ENTERS + 4] = near(gap), far(gap)
            row[_ENTERS + 5], row[_ENTERS + 6] = there / 4.0, (enters * STEP_S - there) / 4.0
