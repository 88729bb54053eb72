"""Closed-loop evaluation: planners by name, worker processes, results, intervals."""

from .agreement import Agreement, Annotation, AnnotationError, agreement, read_annotations
from .audit import audit, audit_lines
from .audit_tools import ToolError
from .drive import REPLAN_TICKS, drive
from .load import PlannerError, load_planner
from .moments import Moment, moments
from .reference import Reference, cache_folder, reference
from .result import Result, aggregate, load_result
from .run import evaluate
from .statistics import mean_interval
from .suite_store import suite_store
from .suites import Suite, SuiteError, SuiteScene, load_suite, suite_names

__all__ = [
    "REPLAN_TICKS",
    "Agreement",
    "Annotation",
    "AnnotationError",
    "Moment",
    "PlannerError",
    "Reference",
    "Result",
    "Suite",
    "SuiteError",
    "SuiteScene",
    "ToolError",
    "aggregate",
    "agreement",
    "audit",
    "audit_lines",
    "cache_folder",
    "drive",
    "evaluate",
    "load_planner",
    "load_result",
    "load_suite",
    "mean_interval",
    "moments",
    "read_annotations",
    "reference",
    "suite_names",
    "suite_store",
]
