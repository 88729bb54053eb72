"""Models of a driver who only brakes: can a braking lead, a cut-in or a cut-out be survived?

The careful driver is the competent driver of UN Regulation No. 157, Annex 3, without its further 0.4 s of risk
perception; the other is the response that the same regulation asks of a system.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Driver:
    """Reacts after ``reaction_s``, then brakes with ``brake_mps2``, reached evenly within ``ramp_s``."""

    name: str
    reaction_s: float
    brake_mps2: float
    ramp_s: float

    def stopping_s(self, speed_mps: float) -> float:
        """Seconds that the way to a halt takes at the undiminished speed."""
        return self.reaction_s + 0.5 * self.ramp_s + speed_mps / (2.0 * self.brake_mps2)


CAREFUL = Driver("careful driver: reaction 0.75 s, then 0.774 g within 0.6 s", 0.75, 0.774 * 9.81, 0.6)
REGULATION = Driver("regulation: reaction 0.35 s, then 6 m/s2", 0.35, 6.0, 0.0)

LATERAL_NOTICE_M = 0.375
"""A vehicle that has drifted less than this from its lane's middle is not yet seen to cut in (Regulation No. 157)."""

_STEP_S = 0.02
_T = _STEP_S * np.arange(2000)


def travelled(
    speed_mps: float, brake_mps2: float, from_s: float, floor_mps: float = 0.0, ramp_s: float = 0.0
) -> NDArray[np.float64]:
    """Distance over time (steps of 0.02 s) of a vehicle that brakes from ``from_s`` on, down to ``floor_mps``.

    The deceleration rises evenly over ``ramp_s`` and then holds.
    """
    braking = np.maximum(_T - from_s, 0.0)
    if ramp_s > 0.0:
        rising = np.minimum(braking, ramp_s)
        lost = 0.5 * brake_mps2 * rising**2 / ramp_s + brake_mps2 * (braking - rising)
    else:
        lost = brake_mps2 * braking
    speed = np.maximum(speed_mps - lost, min(speed_mps, floor_mps))
    distance: NDArray[np.float64] = np.concatenate([[0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1]) * _STEP_S)])
    return distance


def lead_braking_preventable(
    driver: Driver, ego_mps: float, lead_mps: float, gap_m: float, brake_mps2: float, target_mps: float
) -> bool:
    """Whether the gap stays open when the lead brakes now and the ego brakes after its reaction."""
    lead = travelled(lead_mps, brake_mps2, 0.0, target_mps)
    ego = travelled(ego_mps, driver.brake_mps2, driver.reaction_s, ramp_s=driver.ramp_s)
    return bool((gap_m + lead - ego).min() > 0.0)


def cut_in_preventable(
    driver: Driver, ego_mps: float, cutter_mps: float, gap_m: float, lateral_mps: float, lateral_gap_m: float
) -> bool:
    """Whether the ego, braking once it has noticed the drift, is behind the cutter whenever both share its lane.

    ``gap_m`` is from the ego's front to the cutter's rear as the change begins, ``lateral_gap_m`` between their sides.
    """
    noticed = LATERAL_NOTICE_M / lateral_mps + driver.reaction_s
    shared = lateral_gap_m / lateral_mps <= _T
    ahead = gap_m + cutter_mps * _T - travelled(ego_mps, driver.brake_mps2, noticed, ramp_s=driver.ramp_s)
    return bool(ahead[shared].min() > 0.0)


def uncovered_s(
    lead_width_m: float, obstacle_width_m: float, lead_away_m: float, obstacle_away_m: float, lateral_mps: float
) -> float:
    """Seconds from the begin of a cut-out until the ego sees past the lead to the obstacle; all in one lane's middle.

    Distances are from the ego's eyes to the rear of either. The line of sight passes the corner of the lead that moves
    away; one that has drifted less than ``LATERAL_NOTICE_M`` is not yet seen to cut out (Regulation No. 157, as for a
    cut-in), and a part of the obstacle that shows beside it warns nobody before.
    """
    drift = 0.5 * lead_width_m - 0.5 * obstacle_width_m * lead_away_m / obstacle_away_m
    return max(drift, LATERAL_NOTICE_M) / lateral_mps


def cut_out_preventable(driver: Driver, ego_mps: float, obstacle_mps: float, gap_m: float, seen_s: float) -> bool:
    """Whether the ego, braking once it has seen what the lead hid, stays behind it.

    ``gap_m`` is from the ego's front to the obstacle's rear as the cut-out begins; ``seen_s`` after that it is seen.
    """
    ego = travelled(ego_mps, driver.brake_mps2, seen_s + driver.reaction_s, ramp_s=driver.ramp_s)
    return bool((gap_m + obstacle_mps * _T - ego).min() > 0.0)
