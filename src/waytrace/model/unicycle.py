"""From what the control head says to a plan that can be driven: bounded controls, and the arcs they lead to.

Differentiable, and the same arcs as :func:`waytrace.sim.dynamics.integrate`: under constant controls its five ticks a
knot make one arc, so a knot is one step here. Always in float32 or wider.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from waytrace.scenario import ACCEL_RANGE_MPS2, CURVATURE_RANGE_1PM, PLAN_KNOT_S

ACCEL_STEP_MPS2 = 4.0
"""Most that the acceleration changes from one knot to the next."""
CURVATURE_STEP_1PM = 0.1
SLOWEST_MPS = 4.0
"""Below this speed a lateral acceleration is turned into curvature as if the ego drove this fast."""

_LOW, _HIGH = ACCEL_RANGE_MPS2
_MIDDLE, _HALF = 0.5 * (_LOW + _HIGH), 0.5 * (_HIGH - _LOW)
_SOFTNESS = -_MIDDLE
_ZERO = math.atanh(-_MIDDLE / _HALF)


def bounded(out_B16x2: Tensor, speed_B: Tensor) -> tuple[Tensor, Tensor]:
    """Acceleration and curvature [B, 16] from the head's pairs [B, 16, 2], for a start at ``speed_B``.

    The first of a pair bends into the range of accelerations, with 0 at 0; the second is a lateral acceleration in
    m/s2, divided by the square of the speed that the ego has by then. Neither changes faster than a plan may.
    """
    accels = _MIDDLE + _HALF * torch.tanh(out_B16x2[..., 0] / _SOFTNESS + _ZERO)
    lateral = out_B16x2[..., 1]
    speed, accel, curvature = speed_B, None, None
    kept_a, kept_c = [], []
    for k in range(out_B16x2.shape[1]):
        a = accels[:, k]
        c = (lateral[:, k] / speed.clamp(min=SLOWEST_MPS).square()).clamp(*CURVATURE_RANGE_1PM)
        if accel is not None and curvature is not None:
            a = a.clamp(accel - ACCEL_STEP_MPS2, accel + ACCEL_STEP_MPS2)
            c = c.clamp(curvature - CURVATURE_STEP_1PM, curvature + CURVATURE_STEP_1PM)
        accel, curvature = a, c
        kept_a.append(a)
        kept_c.append(c)
        speed = _after(speed, a)
    return torch.stack(kept_a, 1), torch.stack(kept_c, 1)


def _after(speed: Tensor, accel: Tensor) -> Tensor:
    """Speed after a knot: who brakes to a stop stays there; who reverses does not."""
    after = speed + accel * PLAN_KNOT_S
    return torch.where((after < 0.0) & (speed >= 0.0), torch.zeros_like(after), after)


def integrate(start_B4: Tensor, accel_B16: Tensor, curvature_B16: Tensor) -> Tensor:
    """Waypoints [B, 16, 4] (x, y, heading, speed of the rear axle, each 0.5 s) from ``start_B4``."""
    speeds = [start_B4[:, 3]]
    for k in range(accel_B16.shape[1]):
        speeds.append(_after(speeds[-1], accel_B16[:, k]))
    speed = torch.stack(speeds, 1)
    before, after = speed[:, :-1], speed[:, 1:]
    stops = (before + accel_B16 * PLAN_KNOT_S < 0.0) & (before >= 0.0)
    braking = torch.where(stops, accel_B16, -torch.ones_like(accel_B16))
    distance = torch.where(stops, -0.5 * before.square() / braking, 0.5 * (before + after) * PLAN_KNOT_S)
    half = 0.5 * curvature_B16 * distance
    heading = start_B4[:, 2:3] + 2.0 * half.cumsum(1)
    along = heading - half
    chord = distance * _sinc(half)
    x = start_B4[:, 0:1] + (chord * along.cos()).cumsum(1)
    y = start_B4[:, 1:2] + (chord * along.sin()).cumsum(1)
    return torch.stack([x, y, heading, after], -1)


def _sinc(x: Tensor) -> Tensor:
    """sin(x) / x; near 0 by its series, whose gradient does not cancel."""
    small = x.abs() < 0.1
    safe = torch.where(small, torch.ones_like(x), x)
    square = x.square()
    return torch.where(small, 1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0)), safe.sin() / safe)
