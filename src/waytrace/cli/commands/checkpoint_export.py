"""``waytrace checkpoint export``: a checkpoint of its own, adapters merged in, nothing that training needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Write a checkpoint that stands alone: float32, adapters merged in, without what training goes on with."""

    checkpoint: Annotated[Positional[Path], arg(metavar="CHECKPOINT")]
    """Folder of a checkpoint."""
    out: Annotated[Path, arg(metavar="FOLDER")]
    """Folder to be made."""
    base: Annotated[Path | None, arg(metavar="CHECKPOINT", help_behavior_hint="(default: where it says)")] = None
    """Where the base of adapters lies, should it have moved."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Write it, read it again, and say how equal they are."""
    from waytrace.microgpt.checkpoint import read_checkpoint, write_checkpoint
    from waytrace.microgpt.checkpoint_views import differing

    read = read_checkpoint(options.checkpoint, base=options.base)
    write_checkpoint(options.out, read.parameters, read.config)
    apart = differing(options.checkpoint, options.out, base=options.base)
    bytes_ = sum(p.stat().st_size for p in options.out.rglob("*") if p.is_file())
    output.say(f"Exported: {options.out} ({bytes_ / 1e6:.1f} MB); {len(apart)} tensors differ from what was read.")
    output.finish({"checkpoint": str(options.out), "bytes": bytes_, "differing": len(apart)})
    return 1 if apart else 0
