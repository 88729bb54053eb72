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

PLANNERS = ("constant-velocity", "idm", "shipped", "expert")


@dataclass
class Options:
    """Generate the scenes of suite smoke, let four planners drive them, score them, and write a report to open.

    The learned one among them, ``shipped``, says in a trace why it drives as it does; the report shows what it says.
    """

    out: Annotated[Path, arg(metavar="FOLDER")] = Path("out/demo")
    """Folder for results and report; what an earlier demo left there is replaced."""
    limit: Annotated[int | None, arg(metavar="COUNT", help_behavior_hint="(default: all)")] = None
    """Only the first so many scenes of the suite."""
    workers: Annotated[int, arg(help_behavior_hint="(default: all cores)")] = 0
    """Worker processes; the result does not depend on it."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Print the table and where the report lies; 1 if a planner failed on a scenario."""
    from waytrace.cli.tables import failures, score_table
    from waytrace.evaluate import Result, evaluate, load_suite, suite_store
    from waytrace.report import write_report
    from waytrace.scenario import number_of

    began = time.monotonic()
    suite = load_suite("smoke")
    store, _ = suite_store(suite, note=output.note)
    results: dict[str, Result] = {}
    for name in PLANNERS:
        with output.progress(f"{name} drives") as advance:
            results[name] = evaluate(
                name,
                suite,
                out=options.out / name,
                workers=options.workers or os.cpu_count() or 1,
                limit=options.limit,
                overwrite=True,
                traces=name == "shipped",
                progress=advance,
            )
    page = write_report([result.path for result in results.values()], options.out / "report")
    seconds = time.monotonic() - began
    score_table(output, results)
    for name, result in results.items():
        failures(output, name, result)
    count = len(results[PLANNERS[0]].ids)
    output.say(f"{number_of(count, 'scene')} of suite {suite.name}, {len(results)} planners, {seconds:.0f} s.")
    output.say(f"Report: {page.resolve()}")
    output.say("Open it in a browser. Next: waytrace eval PLANNER --suite smoke")
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
