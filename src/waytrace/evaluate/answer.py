"""What a planner hands over, looked at before it is used, so that what is wrong is said in the planner's name."""

from __future__ import annotations

from typing import Any

import numpy as np

from waytrace.scenario import PLAN_KNOTS, Plan, WaytraceError
from waytrace.trace import Trace

SHAPES: dict[str, tuple[int, ...]] = {
    "start": (4,), "accel_mps2": (PLAN_KNOTS,), "curvature_1pm": (PLAN_KNOTS,), "waypoints": (PLAN_KNOTS, 4),
}  # fmt: skip
"""Of one row of a plan."""


class AnswerError(WaytraceError):
    """A planner's answer is no plan. The message says what came and what is expected."""


def checked(answer: Any, rows: int, planner: Any) -> tuple[Plan, Any, Any]:
    """The answer of ``planner.plan`` for so many rows: (plan, traces or None, state).

    Raises :class:`AnswerError` where it is not three things, where the first is not a plan of that many rows, where
    the plan holds values that are not finite, and where there are traces, but not one (or None) a row.
    """
    who = str(getattr(planner, "name", type(planner).__name__))
    if not isinstance(answer, tuple) or len(answer) != 3:
        came = f"{len(answer)} things" if isinstance(answer, tuple) else type(answer).__name__
        raise AnswerError(f"{who}.plan() gave {came}; it has to give three: a plan, traces or None, its state.")
    plan, traces, state = answer
    if not isinstance(plan, Plan):
        raise AnswerError(f"{who}.plan() gave {type(plan).__name__} for a plan; waytrace.planners.make_plan makes one.")
    for name, each in SHAPES.items():
        shape = (rows, *each)
        values = np.asarray(getattr(plan, name))
        if values.shape != shape:
            raise AnswerError(f"{who}.plan() gave {name} of shape {values.shape}; {shape} is expected.")
        if not np.isfinite(values).all():
            raise AnswerError(f"{who}.plan() gave {name} with values that are not finite.")
    if traces is not None and (not hasattr(traces, "__len__") or len(traces) != rows):
        raise AnswerError(f"{who}.plan() gave traces that are not one for each of {rows} rows.")
    for trace in traces if traces is not None else ():
        if trace is not None and not isinstance(trace, Trace):
            raise AnswerError(
                f"{who}.plan() gave {type(trace).__name__} for a trace; waytrace.trace.compose makes one, and None is "
                "none."
            )
    return plan, traces, state
