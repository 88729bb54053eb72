"""What the oracle says of a scenario."""

from __future__ import annotations

from dataclasses import dataclass

from waytrace.scenario import Rollout


@dataclass(frozen=True)
class OracleResult:
    """What the oracle makes of a scenario."""

    progress_m: float
    """Metres along the route, by the score's own measure."""
    clean: bool
    """Whether any drive kept every rule; else the figures are those of the one that kept them longest."""
    rollout: Rollout
    proposal: str
    """Which driver it was, or ``search``."""
    value: float
    """The score of the drive measured against ``bound_m``: what the search maximises among clean drives, 0 to 1."""
    score: float
    """The score of the drive measured against its own progress, 0 to 1: what the best planner could reach."""
    bound_m: float
    """Progress that nobody exceeds who keeps to the speed limits, metres."""

    def __float__(self) -> float:
        return self.progress_m
