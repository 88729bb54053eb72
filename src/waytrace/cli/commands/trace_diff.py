"""``waytrace trace diff``: what differs between two trace files."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Compare two trace files decision by decision, field by field. Ends with 1 if they differ."""

    left: Annotated[Positional[Path], arg(metavar="A")]
    """A trace file (JSON lines), or a folder of them."""
    right: Annotated[Positional[Path], arg(metavar="B")]
    """The other one."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Print every field that differs; 1 if there is one."""
    from itertools import chain

    from waytrace.scenario import number_of
    from waytrace.trace.check import files_of
    from waytrace.trace.diff import diff_files
    from waytrace.trace.file import read_traces

    left = chain.from_iterable(read_traces(file) for file in files_of(options.left))
    right = chain.from_iterable(read_traces(file) for file in files_of(options.right))
    found = list(diff_files(left, right))
    last = None
    for d in found:
        if (d.scenario, d.tick) != last:
            last = d.scenario, d.tick
            output.say(f"{d.scenario} tick {d.tick}")
        output.say(f"    {d.field}: {d.left} -> {d.right}" if d.left else f"    {d.field}: {d.right}")
    fields = Counter(d.field.split("[")[0] for d in found)
    moments = len({(d.scenario, d.tick) for d in found})
    output.say(f"{number_of(len(found), 'difference')} in {number_of(moments, 'decision')}." if found else "The same.")
    output.finish(
        {
            "left": str(options.left), "right": str(options.right), "differences": [d._asdict() for d in found],
            "decisions": moments, "fields": dict(fields),
        }
    )  # fmt: skip
    return 1 if found else 0
