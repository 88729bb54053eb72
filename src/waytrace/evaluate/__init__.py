"""Closed-loop evaluation: planners by name, worker processes, results, intervals."""

from .drive import REPLAN_TICKS, drive
from .load import PlannerError, load_planner
from .reference import Reference, cache_folder, reference
from .result import Result, aggregate, load_result
from .run import evaluate
from .statistics import mean_interval
from .suites import SUITES, suite_store

__all__ = [
    "REPLAN_TICKS",
    "SUITES",
    "PlannerError",
    "Reference",
    "Result",
    "aggregate",
    "cache_folder",
    "drive",
    "evaluate",
    "load_planner",
    "load_result",
    "mean_interval",
    "reference",
    "suite_store",
]
