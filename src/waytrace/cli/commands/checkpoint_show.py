"""``waytrace checkpoint show``: what a checkpoint holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Say what a checkpoint holds: model, base, adapters, files, and where its training stood."""

    checkpoint: Annotated[Positional[Path], arg(metavar="CHECKPOINT")]
    """Folder of a checkpoint."""
    base: Annotated[Path | None, arg(metavar="CHECKPOINT", help_behavior_hint="(default: where it says)")] = None
    """Where the base of adapters lies, should it have moved."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Print it."""
    from waytrace.microgpt.checkpoint_views import described

    record = described(options.checkpoint, base=options.base)
    for name in ("model", "parameters", "digest", "base", "adapter", "training"):
        value = record[name]
        text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        output.say(f"{name:<11} {text}")
    rows = [[name, f"{size:,}", sha256[:12]] for name, (size, sha256) in record["files"].items()]
    output.table(["file", "bytes", "sha256"], rows)
    output.finish(record)
    return 0
