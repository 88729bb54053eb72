"""``waytrace baseline log``: how a baseline came to be what it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """List every change of a baseline with its reason, and check that it is what the last of them left."""

    baseline: Annotated[Positional[Path], arg(metavar="FOLDER")]
    """The baseline's folder."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Print the history, oldest first."""
    from waytrace.cli.tables import number
    from waytrace.evaluate.gate import GateError, history, load_baseline

    lines = history(options.baseline)
    if not lines:
        raise GateError(f"{options.baseline} is no baseline: `waytrace baseline set RESULT --reason TEXT` makes one.")
    load_baseline(options.baseline)
    rows = [
        [line["time"], line["planner"], number(line["score"], 4), line["result_hash"][:16], line["reason"]]
        for line in lines
    ]
    output.table(["time", "planner", "score", "result", "reason"], rows, text_columns=2)
    output.finish({"baseline": str(options.baseline), "changes": lines})
    return 0
