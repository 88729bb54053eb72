"""``waytrace providers report``: which provider for what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Compare runs, recommend a default and say when to use each; without runs, what documents alone suggest.

    Live runs and dry runs stand in tables of their own, and only live ones are recommended from. No call is made.
    """

    runs: Annotated[Positional[tuple[Path, ...]], arg(metavar="RUN...")] = ()
    """Folders of `waytrace providers run`."""
    out: Annotated[Path, arg(metavar="FOLDER")] = Path("out/providers-report")
    """Folder to write to."""
    table: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: the packaged ones alone)")] = None
    """Rows of your own: providers, prices, rates of exchange (TOML)."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Write the report and say what it comes to."""
    from datetime import UTC, datetime

    from waytrace.providers import families, load_book, load_run, report_of, write_pages

    book, known = load_book(options.table), families()
    runs = []
    with output.progress("runs") as advance:
        for number, folder in enumerate(options.runs, 1):
            runs.append(load_run(folder, known))
            advance(number, len(options.runs), str(folder))
    report = report_of(runs, book, datetime.now(UTC).date())
    text, page = write_pages(report, options.out)
    output.say(report.headline)
    for line in report.why:
        output.say(f"  {line}")
    for line in report.warnings:
        output.note(f"warning: {line}")
    output.say(f"Report: {page} and {text}")
    output.finish(
        {
            "headline": report.headline, "why": list(report.why), "report": str(page), "markdown": str(text),
            "live": sum(r.mode == "live" for r in runs), "dry_run": sum(r.mode == "dry-run" for r in runs),
        }
    )  # fmt: skip
    return 0
