"""Checkpoints of a run: the model as it drives, and beside it what going on needs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch

from waytrace.model import Waytrace

from ._standin import load_trainer, load_weights, save_checkpoint
from .optimiser import Average
from .run_folder import RunFolder
from .state import Progress, averaged, restore, trainer_tensors


def save(
    folder: RunFolder, model: Waytrace, optimiser: torch.optim.Optimizer, average: Average | None, at: Progress
) -> Path:
    """Write the checkpoint of this step, with the average for weights where there is one; its path.

    What lies there from an attempt that was killed before ``latest`` pointed to it is written anew.
    """
    path = folder.checkpoint(at.step)
    tensors = trainer_tensors(model, optimiser, average)
    with averaged(model, average):
        save_checkpoint(path, model, trainer=(at.to_json(), tensors))
    return path


def resume(
    folder: RunFolder, model: Waytrace, optimiser: torch.optim.Optimizer, average: Average | None
) -> Progress | None:
    """Put model and optimiser where the newest checkpoint of a run left them; None where there is none."""
    path = folder.latest()
    if path is None:
        return None
    load_weights(path, model)
    record, tensors = load_trainer(path)
    restore(model, optimiser, average, tensors)
    return Progress.from_json(record)


def begin_from(model: Waytrace, checkpoint: str) -> None:
    """Give a model the weights of a checkpoint of another run."""
    load_weights(Path(checkpoint), model)


def checkpoint_hash(checkpoint: str) -> str:
    """sha256 over a checkpoint's weights: what a run that begins with it depends on."""
    return hashlib.sha256((Path(checkpoint) / "model.safetensors").read_bytes()).hexdigest()
