"""``waytrace baseline set``: a result becomes the baseline, for a reason that is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Make a result the baseline of its suite. The folder it leaves is meant to be committed."""

    result: Annotated[Positional[Path], arg(metavar="RESULT")]
    """Result folder of `waytrace eval`."""
    reason: Annotated[str, arg(metavar="TEXT")]
    """Why; it is kept in the baseline's history."""
    out: Annotated[Path | None, arg(metavar="FOLDER", help_behavior_hint="(default: baselines/SUITE)")] = None
    """The baseline's folder."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Write the baseline and a line of its history."""
    from waytrace.evaluate import load_result
    from waytrace.evaluate.gate import GateError, set_baseline
    from waytrace.evaluate.gate.baseline import FOLDER

    result = load_result(options.result)
    suite = str(result.meta.get("suite", ""))
    if options.out is None and Path(suite).name != suite:
        raise GateError(f"Suite {suite!r} names no folder: say where the baseline goes, with --out FOLDER.")
    folder = options.out or FOLDER / suite
    line = set_baseline(result, options.reason, folder)
    before = line["before"][:16] if line["before"] else "none"
    output.say(f"Baseline {before} -> {line['result_hash'][:16]}: {line['planner']} on {line['suite']}")
    output.say(f"Baseline: {folder}")
    output.finish({"baseline": str(folder), **line})
    return 0
