"""The kinematic check: every claim of a trace about the present judged against the scene and the plan."""

from .case import Case
from .judge import check
from .lines import check_lines, files_of
from .registry import RULES, rule_of
from .valid import validate

__all__ = ["RULES", "Case", "check", "check_lines", "files_of", "rule_of", "validate"]
