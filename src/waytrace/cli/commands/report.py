"""``waytrace report``: static HTML from results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Write a report that opens from disk, with no network, for one planner or several side by side."""

    results: Annotated[Positional[list[Path]], arg(metavar="RESULT...")]
    """Result folders of `waytrace eval`."""
    out: Annotated[Path, arg(metavar="FOLDER")] = Path("out/report")
    """Folder to write to."""
    counterfactuals: Annotated[int, arg(metavar="COUNT")] = 0
    """Ask the expert for its plan without each cited cause, in the worst so many scenes that have traces."""
    gate: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: none)")] = None
    """Show what a gate said: what `waytrace gate --json` printed."""
    causes: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: none)")] = None
    """Show causal figures: a JSON object of names and numbers, with intervals where it has them."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Write the report and say where it lies."""
    from waytrace.evaluate import load_result
    from waytrace.report import Extras, read_causal, read_gate, write_report
    from waytrace.report.undo import undoing
    from waytrace.scenario import WaytraceError

    if not options.results:
        raise WaytraceError("Which result? Give the folders that `waytrace eval` wrote.")
    if options.counterfactuals < 0:
        raise WaytraceError("--counterfactuals is a number of scenes, 0 or more.")
    extras = Extras(
        gate=read_gate(options.gate) if options.gate else None,
        causal=read_causal(options.causes) if options.causes else None,
        undo=undoing() if options.counterfactuals else None,
        undo_scenes=options.counterfactuals,
    )
    folders = [load_result(path).path for path in options.results]
    if options.counterfactuals and not any(_traced(folder) for folder in folders):
        raise WaytraceError(
            "--counterfactuals is about what traces cite, and no result holds traces: run `waytrace eval --traces`."
        )
    with output.progress("pages") as advance:
        page = write_report(
            folders, options.out, extras=extras, progress=lambda done, total: advance(done, total, "")
        )  # fmt: skip
    output.say(f"Report: {page}")
    output.finish({"report": str(page), "results": [str(path) for path in folders]})
    return 0


def _traced(folder: Path) -> bool:
    file = folder / "traces.jsonl"
    return file.exists() and file.stat().st_size > 0
