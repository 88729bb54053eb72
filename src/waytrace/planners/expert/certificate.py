"""The evidence of one decision: what bound, by how much, and what was turned down for which reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Constraint:
    """One thing that holds the acceleration down, on the chosen path."""

    name: str
    """One of the trace's constraints: ``headway``, ``stop_point``, ``cross_conflict``, ``speed_cap``, ..."""
    kind: str
    """``agent``, ``light``, ``lane`` or empty."""
    reference: int
    """The agent's, light's or lane's number in the scenario; -1 for none."""
    accel_mps2: float
    """What it allows now."""
    slack_mps2: float
    """What it allows beyond the most restrictive one; 0 for the one that binds."""


@dataclass(frozen=True)
class Rejected:
    """A lateral option or speed that lost, and the first term that it would have violated."""

    option: str
    share: float
    violates: str
    """A rule's name, or ``score`` where nothing is violated and something else is better."""
    reference: int
    """The agent's number in the scenario, -1 for none."""
    at_s: float
    margin: float
    """How much lower its score is than that of the chosen one."""


@dataclass(frozen=True)
class Certificate:
    """One decision of the expert."""

    option: str
    lane: int
    offset_m: float
    share: float
    stops: bool
    emergency: bool
    score: float
    constraints: tuple[Constraint, ...]
    rejected: tuple[Rejected, ...]
    runner_up: NDArray[np.float64] | None = None
    """[16, 4] rear-axle states each 0.5 s of the best proposal of another kind; None where there is none."""
