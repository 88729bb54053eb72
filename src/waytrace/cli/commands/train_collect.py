"""``waytrace train collect``: samples to learn from, driven and labelled at once."""

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
    """Drive, ask the expert at every decision, keep what it says. Repeat the command to continue a broken run."""

    out: Annotated[Positional[Path], arg(metavar="FOLDER")]
    """Folder for the samples."""
    driver: Literal["expert", "perturbed", "policy"] = "expert"
    """Who drives: the expert, the expert taken off its course now and then, or a planner."""
    planner: Annotated[str, arg(metavar="PLANNER", help_behavior_hint="")] = ""
    """Who drives as `policy`: anything that `waytrace eval` takes."""
    scenarios: Annotated[Path | None, arg(metavar="STORE", help_behavior_hint="(default: the catalogue)")] = None
    """Drive the scenarios of a store."""
    labels: Annotated[Path | None, arg(metavar="FOLDER", help_behavior_hint="")] = None
    """Ask nobody: drive again what `waytrace label` left of the store."""
    count: Annotated[int | None, arg(metavar="DRIVES", help_behavior_hint="(default: the whole store)")] = None
    """How many drives."""
    families: Annotated[tuple[str, ...], arg(metavar="FAMILY...", help_behavior_hint="(default: all)")] = ()
    """Only these families of the catalogue."""
    split: Literal["train", "select", "test"] = "train"
    """Split of the catalogue."""
    first_seed: int = 400_000
    """First seed of the catalogue; families take turns."""
    purpose: Literal["train", "tune", "report"] = "train"
    """What the samples are for: only some splits may be used for each."""
    share: float = 0.18
    """Of the decisions of `perturbed` that begin some noise."""
    traffic: Literal["replay", "reactive", "mixed"] = "mixed"
    """How the others drive."""
    seed: int = 0
    """Seed of all noise."""
    workers: Annotated[int, arg(help_behavior_hint="(default: all cores)")] = 0
    """Worker processes; the samples do not depend on it."""
    overwrite: bool = False
    """Discard what an earlier run left in the folder."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Collect, and print the counts by family."""
    from waytrace.learn import collect

    with output.progress("driving") as advance:
        store = collect(
            options.out, driver=options.driver, planner=options.planner, scenarios=options.scenarios or "",
            labels=options.labels or "", families=options.families or None, split=options.split,
            first_seed=options.first_seed, count=options.count, purpose=options.purpose, share=options.share,
            traffic=options.traffic, seed=options.seed, workers=options.workers or os.cpu_count() or 1,
            overwrite=options.overwrite, progress=advance,
        )  # fmt: skip
    manifest = store.manifests[0]
    columns = ["drives", "decisions", "runner_ups", "truncated", "crashed", "unpointable", "failed"]
    families = {
        family: {name: tally.get(name, 0) for name in columns} for family, tally in manifest["families"].items()
    }  # fmt: skip
    output.table(
        ["family", *(name.replace("_", " ") for name in columns)],
        [[family, *(str(tally[name]) for name in columns)] for family, tally in families.items()],
    )
    for id, text in manifest["failed"].items():
        output.say(f"FAILED {id}: {text}")
    total = {name: sum(tally[name] for tally in families.values()) for name in columns}
    output.say(f"Samples: {options.out} ({len(store)})")
    output.finish({"samples": str(options.out), "count": len(store), **total, "families": families})
    return 0
