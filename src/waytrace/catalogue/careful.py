"""The careful-driver model: can a braking lead or a cut-in be survived by braking alone?

Reaction 0.75 s, then 0.774 g (SCORE: preventability; after the competent driver of UN Regulation No. 157, whose risk
perception delay and jerk limit are left out, so it is a little more forgiving).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MODEL = "careful driver: reaction 0.75 s, braking 0.774 g"
REACTION_S = 0.75
BRAKE_MPS2 = 0.774 * 9.81
LATERAL_NOTICE_M = 0.375
"""A vehicle that has drifted less than this from its lane's middle is not yet seen to cut in (Regulation No. 157)."""

_T = np.arange(0.0, 40.0, 0.02)


def travelled(speed_mps: float, brake_mps2: float, from_s: float, floor_mps: float = 0.0) -> NDArray[np.float64]:
    """Distance over time of a vehicle that brakes from ``from_s`` on down to ``floor_mps``; steps of 0.02 s."""
    braking = np.maximum(_T - from_s, 0.0)
    lasts = max(0.0, speed_mps - floor_mps) / brake_mps2
    held = np.minimum(braking, lasts)
    distance: NDArray[np.float64] = (
        speed_mps * np.minimum(_T, from_s) + speed_mps * held - 0.5 * brake_mps2 * held**2
        + min(speed_mps, floor_mps) * np.maximum(braking - lasts, 0.0)
    )  # fmt: skip
    return distance


def lead_braking_preventable(
    ego_mps: float, lead_mps: float, gap_m: float, brake_mps2: float, target_mps: float
) -> bool:
    """Whether the gap stays open when the lead brakes now and the ego brakes after its reaction."""
    lead = travelled(lead_mps, brake_mps2, 0.0, target_mps)
    ego = travelled(ego_mps, BRAKE_MPS2, REACTION_S)
    return bool((gap_m + lead - ego).min() > 0.0)


def cut_in_preventable(
    ego_mps: float, cutter_mps: float, gap_m: float, lateral_mps: float, lateral_gap_m: float
) -> bool:
    """Whether the ego, braking once it has noticed the drift, is behind the cutter whenever both share its lane.

    ``gap_m`` is from the ego's front to the cutter's rear as the change begins, ``lateral_gap_m`` between their sides.
    """
    noticed = LATERAL_NOTICE_M / lateral_mps + REACTION_S
    shared = lateral_gap_m / lateral_mps <= _T
    ahead = gap_m + cutter_mps * _T - travelled(ego_mps, BRAKE_MPS2, noticed)
    return bool(ahead[shared].min() > 0.0)
