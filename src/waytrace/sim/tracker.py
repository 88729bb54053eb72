"""Following a plan: feed-forward of its controls, feedback on the error, bounds on both and on their rates.

Lateral feedback is second order in the distance driven, critically damped: with lateral error ``d`` and heading error
``e``, curvature = plan's - d / L^2 - 2 e / L, where L is the distance of ``RESPONSE_S`` at the present speed.
"""

from __future__ import annotations

import math

from waytrace.geometry import jit, wrap_angle
from waytrace.scenario import DT_S

from .dynamics import ACCEL_MAX, ACCEL_MIN, CURVATURE_MAX, CURVATURE_MIN

JERK_LIMIT_MPS3 = 20.0
"""Bound on the rate of acceleration: hydraulic brakes reach 8 m/s2 in 0.4 s."""

CURVATURE_RATE_1PMS = 0.3
"""Bound on the rate of curvature at walking pace, 1/m per second: about 0.8 rad/s at the steered wheels."""

LATERAL_JERK_LIMIT_MPS3 = 30.0
"""At speed v the curvature rate is bounded by this over v^2 as well."""

RESPONSE_S = 0.5
MIN_RESPONSE_M = 3.0
SPEED_GAIN_1PS = 1.5
POSITION_GAIN_1PS2 = 1.0


@jit("f8", "f8", "f8", "f8")
def clamp(value: float, low: float, high: float) -> float:
    """``value`` within [low, high]."""
    return min(max(value, low), high)


@jit("f8,f8", "f8", "f8", "f8", "f8", "f8")
def bounded(
    speed: float, last_accel: float, last_curvature: float, accel: float, curvature: float
) -> tuple[float, float]:
    """Wanted controls within range and within what the last tick's controls can change to in one tick."""
    da = JERK_LIMIT_MPS3 * DT_S
    dk = min(CURVATURE_RATE_1PMS, LATERAL_JERK_LIMIT_MPS3 / max(speed * speed, 1.0)) * DT_S
    accel = clamp(clamp(accel, last_accel - da, last_accel + da), ACCEL_MIN, ACCEL_MAX)
    curvature = clamp(clamp(curvature, last_curvature - dk, last_curvature + dk), CURVATURE_MIN, CURVATURE_MAX)
    return accel, curvature


@jit("f8,f8", *["f8"] * 12)
def track(
    x: float, y: float, heading: float, speed: float, last_accel: float, last_curvature: float,
    ref_x: float, ref_y: float, ref_heading: float, ref_speed: float, accel: float, curvature: float,
) -> tuple[float, float]:  # fmt: skip
    """(acceleration, curvature) for the next tick, from rear axle, reference and the plan's own controls."""
    c, s = math.cos(ref_heading), math.sin(ref_heading)
    along = (x - ref_x) * c + (y - ref_y) * s
    across = -(x - ref_x) * s + (y - ref_y) * c
    turned = wrap_angle(heading - ref_heading)
    response = max(MIN_RESPONSE_M, RESPONSE_S * speed)
    want_accel = accel + SPEED_GAIN_1PS * (ref_speed - speed) - POSITION_GAIN_1PS2 * along
    want_curvature = curvature - across / (response * response) - 2.0 * turned / response
    return bounded(speed, last_accel, last_curvature, want_accel, want_curvature)
