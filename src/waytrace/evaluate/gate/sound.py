"""G0 to G2: whether there is anything to compare: whole results, the same result again, metrics that measure."""

from __future__ import annotations

import hashlib
import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from waytrace.evaluate.digest import hashed
from waytrace.scenario import number_of
from waytrace.score import total

from .clusters import design, estimate
from .exact import holm, mcnemar, sign_flips
from .pairs import Judged, Pairs, check_conditions, judged, pair
from .policy import Policy
from .scores import compare_scores
from .verdict import FAILED, NOT_JUDGED, PASSED, GateError, Outcome

_LISTED = 20


def g0(pairs: Pairs, policy: Policy) -> Outcome:
    """G0: the planner finished every scene, and the traces are those that were checked while it drove.

    Raises :class:`GateError` where the policy asks for traces and there are none.
    """
    candidate = pairs.candidate
    details = [f"planner failed: {scene}: {message}" for scene, message in candidate.crashed.items()]
    traced = sum(row.trace is not None for row in candidate.rows.values())
    if policy.traces.required and not traced:
        raise GateError(f"{candidate.result.path} holds no traces, and the policy asks for them: `eval --traces`.")
    if 0 < traced < len(candidate.rows):
        details += [f"no trace: {i}" for i, row in sorted(candidate.rows.items()) if row.trace is None]
    details += [
        f"traces of {row.trace.decisions} decisions of {row.plan_stability.steps} or more: {i}"
        for i, row in sorted(candidate.rows.items())
        if row.trace and row.plan_stability and row.trace.decisions < row.plan_stability.steps
    ]
    file = candidate.result.path / "traces.jsonl"
    if traced and file.exists() and _file_hash(file) != candidate.record.traces_hash:
        details.append(f"{file.name} is not the file of the evaluation: its hash differs")
    says = f"{len(candidate.rows)} of {number_of(len(candidate.ids), 'scene')} driven to their end"
    says += f", {len(candidate.crashed)} FAILED" if candidate.crashed else ""
    says += f"; traces of {traced}, every one checked as it was written" if traced else "; no traces recorded"
    says += "" if not traced or file.exists() else f" ({file.name} is not there to be compared)"
    figures = {"scenes": len(candidate.ids), "failed": sorted(candidate.crashed), "traced": traced}
    return Outcome("G0", "whole and valid", FAILED if details else PASSED, says, _cut(details), figures)


def g1(pairs: Pairs, again: Judged | None, policy: Policy) -> Outcome:
    """G1: a second evaluation of the candidate gives the same result, to the last bit, failures on the same scenes.

    Without one it is judged where candidate and baseline are of the same planner, code and environment: then they are
    two runs of one thing. A scene that the planner fails on has to fail again: that it failed is for G0 to say.
    Traces are compared where both have them; a second evaluation that was asked for has to have them too.
    Raises :class:`GateError` where ``again`` is the candidate itself or a copy, or of other scenes or conditions.
    """
    candidate = pairs.candidate
    title = "the same again"
    other = again
    if other is None and _same_thing(candidate, pairs.baseline):
        other = pairs.baseline
    if other is None:
        state = FAILED if policy.rerun.required else NOT_JUDGED
        return Outcome("G1", title, state, "no second result of the same candidate was given (--again)")
    if again is not None:
        if _one_evaluation(candidate, again):
            raise GateError(f"--again is {again.result.path}, the candidate itself: give a second evaluation of it.")
        check_conditions(candidate, again)
    left, right = candidate.record, other.record
    failed_once = sorted(candidate.crashed.keys() ^ other.crashed.keys())
    both = left.traces_hash is not None and right.traces_hash is not None
    traces_differ = left.traces_hash != right.traces_hash and (both or again is not None)
    differ = [
        i for i in sorted(candidate.rows.keys() & other.rows.keys()) if _hashed(candidate, i) != _hashed(other, i)
    ]  # fmt: skip
    equal = left.result_hash == right.result_hash and not (traces_differ or failed_once or differ)
    details = [f"failed one time of two: {i}" for i in failed_once] + [f"differs: {i}" for i in differ]
    if traces_differ:
        details.append("the traces differ" if both else "one of the two has no traces: evaluate both with --traces")
    if left.environment.get("hash") != right.environment.get("hash"):
        details.append("the environments differ too")
    says = f"result hash {left.result_hash[:16]}, again {right.result_hash[:16]}"
    figures = {"hash": left.result_hash, "again": right.result_hash}
    return Outcome("G1", title, PASSED if equal else FAILED, says, () if equal else _cut(details), figures)


def _same_thing(a: Judged, b: Judged) -> bool:
    left, right = a.record, b.record
    known = left.planner_digest is not None and right.planner_digest is not None
    same = (left.planner, left.planner_digest, left.code, left.environment.get("hash")) == (
        right.planner, right.planner_digest, right.code, right.environment.get("hash"),
    )  # fmt: skip
    return known and same and not _one_evaluation(a, b)


def _one_evaluation(a: Judged, b: Judged) -> bool:
    """Whether two results are one: the same folder, or a copy (as a baseline is), since no two take equally long."""
    if a.result.path.resolve() == b.result.path.resolve():
        return True
    timed = a.record.seconds is not None and a.record.seconds == b.record.seconds
    return timed and all(i in b.rows and row.seconds == b.rows[i].seconds for i, row in a.rows.items())


def _hashed(of: Judged, scene: str) -> dict[str, Any]:
    """What the result's hash covers of a scene, from the row itself: a file's word for its hash can be edited."""
    return hashed(of.result.row(scene))


GOLDEN: tuple[tuple[dict[str, float], float], ...] = (
    ({"NC": 1, "DAC": 1, "MP": 1, "DDC": 1, "TLC": 1, "EP": 1, "TTC": 1, "SL": 1, "C": 1}, 1.0),
    ({"NC": 1, "DAC": 1, "MP": 1, "DDC": 1, "TLC": 1, "EP": 0.5, "TTC": 1, "SL": 1, "C": 0}, 0.71875),
    ({"NC": 0.5, "DAC": 1, "MP": 1, "DDC": 0.5, "EP": 1, "TTC": 0, "SL": 1, "C": 1}, 0.171875),
    ({"NC": 0, "DAC": 1, "MP": 1, "DDC": 1, "TLC": 1, "EP": 1, "TTC": 1, "SL": 1, "C": 1}, 0.0),
    ({"NC": 1, "DAC": 1, "MP": 1, "DDC": 1, "TLC": 0, "EP": 1, "TTC": 1, "SL": 1, "C": 1}, 0.0),
    ({"NC": 1, "DAC": 1, "MP": 1, "DDC": 1, "EP": 0.8, "TTC": 1, "C": 1}, 11 / 12),
)
"""Terms and the score they give, worked out by hand from ``docs/score.md``."""


def g2(pairs: Pairs, policy: Policy) -> Outcome:
    """G2: the score and the statistics give what was worked out by hand; planners of known order are in that order."""
    wrong = [(terms, right) for terms, right in GOLDEN if not _near(total(terms), right)]
    details = [f"terms {terms}: {total(terms):.6f}, not {right:.6f}" for terms, right in wrong]
    details += _statistics()
    says = f"{len(GOLDEN)} golden vectors of the score, 5 of the statistics"
    results = [_of(path) for path in policy.metrics.order]
    for worse, better in pairwise(results):
        found = pair(better, worse, partial=True, called="planner of known order")
        low = compare_scores(found.design, found.before[found.counted], found.after[found.counted], 0.025).low
        if not low > 0:
            details.append(f"{better.name} is not shown to be above {worse.name}")
    if results:
        pair(results[0], pairs.baseline, partial=True)
        says += f"; {' < '.join(r.name for r in results)}"
    if policy.metrics.causes is not None:
        honest, lies = _liars(policy.metrics.causes)
        details += [f"the liar {name} ({f:.3f}) is not below the honest expert" for name, f in lies if not f < honest]
        says += f"; honest causes {honest:.3f}, liars at most {max(f for _, f in lies):.3f}"
    return Outcome("G2", "the metrics themselves", FAILED if details else PASSED, says, tuple(details))


def _liars(path: Path) -> tuple[float, list[tuple[str, float]]]:
    """(F of the honest expert, of every planted liar) in figures of ``waytrace causes``. Raises :class:`GateError`."""
    from waytrace.evaluate.causes.liars import LIARS  # causes rest on this package's statistics

    try:
        record = json.loads(path.read_text())
        voices = record["at"]["delta"]["voices"]
        found = {name: float(voices[name]["faithfulness"]["value"]) for name in ("honest", *LIARS)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GateError(f"{path} holds no figures of `waytrace causes`: {type(error).__name__} {error}.") from error
    return found.pop("honest"), list(found.items())


def _of(path: Path) -> Judged:
    from waytrace.evaluate.result import load_result

    return judged(load_result(path))


def _statistics() -> list[str]:
    """What the statistics give beside what was worked out by hand."""
    # Two strata, cluster means 1, 3 and 2, 4, 6; each stratum's mean has variance 1 and 4/3, weights 0.4 and 0.6.
    of = design(["a", "a", "b", "b", "b"], ["1", "2", "1", "2", "3"])
    found = estimate(of, np.array([1.0, 3.0, 2.0, 4.0, 6.0]))
    checks = (
        ("mean", float(found.mean), 3.2),
        ("standard error", float(found.se), math.sqrt(0.16 + 0.48)),
        ("McNemar", mcnemar(6, 1), 8 / 128),
        ("sign flips", sign_flips([2, 1, 1]), 0.125),
        ("Holm", holm([0.01, 0.04, 0.03])[1], 0.06),
    )
    return [f"{name}: {got:.6f}, not {right:.6f}" for name, got, right in checks if not _near(got, right)]


def _near(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12)


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _cut(lines: list[str]) -> tuple[str, ...]:
    more = len(lines) - _LISTED
    return (*lines[:_LISTED], *([f"... and {more} more"] if more > 0 else []))
