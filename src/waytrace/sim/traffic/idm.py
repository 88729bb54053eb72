"""The intelligent driver model (Treiber, Hennecke and Helbing 2000, https://doi.org/10.1103/PhysRevE.62.1805)."""

from __future__ import annotations

import math

from waytrace.geometry import jit

STANDSTILL_GAP_M = 2.0
BRAKE_LIMIT_MPS2 = 8.0


@jit("f8", *["f8"] * 7)
def idm(
    speed: float, desired: float, gap: float, lead_speed: float, headway_s: float, accel_max: float, brake: float
) -> float:
    """Acceleration, m/s2, behind a leader ``gap`` metres ahead (infinity for none), within [-8, accel_max].

    Above the desired speed the free-road term is bounded at the comfortable braking, so that a lower limit makes no
    agent brake hard.
    """
    ratio = speed / max(desired, 0.1)
    free = accel_max * (1.0 - ratio * ratio * ratio * ratio)
    free = max(free, -brake)
    if gap == math.inf:
        return free
    wanted = STANDSTILL_GAP_M + max(
        0.0, speed * headway_s + speed * (speed - lead_speed) / (2.0 * math.sqrt(accel_max * brake))
    )
    ratio = wanted / max(gap, 0.1)
    return max(-BRAKE_LIMIT_MPS2, free - accel_max * ratio * ratio)
