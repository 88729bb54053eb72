"""Every proposal driven forward: a path, a speed profile, and the model of a careful driver behind those ahead."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import F8, I4, F8x2, F8x3, F8x4, I4x2, bundle, jit
from waytrace.scenario.paths import STEP_M
from waytrace.sim.traffic.idm import idm

from ..speed import DRIVER, TICK_S, Driver
from .forecast import STEPS

Array = NDArray[np.float64]

TICKS = 80

PULL_OUT_M = 4.0
STANDING_MPS = 0.3
PASSES_MPS = 1.0
"""Who is faster than this across the path passes through it."""

URGENT_MPS2 = 2.2
UNEASY_MPS2 = -4.05
"""Braking harder than this is uncomfortable whatever follows, and is let go quickly."""

SETTLE_S = 1.0
"""Time constant with which the allowed speed is approached, without going beyond it."""


class Paths(NamedTuple):
    """All lateral options: Q paths of up to S samples each, and road users in their base's coordinates."""

    x: F8x2
    y: F8x2
    heading: F8x2
    curvature: F8x2
    stretch: F8x2
    offset: F8x2
    cap: F8x2
    """[Q, S] speed allowed, m/s (limit, curves, occlusions), braking ahead included."""
    samples: I4
    """[Q] samples."""
    base: I4
    """[Q] number of the base path."""
    place: F8x4
    """[bases, 41, A, 6] s, d, half extents along and across, speeds along and across; s infinite for off it."""
    zone: F8x3
    """[bases, Z, 2] where crossing traffic's way lies across a base, s from and to; infinity pads."""
    zone_lane: I4x2
    """[bases, Z] whose way it is; -1 pads."""


PATHS = bundle(Paths)


class Proposals(NamedTuple):
    """J proposals: which path, how fast, where to stop."""

    path: I4
    share: F8
    """Share of the allowed speed that is wanted."""
    stop_s: F8
    """Where the front bumper comes to rest; infinity for nowhere."""
    brake: F8
    """Constant deceleration, m/s2, that overrides everything; 0 for none."""
    foresight_s: F8
    """Road users who will be on the path within this time already count as leaders."""
    moves: F8
    """1 where the path leaves its lane, else 0."""
    release_s: F8
    """From this time on ``then_s`` holds instead of ``stop_s``; infinity for never."""
    then_s: F8


def single(path: int, moves: float = 0.0) -> Proposals:
    """One proposal: a path at the allowed speed, without a stop."""
    rest = (1.0, np.inf, 0.0, 0.0, moves, np.inf, np.inf)
    return Proposals(np.array([path], np.int32), *(np.array([value]) for value in rest))


PROPOSALS = bundle(Proposals)

X, Y, HEADING, SPEED, ACCEL, CURVATURE, S = range(7)


@jit("f8", "f8", "f8", DRIVER)
def stop_accel(v: float, gap: float, driver: Driver) -> float:
    """Acceleration to come to rest ``gap`` metres on: none while the stop is far, then a constant, gentle braking."""
    if gap <= 0.3:
        return -max(1.5, v * 2.0) if v > 0.0 else 0.0
    need = v * v / (2.0 * gap)
    if need > 0.8 * driver.brake_mps2:
        return -need * 1.05
    return idm(v, 1.0e3, gap + 2.0, 0.0, 0.6, driver.accel_mps2, driver.brake_mps2)


@jit("f8", "f8", "f8", "f8", "f8", DRIVER)
def behind(v: float, gap: float, lead: float, lead_accel: float, driver: Driver) -> float:
    """Acceleration behind one leader that does not overreact to one who cuts in close without being slower.

    The intelligent driver model, softened where braking harder than constant accelerations call for (Kesting, Treiber
    and Helbing 2010, https://doi.org/10.1098/rsta.2010.0084, equations 2.5 and 2.6, coolness 0.97).
    """
    gap = max(gap, 0.1)
    accel = idm(v, 1.0e3, gap, lead, driver.headway_s, driver.accel_mps2, driver.brake_mps2)
    closing = v - lead
    if lead * closing <= -2.0 * gap * lead_accel:
        calm = v * v * lead_accel / max(lead * lead - 2.0 * gap * lead_accel, 1e-6)
    else:
        calm = lead_accel - (closing * closing / (2.0 * gap) if closing > 0.0 else 0.0)
    if accel >= calm:
        return accel
    b = driver.brake_mps2
    return 0.03 * accel + 0.97 * (calm + b * math.tanh((accel - calm) / b))


@jit("f8,i8", PATHS, "i8", "i8", "i8", "f8", "f8", "f8", "f8", "f8", "f8", DRIVER)
def behind_one(
    paths: Paths, q: int, a: int, tick: int, s: float, v: float, front: float, half_width: float, foresight_s: float,
    spare: float, driver: Driver,
) -> tuple[float, int]:  # fmt: skip
    """(acceleration, how many half seconds ahead it is on the path) behind road user ``a``; infinity for not in it."""
    b = paths.base[q]
    step = tick // 2
    for look in range(1 + int(foresight_s / 0.5 + 0.5)):
        at = min(step + int(look * 2.5), STEPS - 1)
        sa, da = paths.place[b, at, a, 0], paths.place[b, at, a, 1]
        if sa == math.inf:
            continue
        along, across = paths.place[b, at, a, 2], paths.place[b, at, a, 3]
        if sa + along < s + front * 0.5 or sa - along > s + 150.0:
            continue
        i = min(max(int(sa / STEP_M), 0), paths.samples[q] - 1)
        room = half_width + across + 0.2
        aside = abs(da - paths.offset[q, i])
        if aside > room:
            continue
        gap = sa - along - s - front
        if gap < -1.0 and sa < s + 0.5 * front:
            continue
        drift = paths.place[b, at, a, 5]
        if abs(drift) > PASSES_MPS:  # crosses, and is gone when one gets there
            away = (da - paths.offset[q, i]) * math.copysign(1.0, drift)
            if (room - away) / abs(drift) < gap / max(v, 1.0) - 0.3:
                continue
        lead = max(0.0, paths.place[b, at, a, 4])
        if look > 0:
            arrives = gap / max(v, 1.0)
            if arrives < look * 0.5 - 0.7 or lead > 0.7 * v:
                continue
        later = min(at + 2, STEPS - 1)
        change = min(0.0, (paths.place[b, later, a, 4] - paths.place[b, at, a, 4]) / 0.4)
        if lead + abs(paths.place[b, at, a, 5]) < STANDING_MPS:
            gap = max(gap - spare, min(gap, 2.0))
        return behind(v, gap, lead, change if lead > 0.0 else 0.0, driver), look
    return math.inf, -1


@jit("f8", PATHS, "i8", "i8", "f8", "f8", "f8", "f8", "f8", "f8", DRIVER)
def behind_leaders(
    paths: Paths, q: int, tick: int, s: float, v: float, front: float, half_width: float, foresight_s: float,
    spare: float, driver: Driver,
) -> float:  # fmt: skip
    """Acceleration behind the most binding road user on path ``q`` at ``tick`` (0.1 s), infinity where none binds.

    ``spare`` metres more than usual are left behind someone who stands: room to pull out.
    """
    accel = math.inf
    for a in range(paths.place.shape[2]):
        need, _ = behind_one(paths, q, a, tick, s, v, front, half_width, foresight_s, spare, driver)
        accel = min(accel, need)
    return accel


@jit("void", PATHS, PROPOSALS, "i8", "f8[:,:]", "f8", "f8", DRIVER, "f8[:,:]", "i4[:]")
def agents_allow(
    paths: Paths, proposals: Proposals, j: int, rollout: Array, front: float, half_width: float, driver: Driver,
    out: Array, look: NDArray[np.int32],
) -> None:  # fmt: skip
    """Fill ``out`` [17, A] with the acceleration that each road user allows proposal ``j`` each 0.5 s of its roll-out.

    ``look`` [A] becomes the half seconds ahead at which each first mattered, -1 for those who never did.
    """
    look[:] = -1
    spare = PULL_OUT_M if proposals.stop_s[j] == math.inf else 0.0
    q, foresight = proposals.path[j], proposals.foresight_s[j]
    for k in range(len(out)):
        t = 5 * k
        s, v = rollout[t, S], rollout[t, SPEED]
        for a in range(paths.place.shape[2]):
            out[k, a], seen = behind_one(paths, q, a, t, s, v, front, half_width, foresight, spare, driver)
            if seen >= 0 and look[a] < 0:
                look[a] = seen


@jit("void", PATHS, PROPOSALS, "f8[:]", "f8", "f8", "f8", "f8", DRIVER, "f8[:]", "f8[:,:,:]")
def roll_out(
    paths: Paths, proposals: Proposals, axle: Array, accel_now: float, front: float, half_width: float,
    jerk: float, driver: Driver, s_start: Array, out: Array,
) -> None:  # fmt: skip
    """Fill ``out`` [J, 81, 7]: rear-axle x, y, heading, speed, acceleration, curvature, s; each 0.1 s.

    ``s_start`` [bases] is where the rear axle is now. Acceleration falls by at most ``jerk`` per second, faster
    only where more than ``URGENT_MPS2`` of braking is called for, and rises more slowly.
    """
    for j in range(len(proposals.path)):
        q = proposals.path[j]
        n = paths.samples[q]
        s, v, accel = s_start[paths.base[q]], axle[3], accel_now
        for t in range(TICKS + 1):
            u = s / STEP_M
            i = min(max(math.floor(u), 0), n - 2)
            r = u - i
            c = min(max(r, 0.0), 1.0)
            out[j, t, X] = paths.x[q, i] + r * (paths.x[q, i + 1] - paths.x[q, i])
            out[j, t, Y] = paths.y[q, i] + r * (paths.y[q, i + 1] - paths.y[q, i])
            out[j, t, HEADING] = paths.heading[q, i] + c * (paths.heading[q, i + 1] - paths.heading[q, i])
            out[j, t, SPEED] = v
            out[j, t, CURVATURE] = paths.curvature[q, i]
            out[j, t, S] = s
            want = -proposals.brake[j]
            if proposals.brake[j] <= 0.0:
                allowed = max(proposals.share[j] * paths.cap[q, i], 0.05)
                want = min(max((allowed - v) / SETTLE_S, -driver.brake_mps2), driver.accel_mps2)
                stop_s = proposals.stop_s[j] if t * TICK_S < proposals.release_s[j] else proposals.then_s[j]
                spare = PULL_OUT_M if stop_s == math.inf else 0.0
                ahead = behind_leaders(paths, q, t, s, v, front, half_width, proposals.foresight_s[j], spare, driver)
                want = min(want, ahead)
                if stop_s < math.inf:
                    gap = stop_s - s - front
                    want = min(want, stop_accel(v, gap, driver))
            down = jerk if want > -URGENT_MPS2 else jerk + 6.0 * (-URGENT_MPS2 - want)
            up = 0.9 * jerk if accel >= 0.0 else (jerk if accel > UNEASY_MPS2 else 3.0 * jerk)
            accel = min(max(want, accel - min(down, 15.0) * TICK_S), accel + up * TICK_S)
            accel = min(max(accel, -8.0), driver.accel_mps2)
            after = v + accel * TICK_S
            if after < 0.0:
                accel, after = -v / TICK_S, 0.0
            out[j, t, ACCEL] = accel
            s += 0.5 * (v + after) * TICK_S / paths.stretch[q, i]
            v = after


@jit("void", PATHS, "i8", "f8", "f8[:]", "f8[:,:]")
def trace_out(paths: Paths, q: int, s: float, speed: Array, out: Array) -> None:
    """Fill ``out`` [81, 7] as ``roll_out`` does with the drive on path ``q`` from ``s`` at given speeds [81]."""
    n = paths.samples[q]
    for t in range(len(out)):
        u = s / STEP_M
        i = min(max(math.floor(u), 0), n - 2)
        r = u - i
        c = min(max(r, 0.0), 1.0)
        out[t, X] = paths.x[q, i] + r * (paths.x[q, i + 1] - paths.x[q, i])
        out[t, Y] = paths.y[q, i] + r * (paths.y[q, i + 1] - paths.y[q, i])
        out[t, HEADING] = paths.heading[q, i] + c * (paths.heading[q, i + 1] - paths.heading[q, i])
        out[t, SPEED], out[t, CURVATURE], out[t, S] = speed[t], paths.curvature[q, i], s
        after = speed[min(t + 1, len(out) - 1)]
        out[t, ACCEL] = (after - speed[t]) / TICK_S
        s += 0.5 * (speed[t] + after) * TICK_S / paths.stretch[q, i]
