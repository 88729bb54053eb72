"""``waytrace eval``: one planner in closed loop over many scenarios."""

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
    """Drive a planner through scenarios in closed loop and score it. Repeating the command continues a broken run."""

    planner: Annotated[Positional[str], arg(metavar="PLANNER")]
    """Built-in (constant-velocity, replay, idm, oracle, expert), installed entry point, or module:Class of your own."""
    scenarios: Annotated[Path | None, arg(metavar="STORE")] = None
    """A store of scenarios, from `waytrace scenarios import` or `generate`."""
    suite: Annotated[str | None, arg(metavar="NAME")] = None
    """A named suite of generated scenarios, instead of a store."""
    workers: Annotated[int, arg(help_behavior_hint="(default: all cores)")] = 0
    """Worker processes; the result does not depend on it."""
    traffic: Literal["replay", "reactive", "mixed"] = "mixed"
    """How the others drive: as recorded, by their own models, or recorded until they would strike the ego."""
    style: Literal["normal", "assertive"] = "normal"
    """How reactive traffic drives."""
    seed: int = 0
    """Seed of the traffic's noise."""
    limit: Annotated[int | None, arg(metavar="COUNT", help_behavior_hint="(default: all)")] = None
    """Only the first so many scenarios."""
    replan_ticks: int = 5
    """Ticks of 0.1 s between two plans."""
    timeout_s: float = 300.0
    """Seconds one scenario may take before the planner counts as failed on it."""
    out: Annotated[Path | None, arg(metavar="FOLDER", help_behavior_hint="(default: one under out/eval)")] = None
    """Result folder."""
    overwrite: bool = False
    """Discard what an earlier evaluation left in the result folder."""
    report: bool = True
    """Write the HTML report beside the result."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Evaluate, print the table, write the report; 1 if the planner failed on a scenario."""
    from waytrace.cli.tables import failures, interval_text, score_table
    from waytrace.evaluate import evaluate, suite_store
    from waytrace.scenario import WaytraceError

    if options.scenarios is not None and options.suite is None:
        store = options.scenarios
    elif options.suite is not None and options.scenarios is None:
        store = suite_store(options.suite, note=output.note)
    else:
        raise WaytraceError("Say what to drive: either --scenarios STORE or --suite NAME.")
    with output.progress(f"{options.planner} drives") as advance:
        result = evaluate(
            options.planner, store, out=options.out, workers=options.workers or os.cpu_count() or 1,
            traffic=options.traffic, style=options.style, seed=options.seed, limit=options.limit,
            replan_ticks=options.replan_ticks, timeout_s=options.timeout_s, overwrite=options.overwrite,
            admitted_only=options.suite is not None,
            progress=advance,
        )  # fmt: skip
    score_table(output, {options.planner: result})
    failures(output, options.planner, result)
    page = None
    if options.report and result.ids:
        from waytrace.report import write_report

        page = write_report([result.path], result.path / "report")
    meta = result.meta
    output.say(f"Score {interval_text(meta)} over {meta['count']} scenarios; hash {meta['result_hash'][:16]}")
    output.say(f"Result: {result.path / 'result.json'}")
    if page:
        output.say(f"Report: {page}")
    output.finish(
        {
            "result": str(result.path / "result.json"),
            "result_hash": meta["result_hash"],
            "planner": options.planner,
            "suite": options.suite or meta["suite"],
            "scenarios": meta["count"],
            "errors": result.errors,
            "score": meta["score"],
            "score_interval": meta["score_interval"],
            "at_fault_collision_rate": meta["at_fault_collision_rate"],
            "families": {name: group["score"] for name, group in meta["families"].items()},
            "admitted": meta["admitted"],
            "sources": {name: group["score"] for name, group in meta["sources"].items()},
            "report": str(page) if page else None,
        }
    )
    return 1 if result.errors else 0
