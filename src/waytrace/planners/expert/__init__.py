"""The rule-based expert: its planner, its configuration and its certificate."""

from .certificate import CONSTRAINTS, Certificate, Choice, Considered, Constraint, Rejected
from .config import ExpertConfig
from .foresight import Foresight
from .planner import Expert

__all__ = [
    "CONSTRAINTS",
    "Certificate",
    "Choice",
    "Considered",
    "Constraint",
    "Expert",
    "ExpertConfig",
    "Foresight",
    "Rejected",
]
