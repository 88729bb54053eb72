"""How fast along a path: caps from limits and curves, and the intelligent driver model behind whoever is ahead."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import F8, bundle, jit
from waytrace.scenario.paths import PATH, STEP_M, Path
from waytrace.sim.traffic.idm import idm

Array = NDArray[np.float64]

TICK_S = 0.1


class Driver(NamedTuple):
    """Parameters of the intelligent driver model."""

    headway_s: float
    accel_mps2: float
    brake_mps2: float
    lateral_accel_mps2: float
    """Curves are driven at the speed of this lateral acceleration."""


DRIVER = bundle(Driver)


class Leaders(NamedTuple):
    """Who is ahead on a path at the start: rear bumpers, moving on at constant acceleration until they stand."""

    s: F8
    """Arc length of the nearest point, metres."""
    speed: F8
    accel: F8


LEADERS = bundle(Leaders)


@jit("void", PATH, "i8", "f8", "f8", DRIVER, "f8[:]")
def speed_caps(path: Path, count: int, unlimited: float, share: float, driver: Driver, out: Array) -> None:
    """Fill ``out`` with the speed allowed at each sample: ``share`` of the limit (``unlimited`` where there is none),
    the curve speed, and what braking comfortably for anything further on still allows.
    """
    for i in range(count):
        limit = path.limit[i]
        cap = share * (unlimited if math.isnan(limit) else limit)
        curvature = abs(path.curvature[i])
        if curvature > 1e-4:
            cap = min(cap, math.sqrt(driver.lateral_accel_mps2 / curvature))
        out[i] = cap
    for i in range(count - 2, -1, -1):
        reach = math.sqrt(out[i + 1] * out[i + 1] + 2.0 * driver.brake_mps2 * STEP_M)
        out[i] = min(out[i], reach)


@jit("void", PATH, "i8", "f8[:]", "f8", "f8", "f8", LEADERS, "f8", DRIVER, "f8[:]", "f8[:]")
def follow(
    path: Path, count: int, caps: Array, s0: float, v0: float, front: float, leaders: Leaders, stop_s: float,
    driver: Driver, s_out: Array, v_out: Array,
) -> None:  # fmt: skip
    """Fill ``s_out``, ``v_out`` [T + 1] with the drive along a path, each 0.1 s.

    ``front`` is the distance from the reference point to the front bumper; ``stop_s`` where the front bumper must come
    to rest (infinity for nowhere). Leaders brake on at their present deceleration, and do not accelerate.
    """
    s, v = s0, v0
    s_out[0], v_out[0] = s, v
    for t in range(1, len(s_out)):
        i = min(max(int(s / STEP_M), 0), count - 1)
        accel = idm(v, max(caps[i], 0.1), math.inf, 0.0, driver.headway_s, driver.accel_mps2, driver.brake_mps2)
        after = (t - 1) * TICK_S
        for k in range(len(leaders.s)):
            a, u = min(leaders.accel[k], 0.0), leaders.speed[k]
            until = after if a > -1e-3 else min(after, u / -a)
            at = leaders.s[k] + u * until + 0.5 * a * until * until
            gap = at - s - front
            accel = min(accel, idm(v, 1e3, gap, u + a * until, driver.headway_s, driver.accel_mps2, driver.brake_mps2))
        if stop_s < math.inf:
            gap = stop_s - s - front + 2.0  # the model keeps 2 m: the bumper is to come to rest at the line itself
            accel = min(accel, idm(v, 1e3, gap, 0.0, driver.headway_s, driver.accel_mps2, driver.brake_mps2))
        accel = min(max(accel, -8.0), driver.accel_mps2)
        after_v = max(0.0, v + accel * TICK_S)
        s += 0.5 * (v + after_v) * TICK_S / path.stretch[i]
        v = after_v
        s_out[t], v_out[t] = s, v
