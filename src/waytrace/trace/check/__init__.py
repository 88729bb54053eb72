"""The kinematic check: every claim of a trace about the present judged against the scene and the plan."""

from .case import Case
from .judge import check
from .registry import RULES, rule_of

__all__ = ["RULES", "Case", "check", "rule_of"]
