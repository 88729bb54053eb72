"""G5 and G6: what the traces are worth, and how long the planner takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from waytrace.evaluate.result import load_result
from waytrace.evaluate.schema import RowRecord, TraceRecord
from waytrace.scenario import number_of

from .clusters import design
from .exact import holm
from .pairs import Judged, Pairs, judged, pair
from .policy import Policy
from .scores import family_p, family_reach
from .verdict import NOT_JUDGED, GateError, Outcome, Verdict

FIGURES: dict[str, Callable[[TraceRecord], tuple[int, int]]] = {
    "claims about the scene that are true": lambda t: (t.true, t.true + t.false),
    "claims about the scene that can be told": lambda t: (t.true + t.false, t.true + t.false + t.undetermined),
    "claims about the plan that hold": lambda t: (t.plan_true, t.plan_true + t.plan_false),
}
"""What is counted and over how many, of one scene."""


def g5(pairs: Pairs, policy: Policy) -> Outcome:
    """G5: trace figures beside the baseline's and beside their ceiling, what the expert's own traces get.

    Figures are means over scenes of the share in each scene. "Regressed" where one is lower (the planners of whole
    clusters swapped, Holm over the figures), or below the policy's floor times its ceiling.
    Raises :class:`GateError` where the policy has a floor and there is no figure, or no ceiling, to hold to it.
    """
    title = "traces"
    ceiling = judged(load_result(policy.traces.ceiling)) if policy.traces.ceiling else None
    if ceiling is not None:
        pair(ceiling, pairs.baseline, partial=policy.partial, called="baseline")
    rows, p_values = [], []
    for name, of in FIGURES.items():
        found = _figure(pairs, name, of, ceiling, policy.alpha.traces)
        if found is None:
            continue
        rows.append(found)
        p_values.append(found["p"])
    if policy.traces.floor and (ceiling is None or not rows or any(row["ceiling"] is None for row in rows)):
        raise GateError(
            "The policy has a floor under the traces, which needs traces of the candidate, of the baseline and of a "
            "ceiling: `eval --traces`, and `ceiling` under [traces]."
        )
    if not rows:
        silent = sum(row.trace is not None for row in pairs.baseline.rows.values())
        beside = f"; the baseline has them of {number_of(silent, 'scene')}" if silent else ""
        return Outcome("G5", title, NOT_JUDGED, f"no traces in both results (waytrace eval --traces){beside}")
    details, fell = [], False
    for row, p in zip(rows, holm(p_values), strict=True):
        row["p_holm"] = p
        worse = p <= policy.alpha.traces
        below = row["ceiling"] is not None and row["after"] < policy.traces.floor * row["ceiling"]
        fell = fell or worse or below
        of_ceiling = ""
        if row["ceiling"] is not None:
            of_ceiling = f", {row['after'] / row['ceiling']:.1%} of the ceiling {row['ceiling']:.4f}"
        details.append(
            f"{row['figure']}: {row['before']:.4f} -> {row['after']:.4f}{of_ceiling} (p {p:.2g}; {_found(row)})"
            + (" BELOW THE FLOOR" if below else "")
            + (
                f"; {number_of(row['left_out'], 'scene')} left out, where the baseline alone has such claims"
                if row["left_out"]
                else ""
            )
        )
    says = f"{number_of(len(rows), 'figure')} over {number_of(rows[0]['scenes'], 'scene')}" + (
        "" if ceiling else "; no ceiling given"
    )
    told = any(row["detectable_effect"] is not None for row in rows)
    state = str(Verdict.REGRESSED if fell else Verdict.EQUIVALENT if told else NOT_JUDGED)
    return Outcome("G5", title, state, says, tuple(details), {"figures": rows})


def _found(row: dict[str, Any]) -> str:
    reach = row["detectable_effect"]
    return "too few layouts to find any drop" if reach is None else f"a drop of {reach:.4f} would be found"


def _figure(
    pairs: Pairs, name: str, of: Callable[[TraceRecord], tuple[int, int]], ceiling: Judged | None, alpha: float
) -> dict[str, Any] | None:
    kept, before, after, left_out = [], [], [], 0
    for k, scene in enumerate(pairs.ids):
        left, right = _share(pairs.baseline, scene, of), _share(pairs.candidate, scene, of)
        if left is not None and right is not None:
            kept.append(k)
            before.append(left)
            after.append(right)
        left_out += left is not None and right is None
    if not kept:
        return None
    whole = design(["all"] * len(kept), [pairs.rows[k].cluster for k in kept])
    difference = np.array(after) - np.array(before)
    tops = [s for scene in pairs.ids if ceiling is not None and (s := _share(ceiling, scene, of)) is not None]
    reach = float(family_reach(whole, difference, alpha / len(FIGURES)))
    return {
        "figure": name,
        "scenes": len(kept),
        "left_out": left_out,
        "before": float(np.mean(before)),
        "after": float(np.mean(after)),
        "p": float(family_p(whole, difference)[0]),
        "detectable_effect": reach if reach <= 1.0 else None,
        "ceiling": float(np.mean(tops)) if tops else None,
    }


def _share(result: Judged, scene: str, of: Callable[[TraceRecord], tuple[int, int]]) -> float | None:
    row = result.rows.get(scene)
    if row is None or row.trace is None:
        return None
    held, asked = of(row.trace)
    return held / asked if asked else None


def g6(pairs: Pairs, policy: Policy) -> Outcome:
    """G6: the planner's time for a decision, as a multiple of a fixed piece of work measured beside it.

    What is compared is the multiple, so that a slower or a busier machine does not look like a slower planner; it is
    the median over scenes. "Regressed" where it rose by more than the policy's factor.
    Raises :class:`GateError` where the policy asks for it and a result has no timings.
    """
    title = "latency"
    after, before = (_multiple(of) for of in (pairs.candidate, pairs.baseline))
    if after is None or before is None:
        if policy.latency.required:
            raise GateError("The policy asks for latencies, which a result lacks: evaluate it with this version.")
        return Outcome("G6", title, NOT_JUDGED, "a result holds no latencies")
    factor = after / before
    state = Verdict.REGRESSED if factor > policy.latency.most else Verdict.EQUIVALENT
    says = (
        f"{before:.1f} -> {after:.1f} times the reference work: factor {factor:.2f}, at most {policy.latency.most:.2f}"
    )
    figures = {"before": before, "after": after, "factor": factor, "most": policy.latency.most}
    return Outcome("G6", title, str(state), says, (), figures)


def _multiple(result: Judged) -> float | None:
    found = [_relative(row) for row in result.rows.values() if row.latency is not None]
    return float(np.median(found)) if found else None


def _relative(row: RowRecord) -> float:
    assert row.latency is not None
    return row.latency.median_ms / row.latency.reference_ms
