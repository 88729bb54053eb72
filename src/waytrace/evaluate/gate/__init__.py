"""The gate: whether a planner may take the place of another."""

from .baseline import history, load_baseline, set_baseline
from .judge import Decision, gate
from .policy import Policy, load_policy
from .summary import effect_line, markdown_summary
from .verdict import GateError, Outcome, Verdict

__all__ = [
    "Decision",
    "GateError",
    "Outcome",
    "Policy",
    "Verdict",
    "effect_line",
    "gate",
    "history",
    "load_baseline",
    "load_policy",
    "markdown_summary",
    "set_baseline",
]
