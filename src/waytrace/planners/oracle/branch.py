"""One branch of the search drives half a second: along its corridor, sideways as it has set out to, at its pace."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import F8, I4, bundle, jit, wrap_angle
from waytrace.scenario import AgentKind, LightState
from waytrace.scenario.paths import STEP_M, shift
from waytrace.scenario.plans import CURVATURE_RANGE_1PM, PLAN_KNOT_S, PLAN_KNOTS
from waytrace.scenario.state import AGENT_STATE, LIGHT_ARRAYS, AgentState, LightArrays
from waytrace.sim.dynamics import advance
from waytrace.sim.traffic.idm import idm

from .._fit import fit_curvature
from .corridors import CORRIDORS, PACE, Corridors

Array = NDArray[np.float64]

FOLLOW = 100.0
"""As a branch's pace: behind whoever is ahead, and heeding lights."""
GENTLE_MPS2 = 3.6
"""A follower brakes no harder; whoever must is another branch."""
FITTED = 4
"""Knots that curvature is fitted to together: two seconds."""
LEADER_REACH_M = 90.0
BESIDE_M = 0.3
_CURVATURE_MAX = CURVATURE_RANGE_1PM[1]
_PEDESTRIAN = int(AgentKind.PEDESTRIAN)
_OPEN = (int(LightState.GREEN), int(LightState.OFF), int(LightState.UNKNOWN))
_GREEN, _OFF, _UNKNOWN = _OPEN
_FREE_GAIN_S = 0.8
_EASE_MPS2 = 2.5


class Branches(NamedTuple):
    """What each of W branches is about."""

    corridor: I4
    s: F8
    """Where the rear axle is along the corridor."""
    begin: F8
    """The sideways move: from ``begin`` on over ``length`` metres, from ``d0`` with ``slope`` to ``d1``."""
    length: F8
    d0: F8
    slope: F8
    d1: F8
    pace: F8
    """Acceleration wanted, m/s2 (allowed speed, stop signs and standstill bind it), or ``FOLLOW``."""
    served: I4
    """Lane at whose stop sign it has come to rest; -1 for none."""


BRANCHES = bundle(Branches)


def branches(worlds: int) -> Branches:
    """Branches that follow the middle of the first corridor."""
    real = [np.zeros(worlds) for _ in range(7)]
    real[2][:] = 1.0
    return Branches._make([np.zeros(worlds, np.int32), *real, np.full(worlds, -1, np.int32)])


@jit("f8,f8", CORRIDORS, "i8", "f8", "f8", "f8", "f8")
def project(ways: Corridors, c: int, x: float, y: float, hint: float, reach: float) -> tuple[float, float]:
    """(s, d) of a point on corridor ``c``, within ``reach`` of ``hint`` (anywhere where ``reach`` is negative)."""
    first, last = 0, ways.samples[c] - 1
    if reach >= 0.0:
        first = min(max(int((hint - reach) / STEP_M), 0), ways.samples[c] - 2)
        last = max(min(int((hint + reach) / STEP_M) + 1, ways.samples[c] - 1), first + 1)
    best, where = 1.0e18, first
    for i in range(first, last):
        mx, my = 0.5 * (ways.x[c, i] + ways.x[c, i + 1]), 0.5 * (ways.y[c, i] + ways.y[c, i + 1])
        dist2 = (x - mx) * (x - mx) + (y - my) * (y - my)
        if dist2 < best:
            best, where = dist2, i
    dx, dy = ways.x[c, where + 1] - ways.x[c, where], ways.y[c, where + 1] - ways.y[c, where]
    n = math.hypot(dx, dy)
    rx, ry = x - ways.x[c, where], y - ways.y[c, where]
    return where * STEP_M + (rx * dx + ry * dy) / n, (dx * ry - dy * rx) / n


@jit("void", CORRIDORS, BRANCHES, "i8", "f8", "f8", "f8", "f8", "f8", "f8")
def set_out(
    ways: Corridors, b: Branches, w: int, x: float, y: float, heading: float, speed: float, d1: float, seconds: float
) -> None:
    """Let branch ``w`` begin a sideways move to ``d1`` beside the middle of its corridor."""
    c = b.corridor[w]
    s, d = project(ways, c, x, y, b.s[w], -1.0)
    i = min(max(int(s / STEP_M), 0), ways.samples[c] - 1)
    turned = min(max(wrap_angle(heading - ways.heading[c, i]), -0.6), 0.6)
    b.s[w], b.begin[w], b.d0[w], b.d1[w] = s, s, d, d1
    b.slope[w] = math.tan(turned) * max(1.0 - ways.curvature[c, i] * d, 0.2)
    b.length[w] = max(seconds * speed, math.sqrt(32.0 * abs(d1 - d)) + 0.5, 4.0)


@jit("f8", CORRIDORS, BRANCHES, "i8", AGENT_STATE, LIGHT_ARRAYS, "i8", "f8", "f8")
def behind_leaders(
    ways: Corridors, b: Branches, w: int, st: AgentState, lights: LightArrays, e: int, front: float, speed: float
) -> float:
    """Acceleration behind whoever is ahead on the branch's way now, and before closed lights; infinity for none."""
    c, s = b.corridor[w], b.s[w]
    out = math.inf
    for q in range(ways.stop.shape[1]):
        gap = ways.stop[c, q, 0] - s - front
        if gap == math.inf or gap < -1.0 or gap > LEADER_REACH_M or ways.stop[c, q, 1] < 0.0:
            continue
        shows = lights.state[w, int(ways.stop[c, q, 1])]
        if shows != _GREEN and shows != _OFF and shows != _UNKNOWN:
            out = min(out, idm(speed, 1e3, gap + 2.0, 0.0, 0.6, PACE.accel_mps2, PACE.brake_mps2))
    x, y = st.x[w, e], st.y[w, e]
    for o in range(st.x.shape[1]):
        if o == e or not st.present[w, o]:
            continue
        away = math.hypot(st.x[w, o] - x, st.y[w, o] - y)
        if away > LEADER_REACH_M:
            continue
        so, do = project(ways, c, st.x[w, o], st.y[w, o], s + away, away + 5.0)
        if so < s + 0.5 * front:
            continue
        i = min(max(int(so / STEP_M), 0), ways.samples[c] - 1)
        turned = st.heading[w, o] - ways.heading[c, i]
        cos, sin = abs(math.cos(turned)), abs(math.sin(turned))
        along = 0.5 * (cos * st.length[w, o] + sin * st.width[w, o])
        across = 0.5 * (sin * st.length[w, o] + cos * st.width[w, o])
        aside = do - shift(so - b.begin[w], b.length[w], b.d0[w], b.slope[w], b.d1[w])
        drift = st.speed[w, o] * math.sin(turned)
        room = 0.5 * st.width[w, e] + across + BESIDE_M
        soon = aside + drift
        if abs(aside) > room and abs(soon) > room and aside * soon > 0.0:
            continue
        lead = max(0.0, st.speed[w, o] * math.cos(turned))
        gap = so - along - s - front
        out = min(out, idm(speed, 1e3, gap, lead, PACE.headway_s, PACE.accel_mps2, PACE.brake_mps2))
    return out


@jit("f8", CORRIDORS, BRANCHES, "i8", "f8", "f8", "f8", "f8")
def paced(ways: Corridors, b: Branches, w: int, s: float, speed: float, front: float, want: float) -> float:
    """``want`` as far as the allowed speed and stop signs permit it."""
    c = b.corridor[w]
    ahead = min(max(int((s + 0.5 * speed * PLAN_KNOT_S) / STEP_M), 0), ways.samples[c] - 1)
    accel: float = min(want, max((ways.cap[c, ahead] - speed) / _FREE_GAIN_S, -_EASE_MPS2))
    for q in range(ways.stop.shape[1]):
        gap = ways.stop[c, q, 0] - s - front
        if ways.stop[c, q, 1] >= 0.0 or gap == math.inf or gap < -1.0 or int(ways.stop[c, q, 2]) == b.served[w]:
            continue
        accel = min(accel, idm(speed, 1e3, gap + 2.0, 0.0, 0.6, PACE.accel_mps2, PACE.brake_mps2))
    return accel


@jit("void", CORRIDORS, BRANCHES, "i8", "f8", "f8[:]")
def pose_beside(ways: Corridors, b: Branches, w: int, s: float, out: Array) -> None:
    """Fill ``out`` [3] with the pose that branch ``w`` wants at ``s``."""
    c = b.corridor[w]
    u = s / STEP_M
    i = min(max(math.floor(u), 0), ways.samples[c] - 2)
    r = u - i
    k = min(max(r, 0.0), 1.0)
    h = ways.heading[c, i] + k * (ways.heading[c, i + 1] - ways.heading[c, i])
    x = ways.x[c, i] + r * (ways.x[c, i + 1] - ways.x[c, i])
    y = ways.y[c, i] + r * (ways.y[c, i + 1] - ways.y[c, i])
    u = s - b.begin[w]
    d = shift(u, b.length[w], b.d0[w], b.slope[w], b.d1[w])
    later, sooner = (
        shift(u + 0.5, b.length[w], b.d0[w], b.slope[w], b.d1[w]),
        shift(u - 0.5, b.length[w], b.d0[w], b.slope[w], b.d1[w]),
    )
    along = max(1.0 - ways.curvature[c, i] * d, 0.2)
    out[0], out[1], out[2] = x - d * math.sin(h), y + d * math.cos(h), h + math.atan2(later - sooner, along)


@jit(
    "void", CORRIDORS, BRANCHES, AGENT_STATE, LIGHT_ARRAYS, "b1[:]", "i4[:]", "f8", "i8", "f8[:,:]", "f8[:,:]",
    "f8[:,:]", allocates=True,
)  # fmt: skip
def plan_ahead(
    ways: Corridors, b: Branches, st: AgentState, lights: LightArrays, active: NDArray[np.bool_],
    ego: NDArray[np.int32], rear: float, knots: int, start: Array, accel: Array, curvature: Array,
) -> None:  # fmt: skip
    """Fill ``start`` [W, 4] and the first ``knots`` (4 or 16) of ``accel`` and ``curvature`` [W, 16].

    The first knot does not depend on ``knots``.
    """
    pose = np.empty((PLAN_KNOTS, 3))
    for w in range(len(active)):
        if not active[w]:
            continue
        e, c = ego[w], b.corridor[w]
        h, v = st.heading[w, e], st.speed[w, e]
        x, y = st.x[w, e] - rear * st.cos[w, e], st.y[w, e] - rear * st.sin[w, e]
        start[w, 0], start[w, 1], start[w, 2], start[w, 3] = x, y, h, v
        front = rear + 0.5 * st.length[w, e]
        s, _ = project(ways, c, x, y, b.s[w], 25.0)
        b.s[w] = s
        want = b.pace[w]
        for q in range(ways.stop.shape[1]):
            if ways.stop[c, q, 1] < 0.0 and v < 0.3 and abs(ways.stop[c, q, 0] - s - front) < 3.0:
                b.served[w] = int(ways.stop[c, q, 2])
        if want == FOLLOW:
            want = max(behind_leaders(ways, b, w, st, lights, e, front, v), -GENTLE_MPS2)
            want = min(want, PACE.accel_mps2)
        v = max(v, 0.0)
        for k in range(knots):
            a = paced(ways, b, w, s, v, front, want)
            accel[w, k] = a
            after = max(v + a * PLAN_KNOT_S, 0.0)
            length = 0.5 * (v + after) * PLAN_KNOT_S
            if v + a * PLAN_KNOT_S < 0.0:
                length = 0.5 * v * v / -a
            i = min(max(int(s / STEP_M), 0), ways.samples[c] - 1)
            d = shift(s - b.begin[w], b.length[w], b.d0[w], b.slope[w], b.d1[w])
            s += length / max(1.0 - ways.curvature[c, i] * d, 0.2)
            pose_beside(ways, b, w, s, pose[k])
            turn = wrap_angle(pose[k, 2] - (h if k == 0 else pose[k - 1, 2]))
            guess = 0.0 if k == 0 else curvature[w, k - 1]
            if length > 0.3:
                guess = min(max(turn / length, -_CURVATURE_MAX), _CURVATURE_MAX)
            curvature[w, k] = guess
            v = after
        fit_curvature(pose[:FITTED], start[w], accel[w, :FITTED], curvature[w, :FITTED])
        if knots > FITTED:
            at = start[w].copy()
            for k in range(FITTED):
                at[0], at[1], at[2], at[3] = advance(
                    at[0], at[1], at[2], at[3], accel[w, k], curvature[w, k], PLAN_KNOT_S
                )
            fit_curvature(pose[FITTED:knots], at, accel[w, FITTED:knots], curvature[w, FITTED:knots])
