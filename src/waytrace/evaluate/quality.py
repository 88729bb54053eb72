"""What a result says of its planner's traces and plans as a whole: groundedness and stability, with intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .statistics import mean_interval

Row = Mapping[str, Any]
"""One scene of ``result.json``."""


@dataclass(frozen=True)
class Quality:
    """A figure that is worked out scene by scene; the result's is the mean over the scenes in which it was asked."""

    name: str
    about: str
    of: Callable[[Row], tuple[float, float] | None]
    """(sum, over how many) of one scene; None where it was not asked."""
    unit: str = ""
    """Empty for a share."""


def quality(rows: Sequence[Row], *, admitted_only: bool = False) -> dict[str, dict[str, Any]]:
    """By name ``value``, ``interval`` (95 %, over clusters of scenes; None where nothing can be said) and ``scenes``.

    Figures that no scene was asked for are left out. With ``admitted_only`` scenes that the oracle cannot drive
    without breaking a rule are, as in the mean score.
    """
    kept = [row for row in rows if row["oracle"]["clean"] or not admitted_only]
    out = {}
    for figure in FIGURES:
        found = [(part[0] / part[1], row["cluster"]) for row in kept if (part := figure.of(row)) and part[1]]
        if found:
            values, clusters = zip(*found, strict=True)
            out[figure.name] = {
                "value": math.fsum(values) / len(values),
                "interval": mean_interval(values, clusters, most=math.inf if figure.unit else 1.0),
                "scenes": len(values),
            }
    return out


def _claims(value: str) -> Callable[[Row], tuple[float, float] | None]:
    def of(row: Row) -> tuple[float, float] | None:
        said = row.get("trace")
        return None if not said else (said[value], said["true"] + said["false"] + said["undetermined"])

    return of


def _bound(row: Row) -> tuple[float, float] | None:
    said = row.get("trace")
    return None if not said else (said["plan_true"], said["plan_true"] + said["plan_false"])


def _words(count: str, over: str = "steps") -> Callable[[Row], tuple[float, float] | None]:
    def of(row: Row) -> tuple[float, float] | None:
        found = (row.get("trace") or {}).get("stability")
        return None if not found else (found[count], found[over])

    return of


def _plans(metres: str) -> Callable[[Row], tuple[float, float] | None]:
    def of(row: Row) -> tuple[float, float] | None:
        found = row.get("plan_stability")
        return None if not found else (found[metres], 1.0)

    return of


FIGURES = (
    Quality("claims_true", "claims about the scene that are true", _claims("true")),
    Quality("claims_false", "claims about the scene that are false", _claims("false")),
    Quality("claims_undetermined", "claims about the scene that cannot be told", _claims("undetermined")),
    Quality("plan_claims_true", "claims about the plan that hold, of those that can be told", _bound),
    Quality("flips", "steps that change the decision", _words("flips")),
    Quality("longitudinal_flips", "steps that change its longitudinal part", _words("longitudinal_flips")),
    Quality("lateral_flips", "steps that change its lateral part", _words("lateral_flips")),
    Quality("flickers", "steps that change it and are taken back within 1 s", _words("flickers")),
    Quality("causes_kept", "causes that stay from step to step", _words("causes_kept", "cause_steps")),
    Quality("plans_apart_2s_m", "a plan from the next one, after 2 s", _plans("apart_2s_m"), "m"),
    Quality("plans_apart_4s_m", "a plan from the next one, after 4 s", _plans("apart_4s_m"), "m"),
)
"""All of them, in the order in which they are shown. A step is from one decision to the next."""
