"""The closed-loop score of a recorded drive, and what else is reported beside it."""

from .formula import MULTIPLIERS, TERMS, WEIGHTS, total
from .result import Event, ScenarioScore
from .rollout import progress_ratio, score_rollout

__all__ = [
    "MULTIPLIERS",
    "TERMS",
    "WEIGHTS",
    "Event",
    "ScenarioScore",
    "progress_ratio",
    "score_rollout",
    "total",
]
