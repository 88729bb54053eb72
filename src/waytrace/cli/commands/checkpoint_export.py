"""``waytrace checkpoint export``: a checkpoint of its own, or ONNX; with figures of how equal it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output

FAMILIES = ("red-light", "cut-in", "ccrs", "merge", "parked-car", "four-way-stop", "pedestrian-near", "work-zone")
SEEDS = (700, 701, 702)
"""Scenes of split train at whose start an ONNX export and the checkpoint are compared."""


@dataclass
class Options:
    """Write a checkpoint that stands alone, adapters merged in float32, nothing for training; or its graphs as ONNX."""

    checkpoint: Annotated[Positional[Path], arg(metavar="CHECKPOINT")]
    """Folder of a checkpoint."""
    out: Annotated[Path, arg(metavar="FOLDER")]
    """Folder to be made."""
    form: Literal["numpy", "onnx", "int8"] = "numpy"
    """numpy: a checkpoint that drives without PyTorch. onnx: scene.onnx, backbone.onnx, heads.onnx. int8: the same with
    the backbone's weights in 8 bits."""
    base: Annotated[Path | None, arg(metavar="CHECKPOINT", help_behavior_hint="(default: where it says)")] = None
    """Where the base of adapters lies, should it have moved."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Write it, read it again, and say how equal they are; 1 if a checkpoint's tensors are not."""
    from waytrace.microgpt.checkpoint import read_checkpoint, write_checkpoint
    from waytrace.microgpt.checkpoint_views import differing

    read = read_checkpoint(options.checkpoint, base=options.base)
    figures: dict[str, Any] = {"checkpoint": str(options.out), "form": options.form}
    if options.form == "numpy":
        write_checkpoint(options.out, read.parameters, read.config)
        figures["differing"] = len(differing(options.checkpoint, options.out, base=options.base))
        said = f"{figures['differing']} tensors differ from what was read"
    else:
        from waytrace.microgpt.onnx_export import export_onnx

        export_onnx(read.parameters, read.config, options.out, int8=options.form == "int8")
        figures |= _agreement(options.out, read)
        said = (
            f"over {figures['moments']} moments {figures['same_slots']} of {figures['slots']} slots of the traces are "
            f"the same, plans lie {figures['plans_m']:.3g} m apart at most"
        )
    figures["bytes"] = sum(p.stat().st_size for p in options.out.rglob("*") if p.is_file())
    output.say(f"Exported: {options.out} ({figures['bytes'] / 1e6:.1f} MB); {said}.")
    output.finish(figures)
    return 1 if figures.get("differing") else 0


def _agreement(folder: Path, read: Any) -> dict[str, Any]:
    """How far an ONNX export, run by ONNX Runtime, says and drives what the checkpoint does."""
    from waytrace.catalogue import generate
    from waytrace.microgpt import Compiled
    from waytrace.microgpt.onnx_export import OnnxModel, agreement
    from waytrace.sim import World

    scenes = [generate(family, seed) for family in FAMILIES for seed in SEEDS]
    models = Compiled(read.parameters, read.config), OnnxModel(folder, read.parameters, read.config)
    return agreement(*models, World(scenes).observe())
