"""``waytrace checkpoint verify``: every byte and every tensor of checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Read checkpoints as a planner would: files hashed, tensors counted, adapters held against their base."""

    checkpoints: Annotated[Positional[list[Path]], arg(metavar="CHECKPOINT")]
    """Folders of checkpoints."""
    base: Annotated[Path | None, arg(metavar="CHECKPOINT", help_behavior_hint="(default: where it says)")] = None
    """Where the base of adapters lies, should it have moved."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """A line for each; 1 if any is not whole."""
    from waytrace.microgpt.checkpoint_files import CheckpointError
    from waytrace.microgpt.checkpoint_views import verified

    found: dict[str, str | None] = {}
    for folder in options.checkpoints:
        try:
            digest = verified(folder, base=options.base)
            found[str(folder)] = None
            output.say(f"whole  {folder}  {digest[:12]}")
        except CheckpointError as error:
            found[str(folder)] = str(error)
            output.say(f"REFUSED  {error}")
    output.finish({"checkpoints": found})
    return 1 if any(found.values()) else 0
