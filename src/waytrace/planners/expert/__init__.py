"""The rule-based expert: its planner, its configuration and its certificate."""

from .certificate import Certificate, Constraint, Rejected
from .config import ExpertConfig
from .planner import Expert

__all__ = ["Certificate", "Constraint", "Expert", "ExpertConfig", "Rejected"]
