"""``waytrace label``: traces written by the labeller for the scenarios of a store."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Write a trace for every decision of the expert in every scenario. Repeat the command to continue a broken run."""

    scenarios: Annotated[Positional[Path], arg(metavar="STORE")]
    """A store of scenarios, from `waytrace scenarios import` or `generate`."""
    out: Annotated[Path, arg(metavar="FOLDER")]
    """Folder for the labels."""
    workers: Annotated[int, arg(help_behavior_hint="(default: all cores)")] = 0
    """Worker processes; the labels do not depend on it."""
    every: Annotated[float, arg(metavar="SECONDS")] = 0.5
    """Label a decision every so many seconds; the expert decides each half second."""
    verify: bool = False
    """Re-simulate without the cited causes, and mark the labels that this does not bear out."""
    runner_up: bool = False
    """Also the runner-up's trace and plan."""
    human: bool = False
    """Of recorded drives: label what the recorded driver did, not what the expert does."""
    purpose: Literal["train", "tune", "report"] = "train"
    """What the labels are for: only some splits may be used for each."""
    traffic: Literal["replay", "reactive", "mixed"] = "mixed"
    """How the others drive."""
    seed: int = 0
    """Seed of the traffic's noise."""
    limit: Annotated[int | None, arg(metavar="COUNT", help_behavior_hint="(default: all)")] = None
    """Only the first so many scenarios."""
    overwrite: bool = False
    """Discard what an earlier run left in the folder."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Label, and print the counts by family."""
    from waytrace.label import label_store

    with output.progress("labelling") as advance:
        labels = label_store(
            options.scenarios, options.out, workers=options.workers or os.cpu_count() or 1, purpose=options.purpose,
            every_s=options.every, runner_up=options.runner_up, verify=options.verify, human=options.human,
            traffic=options.traffic, seed=options.seed, limit=options.limit, overwrite=options.overwrite,
            progress=advance,
        )  # fmt: skip
    families = labels.families
    columns = ["scenarios", "decisions", "valid", "rejected", "unexplained", "truncated", "truncated_causes"]
    output.table(
        ["family", *(name.replace("_", " ") for name in columns)],
        [[family, *(str(tally[name]) for name in columns)] for family, tally in families.items()],
    )
    total = {name: sum(tally[name] for tally in families.values()) for name in [*columns, "verified"]}
    judged = total["verified"] + total["rejected"]
    if judged:
        output.say(f"Borne out by re-simulation: {total['verified']} of {judged} ({total['verified'] / judged:.1%})")
    output.say(f"Labels: {labels.path}")
    output.finish(
        {
            "labels": str(labels.path), **total,
            "families": {family: {name: tally[name] for name in columns} for family, tally in families.items()},
        }
    )  # fmt: skip
    return 0
