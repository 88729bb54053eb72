"""``waytrace scenarios import``: recorded drives into a store."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output

REFUSED_SHOWN = 20


@dataclass
class Options:
    """Read recorded drives into a store. Formats are recognised; what cannot be used is set aside with its reason."""

    paths: Annotated[Positional[list[Path]], arg(metavar="PATH...")]
    """Files, or folders to search."""
    out: Annotated[Path, arg(metavar="STORE")]
    """The store to write."""
    ego: Literal["recorded", "initial-state"] = "recorded"
    """Where a source has no ego log (CommonRoad): a recorded vehicle drives, or the planning problem's own start."""
    egos_per_file: int = 1
    """Where a source has no ego log: recorded vehicles that become an ego, one scenario each; 0 for all that can."""
    workers: Annotated[int, arg(help_behavior_hint="(default: all cores)")] = 0
    """Worker processes; the store does not depend on it."""
    strict: bool = False
    """Fail at the first bad file and leave no store."""
    overwrite: bool = False
    """Replace a store that is already there."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Import, then print counts by source and licence, the quality of what was imported, and what was refused."""
    from waytrace.formats import import_paths
    from waytrace.scenario import WaytraceError

    if not options.paths:
        raise WaytraceError("What is to be imported? Name files or folders of recorded drives.")
    with output.progress("importing") as advance:
        report = import_paths(
            options.paths,
            options.out,
            ego=options.ego,
            egos_per_file=options.egos_per_file,
            workers=options.workers or os.cpu_count(),
            strict=options.strict,
            overwrite=options.overwrite,
            progress=lambda p: advance(p.done, p.total, p.file.name),
        )
    record = report.as_dict()
    _print(record, output)
    output.finish(record)
    return 0


def _print(record: dict[str, Any], output: Output) -> None:
    from waytrace.scenario import number_of

    names = ("drives", "scenarios", "refused")
    rows = [[source, *(str(counts.get(n, 0)) for n in names)] for source, counts in record["by_source"].items()]
    output.table(["source", *names], rows)
    output.table(["licence", "scenarios"], [[name, str(count)] for name, count in record["by_licence"].items()])
    quality = record["quality"]
    figures = list(dict.fromkeys(figure for found in quality.values() for figure in found))
    output.table(
        ["how right it is", *quality], [[f, *(_figure(found.get(f)) for found in quality.values())] for f in figures]
    )
    bad = [entry for entry in record["refused"] if entry["kind"] != "document"]
    for entry in bad[:REFUSED_SHOWN]:
        output.say(f"refused: {entry['file']}: {entry['reason']}")
    if len(bad) > REFUSED_SHOWN:
        output.say(f"... and {len(bad) - REFUSED_SHOWN} more in {record['store']}/quarantine.json")
    output.say(
        f"{number_of(record['files'], 'file')}: {number_of(record['imported'], 'scenario')} from "
        f"{number_of(record['drives'], 'drive')}, {len(bad)} refused"
    )
    output.say(f"Store: {record['store']}")


def _figure(value: Any) -> str:
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
