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
    """Built-in (constant-velocity, replay, idm, oracle, expert), entry point, module:Class or http://host:port/path."""
    scenarios: Annotated[Path | None, arg(metavar="STORE")] = None
    """A store of scenarios, from `waytrace scenarios import` or `generate`."""
    suite: Annotated[str | None, arg(metavar="NAME")] = None
    """A frozen suite, or a suite file of your own; with --scenarios for the recorded drives of one that has them."""
    reason: Annotated[str, arg(metavar="TEXT", help_behavior_hint="(for held-out suites)")] = ""
    """What a held-out suite is opened for; it is logged."""
    workers: Annotated[int, arg(help_behavior_hint="(default: all cores)")] = 0
    """Worker processes; the result does not depend on it."""
    traffic: Literal["replay", "reactive", "mixed"] = "mixed"
    """How the others drive: as recorded, by their own models, or recorded until they would strike the ego."""
    style: Literal["normal", "assertive", "changing"] = "normal"
    """How reactive traffic drives."""
    seed: int = 0
    """Seed of the traffic's noise."""
    limit: Annotated[int | None, arg(metavar="COUNT", help_behavior_hint="(default: all)")] = None
    """Only the first so many scenarios."""
    replan_ticks: int = 5
    """Ticks of 0.1 s between two plans."""
    timeout_s: float = 300.0
    """Seconds one scenario may take before the planner counts as failed on it."""
    traces: bool = False
    """Record a trace for every decision, of planners that give traces or certificates."""
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
    from waytrace.cli.tables import failures, interval_text, quality_table, score_table
    from waytrace.evaluate import Suite, evaluate, load_suite, suite_store
    from waytrace.evaluate.load import planner_label
    from waytrace.evaluate.openings import openings, openings_file
    from waytrace.scenario import WaytraceError, number_of

    asked: Path | Suite
    if options.suite is not None:
        asked = load_suite(options.suite)
        suite_store(asked, options.scenarios, note=output.note)
    elif options.scenarios is not None:
        asked = options.scenarios
    else:
        raise WaytraceError("Say what to drive: --scenarios STORE or --suite NAME.")
    with output.progress(f"{planner_label(options.planner)} drives") as advance:
        result = evaluate(
            options.planner, asked, drives=options.scenarios, out=options.out,
            workers=options.workers or os.cpu_count() or 1,
            traffic=options.traffic, style=options.style, seed=options.seed, limit=options.limit,
            replan_ticks=options.replan_ticks, timeout_s=options.timeout_s, overwrite=options.overwrite,
            reason=options.reason, traces=options.traces, progress=advance,
        )  # fmt: skip
    label = planner_label(options.planner)
    score_table(output, {label: result})
    recorded = result.path / "traces.jsonl"
    if recorded.exists():
        quality_table(output, result)
    failures(output, label, result)
    page = None
    if options.report and result.ids:
        from waytrace.report import write_report

        page = write_report([result.path], result.path / "report")
    meta = result.meta
    output.say(
        f"Score {interval_text(meta)} over {number_of(meta['count'], 'scenario')}; hash {meta['result_hash'][:16]}"
    )
    if isinstance(asked, Suite):
        all_scenes = meta["unfiltered"]
        output.say(
            f"Unfiltered, with scenes that the oracle fails: {interval_text(all_scenes)} over {all_scenes['count']}"
        )
        if asked.held_out:
            output.say(f"Suite {asked.name} has been opened {openings(asked.name)} times, by {openings_file()}")
    output.say(f"Result: {result.path / 'result.json'}")
    if recorded.exists():
        output.say(f"Traces: {recorded}")
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
            "unfiltered_score": meta["unfiltered"]["score"],
            "oracle_score": meta["oracle_score"],
            "at_fault_preventable_rate": meta["at_fault_preventable_rate"],
            "suite_hash": meta["suite_hash"],
            "families": {name: group["score"] for name, group in meta["families"].items()},
            "admitted": meta["admitted"],
            "sources": {name: group["score"] for name, group in meta["sources"].items()},
            "report": str(page) if page else None,
            "traces": str(recorded) if recorded.exists() else None,
            "quality": meta["quality"],
        }
    )
    return 1 if result.errors else 0
