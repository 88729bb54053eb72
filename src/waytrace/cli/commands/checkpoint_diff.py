"""``waytrace checkpoint diff``: what differs between two checkpoints, tensor by tensor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """List the tensors in which two checkpoints differ as they drive, adapters merged in, largest difference first."""

    first: Annotated[Positional[Path], arg(metavar="CHECKPOINT")]
    """Folder of a checkpoint."""
    second: Annotated[Positional[Path], arg(metavar="CHECKPOINT")]
    """Folder of another."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Print it; 1 if there is any difference."""
    from waytrace.microgpt.checkpoint_views import differing

    apart = differing(options.first, options.second)
    rows = [[d.name, d.shape, f"{d.most:.3g}", f"{d.relative:.3g}"] for d in apart]
    if rows:
        output.table(["tensor", "shape", "largest difference", "by norm"], rows, text_columns=2)
    output.say(f"{len(apart)} tensors differ." if apart else "They drive alike: no tensor differs.")
    finite = {d.name: {"most": _finite(d.most), "relative": _finite(d.relative), "shape": d.shape} for d in apart}
    output.finish({"tensors": finite})
    return 1 if apart else 0


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
