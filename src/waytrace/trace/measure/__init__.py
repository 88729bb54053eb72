"""A scene measured along the ego's path, and the rules of what is what in it; checker and labeller share them."""

from .conflicts import Conflict
from .measured import Measured, measure
from .motion import judge_motion, motion
from .others import Others
from .path import EgoPath
from .plan import PlanMeasured
from .relations import RULES, Related, judge_relation, relations
from .summary import Event, events, in_bin, judge_summary, summary

__all__ = [
    "RULES",
    "Conflict",
    "EgoPath",
    "Event",
    "Measured",
    "Others",
    "PlanMeasured",
    "Related",
    "events",
    "in_bin",
    "judge_motion",
    "judge_relation",
    "judge_summary",
    "measure",
    "motion",
    "relations",
    "summary",
]
