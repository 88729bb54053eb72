"""The planner that comes with the package, from nothing: ``make train-shipped``.

Scenes are generated, the expert says what it would do in them, a micro GPT learns that, drives, is corrected, learns
again; then it is scored, put into the package, and its card is written. Repeating the command goes on where it was cut
off, so it can be done in pieces (``--minutes``).
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from card import card
from waytrace.evaluate import evaluate, load_suite
from waytrace.learn.config import SftConfig
from waytrace.learn.dagger import Dagger, Drives, Round, run_dagger
from waytrace.learn.stages import OutOfTimeError, Stages
from waytrace.microgpt.checkpoint import SHIPPED, Checkpoint, checkpoint_hash, read_checkpoint, write_checkpoint
from waytrace.scenario import WaytraceError

ROOT = Path(__file__).resolve().parent.parent
CARD = ROOT / "docs" / "shipped.md"
SUITES = ("pr",)
"""What it is scored on: split select. Held-out scenes are for releases, by hand, with a reason."""

SCORED = ("trace", "trace:once", "decision_only", "decision_only:once", "fast")
"""How it is driven there: in every mode, with second thoughts and without."""

CLOSE = (
    "ccrs", "ccrm", "ccrb", "lead-braking", "cut-in", "cut-out", "parked-car", "pedestrian-occluded",
    "unprotected-left", "dense-lane-change", "four-way-stop",
)  # fmt: skip
"""Families in which there is little room or time: what a learner that drives well in general still gets wrong."""
STILL_CLOSE = (*CLOSE, "emergency-vehicle", "red-light")
"""The same, and what it touches at the end."""


def shipped() -> Dagger:
    """The experiment that the package's planner comes from."""
    first = SftConfig(
        samples=("filled in",), size="micro", steps=3_000, batch=64, optimiser="muon", muon_lr=1.5, lr=2e-3, lr_end=0.4,
        warmup=300, precision="bf16", ema=0.998, eval_every=1_000, eval_samples=1024, drive_every=3_000, seed=0,
    )  # fmt: skip
    train = (
        Drives("expert-1", "expert", 270, 400_000),
        Drives("expert-2", "expert", 306, 400_015),
        Drives("perturbed-1", "perturbed", 450, 410_000),
        Drives("perturbed-2", "perturbed", 540, 410_025),
    )
    select = (
        Drives("select-expert", "expert", 54, 900, "select"),
        Drives("select-perturbed", "perturbed", 72, 903, "select"),
    )
    rounds = (
        Round(Drives("policy-1", "policy", 540, 441_000), 1_500, 1.2e-3, 0.6),
        Round(Drives("policy-2", "policy", 726, 442_000, families=CLOSE), 1_500, 1.2e-3, 0.6),
        Round(Drives("policy-3", "policy", 726, 443_000, families=CLOSE), 4_000, 1.2e-3, 0.02),
        Round(Drives("policy-4", "policy", 728, 444_000, families=STILL_CLOSE), 4_000, 1.2e-3, 0.02, own_words=0.6),
    )
    return Dagger(sft=first, train=train, select=select, rounds=rounds, processes=2)


def tiny() -> Dagger:
    """The same in a few minutes, to see that it holds together. What comes out drives badly."""
    plan = shipped()
    first = replace(plan.sft, size="nano", steps=30, batch=16, warmup=5, eval_every=15, drive_every=0, ema=0.0)
    train, select = (
        tuple(replace(drives, count=4) for drives in sets) for sets in ((plan.train[0], plan.train[2]), plan.select[:1])
    )
    turn = replace(plan.rounds[0], drives=replace(plan.rounds[0].drives, count=4), steps=20)
    return replace(plan, sft=first, train=train, select=select, rounds=(turn,))


def score(
    checkpoint: Path, stages: Stages, suite: str, mode: str, *, limit: int | None, workers: int
) -> dict[str, Any]:
    """Closed-loop figures of a checkpoint in one mode on a suite, as a stage of its own."""
    chosen = load_suite(suite)
    if limit:
        chosen = chosen.first(limit, f"{suite}-{limit}", f"the first {limit} scenes of {suite}")
    name = f"{suite}-{mode.replace(':', '-')}"

    def driven() -> Mapping[str, Any]:
        result = evaluate(
            f"{checkpoint}:{mode}", chosen,
            out=stages.folder / "scores" / name, workers=workers, overwrite=False, progress=stages.advance,
        )  # fmt: skip
        kept = (
            "score", "score_interval", "count", "oracle_score", "at_fault_collision_rate", "off_road_rate",
            "result_hash",
        )  # fmt: skip
        families = {name: group["score"] for name, group in result.meta["families"].items()}
        return {name: result.meta[name] for name in kept} | {"failed": len(result.errors), "families": families}

    settings = {"checkpoint": checkpoint_hash(checkpoint), "limit": limit}
    return stages.run(f"score-{name}", settings, driven)


def export(checkpoint: Path, target: Path) -> None:
    """The weights alone, without what training goes on with, in place of what was there.

    Where the same weights are there already they stay, and with them their hash, which holds the code that wrote it.
    """
    read = read_checkpoint(checkpoint)
    if target.is_dir() and _same(read_checkpoint(target), read):
        return
    new = target.with_name(f"{target.name}-new")
    shutil.rmtree(new, ignore_errors=True)
    new.parent.mkdir(parents=True, exist_ok=True)
    write_checkpoint(new, read.parameters, read.config)
    shutil.rmtree(target, ignore_errors=True)
    new.rename(target)


def _same(one: Checkpoint, other: Checkpoint) -> bool:
    names = one.parameters.keys()
    return one.config == other.config and names == other.parameters.keys() and all(
        np.array_equal(one.parameters[name], other.parameters[name]) for name in names
    )  # fmt: skip


def main() -> int:
    """Run the experiment in pieces; 0 also where time is over and the command is to be repeated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "shipped", help="where all of it is kept")
    parser.add_argument("--minutes", type=float, default=0.0, help="what this piece may take (default: no limit)")
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    parser.add_argument("--tiny", action="store_true", help="a rehearsal of minutes; exports into --folder")
    given = parser.parse_args()
    plan = tiny() if given.tiny else shipped()
    target, page = (given.folder / "exported", given.folder / "shipped.md") if given.tiny else (SHIPPED, CARD)
    stages = Stages(given.folder, minutes=given.minutes, note=lambda text: print(text, file=sys.stderr, flush=True))
    try:
        checkpoint = run_dagger(plan, stages, workers=given.workers)
        limit = 2 if given.tiny else None
        for suite in SUITES:
            for mode in SCORED:
                score(checkpoint, stages, suite, mode, limit=limit, workers=given.workers)
    except OutOfTimeError as error:
        print(error)
        return 0
    except WaytraceError as error:
        print(f"train-shipped: {error}", file=sys.stderr)
        return 2
    export(checkpoint, target)
    page.write_text(card(plan, stages.stamps(), target))
    print(f"Exported: {target}\nCard: {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
