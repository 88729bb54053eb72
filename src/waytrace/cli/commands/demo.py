"""``waytrace demo``: planners drive generated roads, with no data and no network."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output

PLANNERS = ("constant-velocity", "idm", "expert")


@dataclass
class Options:
    """Generate scenarios, let three planners drive them in closed loop, score them, and write a report to open."""

    out: Annotated[Path, arg(metavar="FOLDER")] = Path("out/demo")
    """Folder for scenarios, results and report; what an earlier demo left there is replaced."""
    per_family: int = 4
    """Scenarios of each family."""
    seed: int = 0
    """First seed of the scenarios, and the seed of the traffic."""
    workers: Annotated[int, arg(help_behavior_hint="(default: all cores)")] = 0
    """Worker processes; the result does not depend on it."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Print the table and where the report lies; 1 if a planner failed on a scenario."""
    from waytrace.catalogue import families, generate_many
    from waytrace.cli.tables import failures, score_table
    from waytrace.evaluate import Result, evaluate
    from waytrace.report import write_report
    from waytrace.scenario.store import ScenarioWriter

    began = time.monotonic()
    store = options.out / "scenarios"
    count = options.per_family * len(families("select"))
    with ScenarioWriter(store, overwrite=True) as writer, output.progress("generating scenarios") as advance:
        for done, scenario in enumerate(generate_many(count, split="select", seed=options.seed), start=1):
            writer.add(scenario)
            advance(done, count, scenario.id)
    results: dict[str, Result] = {}
    for name in PLANNERS:
        with output.progress(f"{name} drives") as advance:
            results[name] = evaluate(
                name,
                store,
                out=options.out / name,
                workers=options.workers or os.cpu_count() or 1,
                seed=options.seed,
                overwrite=True,
                progress=advance,
            )
    page = write_report([result.path for result in results.values()], options.out / "report")
    seconds = time.monotonic() - began
    score_table(output, results)
    for name, result in results.items():
        failures(output, name, result)
    output.say(f"{count} generated scenarios, {len(results)} planners, {seconds:.0f} s.")
    output.say(f"Report: {page.resolve()}")
    output.say("Open it in a browser. Next: waytrace eval PLANNER --scenarios " + str(store))
    output.finish(
        {
            "store": str(store),
            "scenarios": count,
            "results": {name: str(result.path / "result.json") for name, result in results.items()},
            "scores": {name: result.meta["score"] for name, result in results.items()},
            "errors": {name: result.errors for name, result in results.items()},
            "report": str(page.resolve()),
            "seconds": round(seconds, 1),
        }
    )
    return 1 if any(result.errors for result in results.values()) else 0
