"""G3: at-fault collisions and red lights, which are too rare for means."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.evaluate.schema import RowRecord

from .clusters import Design, estimate
from .exact import fewest, holm, mcnemar, sign_flips
from .pairs import Judged, Pairs
from .policy import Policy
from .scores import LEVEL, default_margin
from .verdict import GateError, Outcome, Verdict

KINDS: dict[str, str] = {"at_fault": "at-fault collisions", "red_light": "red lights"}


def happened(row: RowRecord, kind: str) -> bool:
    """Whether the drive of a scene holds an event of ``kind``."""
    return (row.figures.get(kind) or 0.0) > 0.0


def g3(pairs: Pairs, policy: Policy) -> Outcome:
    """G3: exact tests on the pairs that changed, every new event by scene, and the pinned never-fail list.

    Each kind has a verdict, and the worst is the gate's: fewer collisions do not pay for red lights that may be more.
    A scene that the candidate failed on counts as an event of both kinds: whoever does not drive avoids nothing.
    Raises :class:`GateError` where a never-fail scene is none of the suite.
    """
    alpha = policy.alpha.events
    details, p_values = [], []
    figures: dict[str, Any] = {}
    margin = policy.events.margin or default_margin(int(pairs.counted.sum()))
    for kind, name in KINDS.items():
        before, after = _flags(pairs, kind)
        found = _counts(pairs.design, before[pairs.counted], after[pairs.counted])
        p_values.append((found["p_more"], found["p_fewer"]))
        new = [pairs.ids[k] for k in np.flatnonzero(after & ~before)]
        figures[kind] = found | {"new_scenes": new}
        details += [f"new {name[:-1]}: {scene}{_cause(pairs.candidate, scene, kind)}" for scene in new]
    more, fewer = (holm(p) for p in zip(*p_values, strict=True))
    states = []
    for kind, p, p_better in zip(KINDS, more, fewer, strict=True):
        figures[kind]["p_holm"] = p
        states.append(_state(p, p_better, figures[kind]["upper"], alpha, margin))
    pinned = _pinned(pairs.candidate, policy)
    details = [f"NEVER-FAIL scene: {scene}: {what}" for scene, what in pinned] + details
    order = (Verdict.REGRESSED, Verdict.INCONCLUSIVE, Verdict.IMPROVED, Verdict.EQUIVALENT)
    state = Verdict.REGRESSED if pinned else min(states, key=order.index)
    parts = [
        f"{KINDS[kind]} {f['before']} -> {f['after']} ({f['new']} new, {f['gone']} gone, p {f['p_holm']:.2g})"
        for kind, f in figures.items()
    ]
    reach = fewest(alpha / len(KINDS))
    says = "; ".join(parts) + f"; {reach} new events in as many layouts and none gone would be found"
    if pinned:
        says = f"{len(pinned)} never-fail scenes failed; {says}"
    figures |= {"margin": margin, "detectable_events": reach, "never_fail": [scene for scene, _ in pinned]}
    return Outcome("G3", "collisions and red lights", str(state), says, tuple(details), figures)


def _state(more: float, fewer: float, upper: float, alpha: float, margin: float) -> Verdict:
    if more <= alpha:
        return Verdict.REGRESSED
    if fewer <= alpha:
        return Verdict.IMPROVED
    return Verdict.EQUIVALENT if upper <= margin else Verdict.INCONCLUSIVE


def _flags(pairs: Pairs, kind: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    rows = pairs.candidate.rows
    before = np.array([happened(pairs.baseline.rows[i], kind) for i in pairs.ids])
    after = np.array([i not in rows or happened(rows[i], kind) for i in pairs.ids])
    return before, after


def _counts(design: Design, before: NDArray[np.bool_], after: NDArray[np.bool_]) -> dict[str, Any]:
    new, gone = int((after & ~before).sum()), int((before & ~after).sum())
    change = after.astype(np.float64) - before
    net = design.sums(change).astype(np.int64)
    return {
        "before": int(before.sum()),
        "after": int(after.sum()),
        "new": new,
        "gone": gone,
        "p_more": sign_flips(net),
        "p_fewer": sign_flips(-net),
        "p_mcnemar": mcnemar(new, gone),
        "upper": _upper(design, change),
    }


def _upper(design: Design, change: NDArray[np.float64]) -> float:
    """Upper bound of the change in the rate, by Student's t over the clusters; 0 where nothing changed."""
    from scipy.special import stdtrit

    found = estimate(design, change)
    if not np.isfinite(found.se):
        return 1.0
    return float(found.mean + stdtrit(found.df, (1 + LEVEL) / 2) * found.se)


def _pinned(candidate: Judged, policy: Policy) -> list[tuple[str, str]]:
    unknown = [scene for scene in policy.never_fail if scene not in candidate.ids]
    if unknown:
        raise GateError(f"never_fail names {', '.join(unknown[:3])}: no scene of {candidate.record.suite}.")
    failed = []
    for scene in policy.never_fail:
        if scene in candidate.crashed:
            failed.append((scene, f"the planner failed: {candidate.crashed[scene]}"))
        elif kinds := [name for kind, name in KINDS.items() if happened(candidate.rows[scene], kind)]:
            failed.append((scene, ", ".join(kinds)))
    return failed


def _cause(candidate: Judged, scene: str, kind: str) -> str:
    if scene in candidate.crashed:
        return f": the planner failed: {candidate.crashed[scene]}"
    red = kind == "red_light"
    events = [e for e in candidate.rows[scene].events if e.at_fault and (e.kind == "red_light") == red]
    return f" at {events[0].time_s:.1f} s: {events[0].cause}" if events else ""
