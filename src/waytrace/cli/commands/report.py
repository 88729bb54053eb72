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
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Write the report and say where it lies."""
    from waytrace.evaluate import load_result
    from waytrace.report import write_report
    from waytrace.scenario import WaytraceError

    if not options.results:
        raise WaytraceError("Which result? Give the folders that `waytrace eval` wrote.")
    folders = [load_result(path).path for path in options.results]
    page = write_report(folders, options.out)
    output.say(f"Report: {page}")
    output.finish({"report": str(page), "results": [str(path) for path in folders]})
    return 0
