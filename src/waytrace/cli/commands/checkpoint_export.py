"""``waytrace checkpoint export``: a checkpoint of its own, or ONNX; with figures of how equal it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output

FAMILIES = ("red-light", "cut-in", "ccrs", "merge", "parked-car", "four-way-stop", "pedestrian-near", "work-zone")
SEEDS = (700, 701, 702)
"""Scenes of split train at whose start an export and the checkpoint are compared; over a Hugging Face model, which is
slow, the first of each second family."""


@dataclass
class Options:
    """Write a checkpoint that stands alone, adapters merged in float32, nothing for training; or its graphs as ONNX."""

    checkpoint: Annotated[Positional[Path], arg(metavar="CHECKPOINT")]
    """Folder of a checkpoint."""
    out: Annotated[Path, arg(metavar="FOLDER")]
    """Folder to be made."""
    form: Literal["numpy", "onnx", "int8"] = "numpy"
    """numpy: a checkpoint that drives without PyTorch; over a Hugging Face model two folders, planner and
    language_model. onnx: scene.onnx, backbone.onnx, heads.onnx. int8: the same with the backbone's weights in
    8 bits."""
    base: Annotated[Path | None, arg(metavar="CHECKPOINT", help_behavior_hint="(default: where it says)")] = None
    """Where the base of adapters lies, should it have moved."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Write it, read it again, and say how equal they are; 1 if a checkpoint's tensors are not."""
    from waytrace.microgpt.checkpoint import base_kind, read_checkpoint, write_checkpoint
    from waytrace.microgpt.checkpoint_over import KIND
    from waytrace.microgpt.checkpoint_views import differing

    if base_kind(options.checkpoint) == KIND:
        return _over(options, output)
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
        said = _alike(figures)
    figures["bytes"] = sum(p.stat().st_size for p in options.out.rglob("*") if p.is_file())
    output.say(f"Exported: {options.out} ({figures['bytes'] / 1e6:.1f} MB); {said}.")
    output.finish(figures)
    return 1 if figures.get("differing") else 0


def _over(options: Options, output: Output) -> int:
    """The same over a Hugging Face model: the model with adapters merged in, and a checkpoint over that."""
    from waytrace.catalogue import generate
    from waytrace.microgpt.checkpoint_files import CheckpointError
    from waytrace.microgpt.checkpoint_over import export_over, read_over
    from waytrace.microgpt.checkpoint_views import differing
    from waytrace.microgpt.onnx_export import agreement
    from waytrace.sim import World

    if options.form != "numpy":
        raise CheckpointError(f"{options.checkpoint} is over a Hugging Face model, which is exported merged alone.")
    missing = [name for name in ("torch", "transformers", "peft") if find_spec(name) is None]
    if missing:
        raise CheckpointError(
            f"To drive what is exported, and say how equal it is, needs {missing[0]}, which is not installed: "
            "pip install 'waytrace[hf]'."
        )
    from waytrace.model import load_checkpoint
    from waytrace.model.running import Running

    planner = export_over(read_over(options.checkpoint, base=options.base), options.out)
    apart = differing(options.checkpoint, planner, base=options.base)
    own, alone = load_checkpoint(options.checkpoint, base=options.base), load_checkpoint(planner)
    models: tuple[Any, Any] = (Running(own), Running(alone))
    scenes = [generate(family, SEEDS[0]) for family in FAMILIES[::2]]
    figures: dict[str, Any] = {"checkpoint": str(planner), "form": options.form, "differing": len(apart)}
    figures |= agreement(*models, World(scenes).observe())
    figures["bytes"] = sum(p.stat().st_size for p in options.out.rglob("*") if p.is_file())
    output.say(
        f"Exported: {planner} ({figures['bytes'] / 1e6:.1f} MB); {figures['differing']} tensors differ from what was "
        f"read; {_alike(figures)}."
    )
    output.finish(figures)
    return 1 if apart else 0


def _alike(figures: Mapping[str, Any]) -> str:
    return (
        f"over {figures['moments']} moments {figures['same_slots']} of {figures['slots']} slots of the traces are "
        f"the same, plans lie {figures['plans_m']:.3g} m apart at most"
    )


def _agreement(folder: Path, read: Any) -> dict[str, Any]:
    """How far an ONNX export, run by ONNX Runtime, says and drives what the checkpoint does."""
    from waytrace.catalogue import generate
    from waytrace.microgpt import Compiled
    from waytrace.microgpt.onnx_export import OnnxModel, agreement
    from waytrace.sim import World

    scenes = [generate(family, seed) for family in FAMILIES for seed in SEEDS]
    models = Compiled(read.parameters, read.config), OnnxModel(folder, read.parameters, read.config)
    return agreement(*models, World(scenes).observe())
