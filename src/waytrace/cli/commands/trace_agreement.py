"""``waytrace trace agreement``: how far two files of answers agree."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Raw agreement and Cohen's kappa, slot by slot, of two exports of the annotation page, or one and traces."""

    a: Annotated[Positional[Path], arg(metavar="A")]
    """An export of the annotation page, or a traces file."""
    b: Annotated[Positional[Path], arg(metavar="B")]
    """Another."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Print the table."""
    from waytrace.evaluate.agreement import agreement, read_annotations
    from waytrace.scenario import number_of

    a, b = read_annotations(options.a), read_annotations(options.b)
    found = agreement(a, b)
    rows = []
    for one in found:
        low, high = (100 * bound for bound in one.raw_interval)
        kappa = "-" if one.kappa is None else f"{one.kappa:.2f}"
        bounds = "{:.2f} to {:.2f}".format(*one.kappa_interval) if one.kappa_interval else "-"
        rows.append([one.slot, f"{100 * one.raw:.1f} %", f"{low:.0f} to {high:.0f} %", kappa, bounds])
    output.say(f"{number_of(found[0].count, 'moment')} in common ({len(a)} and {len(b)} answered)")
    output.table(["slot", "agree", "95 %", "kappa", "95 %"], rows)
    output.finish({"moments": found[0].count, "answered": [len(a), len(b)], "slots": [asdict(one) for one in found]})
    return 0
