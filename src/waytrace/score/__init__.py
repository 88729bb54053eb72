"""The closed-loop score of a recorded drive, and what else is reported beside it."""

from .formula import MULTIPLIERS, TERMS, WEIGHTS, total
from .judge import progress_ratio
from .means import aggregate
from .navsim import PlanScore, epdms, pdms
from .result import Event, ScenarioScore
from .rollout import drive_terms, score_rollout

__all__ = [
    "MULTIPLIERS",
    "TERMS",
    "WEIGHTS",
    "Event",
    "PlanScore",
    "ScenarioScore",
    "aggregate",
    "drive_terms",
    "epdms",
    "pdms",
    "progress_ratio",
    "score_rollout",
    "total",
]
