"""What scoring one drive yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class Event:
    """One thing that went wrong at one tick: a contact, or a red light."""

    row: int
    """Row of the rollout in which it began."""
    time_s: float
    """Seconds since the closed loop began."""
    kind: str
    """``front``, ``stopped_track``, ``lateral``, ``rear``, ``stopped_ego`` (contacts) or ``red_light``."""
    at_fault: bool
    agent_id: str
    """The other road user, or the id of the connector that was entered on red."""
    cause: str
    """One sentence: what happened and why the ego does or does not answer for it."""


@dataclass(frozen=True)
class ScenarioScore:
    """How one drive of one scenario is judged."""

    scenario_id: str
    score: float
    """0..1, :func:`waytrace.score.total` of ``terms``."""
    terms: dict[str, float]
    """By symbol (NC DAC MP DDC TLC EP TTC SL C); only the ones that apply."""
    applied: tuple[str, ...]
    """Symbols of ``terms`` in the order of the formula."""
    ticks: dict[str, NDArray[Any]]
    """Per row of the rollout [T]: collision, at_fault, red_light (0 or 1), off_road_m, wrong_way_m (over 1 s), ttc_s
    (infinity: none within 3 s), speed_limit_mps and overspeed_mps (NaN where no limit), lon_accel_mps2,
    lat_accel_mps2, jerk_mps3, lon_jerk_mps3, yaw_rate_radps, yaw_accel_radps2, progress_m. Rows that are not scored,
    because the recording has ended, are NaN (0 in the flags)."""
    figures: dict[str, float]
    """ade_m, fde_m (logs only), pdms, epdms (logs only), min_ttc_s (at most 3), collision, off_road, at_fault (number
    of contacts), red_light, progress_m, reference_progress_m, scored_s. A figure that cannot be had is absent."""
    events: tuple[Event, ...] = ()
