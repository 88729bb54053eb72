"""``waytrace scenarios generate``: procedural scenarios into a store."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Make procedural scenarios. The same arguments always make the same ones."""

    out: Annotated[Path, arg(metavar="STORE")]
    """The store to write."""
    count: int = 70
    """How many, the families taken in turn."""
    families: Annotated[tuple[str, ...], arg(metavar="FAMILY...", help_behavior_hint="(default: all)")] = ()
    """Only these families."""
    split: Literal["train", "select", "test"] = "train"
    """Which of the three disjoint sets of seeds and road layouts."""
    seed: int = 0
    """First seed."""
    overwrite: bool = False
    """Replace a store that is already there."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Write the store and print the counts by family."""
    from waytrace.catalogue import generate_many
    from waytrace.scenario.store import ScenarioWriter

    made = generate_many(options.count, options.families or None, options.split, options.seed)
    by_family: Counter[str] = Counter()
    with (
        ScenarioWriter(options.out, overwrite=options.overwrite) as writer,
        output.progress("generating") as advance,
    ):
        for done, scenario in enumerate(made, start=1):
            writer.add(scenario)
            by_family[scenario.family] += 1
            advance(done, options.count, scenario.id)
    output.table(["family", "scenarios"], [[name, str(count)] for name, count in by_family.items()])
    output.say(f"Store: {options.out}")
    output.finish({"store": str(options.out), "scenarios": options.count, "families": dict(by_family)})
    return 0
