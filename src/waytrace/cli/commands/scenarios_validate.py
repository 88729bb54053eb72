"""``waytrace scenarios validate``: check every scenario of a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Read a whole store: every byte against its hash, every scenario against what a scenario must be."""

    store: Annotated[Positional[Path], arg(metavar="STORE")]
    """The store."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """1 if anything is wrong."""
    from waytrace.scenario import check_scenario, number_of
    from waytrace.scenario.store import ScenarioStore

    store = ScenarioStore.open(options.store, verify="full")
    problems: dict[str, list[str]] = {}
    with output.progress("checking") as advance:
        for count, scenario in enumerate(store, start=1):
            if found := check_scenario(scenario):
                problems[scenario.id] = found
            advance(count, len(store), scenario.id)
    for name, found in problems.items():
        for problem in found:
            output.say(f"{name}: {problem}")
    output.say(f"{number_of(len(store), 'scenario')}, {len(problems)} with problems")
    output.finish({"store": str(options.store), "scenarios": len(store), "problems": problems})
    return 1 if problems else 0
