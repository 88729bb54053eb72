"""``waytrace train sft``: supervised training from stores of samples."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Train a planner to say and drive what its samples say and drive. Repeat the command to continue a broken run."""

    samples: Annotated[Positional[list[Path]], arg(metavar="STORE")]
    """Stores of samples of split train, from `waytrace train collect`."""
    out: Annotated[Path, arg(metavar="FOLDER")]
    """Folder of the run."""
    select: Annotated[tuple[Path, ...], arg(metavar="STORE")] = ()
    """Stores of samples of split select, which the figures and an early stop are taken from."""
    init: Annotated[Path | None, arg(metavar="CHECKPOINT", help_behavior_hint="(default: new weights)")] = None
    """Checkpoint of another run whose weights this one begins with."""
    freeze_backbone: bool = False
    """Leave scene encoder, backbone and embeddings as --init has them and train the heads."""
    lora_rank: Annotated[int, arg(help_behavior_hint="(default: no adapters)")] = 0
    """Train adapters of this rank over the frozen backbone of --init, and the heads."""
    lora_alpha: float = 16.0
    """Adapters count alpha / rank."""
    lora_targets: Annotated[tuple[str, ...], arg(metavar="NAME", help_behavior_hint="(default: the layers')")] = ()
    """Linear maps to adapt: of the layers q_proj, k_proj, v_proj, o_proj, up_proj, down_proj; of the scene encoder up,
    down."""
    rslora: bool = False
    """Adapters count alpha / sqrt(rank)."""
    dora: bool = False
    """Learn the length of each row of an adapted map by itself."""
    lora_plus: float = 1.0
    """Learning rate of the adapters' B, as a multiple of --lr."""
    size: Literal["nano", "micro", "small"] = "micro"
    """Size of the model."""
    steps: int = 20_000
    """Steps in all; the learning rate falls over these."""
    batch: int = 64
    """Samples a step, over all processes."""
    lr: float = 2e-3
    """Highest learning rate."""
    seed: int = 0
    """Seed of weights, of the order of samples and of what a step draws."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Arithmetic of the model's matrices."""
    eval_every: int = 500
    """Steps between two looks at --select, each of which saves a checkpoint."""
    set: Annotated[tuple[str, ...], arg(metavar="NAME=VALUE")] = ()
    """Any other setting: warmup, weight_decay, ema, minutes, threads, workers, drive_every, ... (docs/training.md)."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Train, and say where the checkpoint lies and how good it is."""
    from waytrace.learn.config import ConfigError, with_settings

    try:
        from waytrace.learn.sft import train_sft
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ConfigError("Training needs PyTorch, which is not installed: pip install 'waytrace[train]'.") from error
    from waytrace.report.training import write_training_report

    config = with_settings(settings(options), options.set)
    on_a_terminal = sys.stderr.isatty()
    with output.progress("training") if on_a_terminal else nullcontext() as advance:
        done = train_sft(config, options.out, note=output.note, advance=advance, looked=write_training_report)
    if not done.leads:
        return 0
    page = done.run / "report.html"
    output.say(f"Step {done.step} of {config.steps}: {done.ended}")
    output.say(f"Checkpoint: {done.checkpoint}")
    if done.best and done.best != done.checkpoint:
        output.say(f"Best on select: {done.best}")
    output.say(f"Report: {page}")
    output.finish(
        {
            "run": str(done.run), "checkpoint": str(done.checkpoint), "best": str(done.best) if done.best else None,
            "step": done.step, "finished": done.finished, "ended": done.ended, "figures": done.figures,
            "report": str(page),
        }
    )  # fmt: skip
    return 0


def settings(options: Options) -> dict[str, Any]:
    """The options that are settings of a run, as its config takes them."""
    own = {k: v for k, v in vars(options).items() if k not in ("out", "set", "json")}
    return own | {
        "samples": tuple(map(str, options.samples)), "select": tuple(map(str, options.select)),
        "init": str(options.init or ""), "lora_targets": tuple(options.lora_targets),
    }  # fmt: skip
