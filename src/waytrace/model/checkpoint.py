"""Checkpoints of a model: :mod:`waytrace.microgpt.checkpoint` with tensors in place of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from waytrace.microgpt.checkpoint import read_checkpoint, read_trainer, write_checkpoint
from waytrace.microgpt.checkpoint_files import CheckpointError

from .waytrace import Waytrace


def save_checkpoint(
    folder: Path | str, model: Waytrace, *, trainer: tuple[Mapping[str, Any], Mapping[str, Tensor]] | None = None
) -> Path:
    """Write a model, and what training goes on with: a JSON record and tensors (moments by parameter name, RNG states).

    Raises :class:`CheckpointError` for weights that are not finite; ``StoreError`` where the disk refuses.
    """
    arrays = None
    if trainer is not None:
        arrays = (trainer[0], {name: value.detach().cpu().numpy() for name, value in trainer[1].items()})
    write_checkpoint(Path(folder), model.parameters_numpy(), model.config, trainer=arrays)
    return Path(folder)


def load_checkpoint(folder: Path | str, model: Waytrace | None = None) -> Waytrace:
    """A model with a checkpoint's weights: a new one, or ``model``, which keeps its device.

    Raises :class:`CheckpointError` where the folder is not as it was written, or is of another size than ``model``.
    """
    read = read_checkpoint(Path(folder))
    if model is None:
        model = Waytrace(read.config)
    elif model.config != read.config:
        raise CheckpointError(
            f"{folder} holds a model of {read.config}; this run's is {model.config}. Choose the size of the checkpoint."
        )
    model.set(read.parameters)
    return model


def load_trainer(folder: Path | str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What training goes on with, on the CPU. Raises :class:`CheckpointError` where there is none, or a damaged one."""
    record, arrays = read_trainer(Path(folder))
    return dict(record), {name: torch.from_numpy(np.array(value)) for name, value in arrays.items()}
