"""How a checkpoint drives: a fixed small part of suite ``pr``, in closed loop, by the NumPy planner."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from waytrace.evaluate import Suite, evaluate, load_suite
from waytrace.scenario.splits import ALLOWED, Purpose, SplitError

SUITE = "pr"


def scenes(count: int, suite: str = SUITE) -> Suite:
    """A suite of ``count`` scenes taken evenly from ``suite``, so that its families are all there.

    Raises :class:`SplitError` for a suite that a checkpoint may not be chosen by.
    """
    whole = load_suite(suite)
    forbidden = set(whole.splits) - set(ALLOWED[Purpose.TUNE])
    if forbidden:
        raise SplitError(f"Suite {suite} holds scenes of split {', '.join(forbidden)}: no run may be steered by it.")
    count = min(count, len(whole.scenes))
    chosen = tuple(whole.scenes[k * len(whole.scenes) // count] for k in range(count))
    return replace(whole, name=f"{suite}-{count}", about=f"{count} scenes of {suite}, evenly", scenes=chosen)


def drive_checkpoint(
    checkpoint: Path, out: Path, *, count: int, workers: int = 1, mode: str = "trace"
) -> dict[str, Any]:
    """Figures of a checkpoint in closed loop; the result folder is left at ``out``.

    ``score`` is the mean over admitted scenes, ``at_fault`` the share of them with an at-fault collision, ``families``
    name to score, ``failed`` the scenes on which the planner raised. It drives without second thoughts, which would
    make up for what a training is watched for.
    """
    result = evaluate(f"{checkpoint}:{mode}:once", scenes(count), out=out, workers=workers, overwrite=True)
    shutil.rmtree(out / "logs", ignore_errors=True)
    meta = result.meta
    return {
        "score": meta["score"],
        "score_interval": meta["score_interval"],
        "at_fault": meta["at_fault_collision_rate"],
        "off_road": meta["off_road_rate"],
        "oracle_score": meta["oracle_score"],
        "scenes": meta["count"],
        "failed": len(result.errors),
        "families": {name: group["score"] for name, group in meta["families"].items()},
        "terms": meta["terms"],
    }
