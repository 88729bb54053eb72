"""Checkpoints of a run: the model as it drives, and beside it what going on needs."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from waytrace.model import Waytrace, load_checkpoint, load_trainer, save_checkpoint

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
    if path.exists() and path != folder.latest():
        shutil.rmtree(path)
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
    load_checkpoint(path, model)
    record, tensors = load_trainer(path)
    restore(model, optimiser, average, tensors)
    return Progress.from_json(record)


def begin_from(model: Waytrace, checkpoint: str) -> None:
    """Give a model the weights of a checkpoint of another run."""
    load_checkpoint(checkpoint, model)
