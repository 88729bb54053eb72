"""Checkpoints of a model: :mod:`waytrace.microgpt.checkpoint` with tensors in place of arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from waytrace.microgpt.checkpoint import Over, read_parts, read_trainer, write_checkpoint
from waytrace.microgpt.checkpoint_files import CheckpointError
from waytrace.microgpt.config import GPTConfig

from .lora import Lora, adapter_tensors, freeze, frozen, plain_state, set_adapters, set_plain_state
from .over_hf import is_over_hf, load_over, save_over
from .waytrace import Waytrace

SHIPPED_REF = "shipped"
"""A base's reference that stands for the checkpoint of the package."""


def save_checkpoint(
    folder: Path | str, model: Waytrace, *, trainer: tuple[Mapping[str, Any], Mapping[str, Tensor]] | None = None,
    base: Path | str = "",
) -> Path:  # fmt: skip
    """Write a model, and what training goes on with: a JSON record and tensors (moments by parameter name, RNG states).

    ``base`` is the checkpoint that a model with a frozen base stands on; adapters and heads alone are written then.

    Raises :class:`CheckpointError` for weights that are not finite and for a frozen base that is not named;
    ``StoreError`` where the disk refuses.
    """
    arrays = None
    if trainer is not None:
        arrays = (trainer[0], {name: value.detach().cpu().numpy() for name, value in trainer[1].items()})
    if not isinstance(model.config, GPTConfig):
        save_over(Path(folder), model, trainer=arrays)
        return Path(folder)
    target, state = Path(folder), numpy_of(plain_state(model, merged=False))
    over = None
    if frozen(model):
        if not base:
            raise CheckpointError(f"{folder}: this model's base is frozen; say which checkpoint it is of (base).")
        ref = str(base) if str(base) == SHIPPED_REF else _seen_from(Path(base), target)
        tensors, config = adapter_tensors(model), model.lora.to_peft(ref) if model.lora else None
        over = Over(ref, numpy_of(tensors) if model.lora else None, config)
    write_checkpoint(target, state, model.config, trainer=arrays, over=over)
    return target


def load_checkpoint(folder: Path | str, model: Waytrace | None = None, *, base: Path | str | None = None) -> Waytrace:
    """A model with a checkpoint's weights, adapters and all, and trained where its run trained it.

    A new one, or ``model``, which keeps its device and must be adapted as the checkpoint is. ``base`` says where the
    base lies of a run that trained adapters alone, should it have moved.

    Raises :class:`CheckpointError` where the folder is not as it was written, or is of another size than ``model``.
    """
    if is_over_hf(Path(folder)):
        return load_over(Path(folder), model, base=base)
    parts = read_parts(Path(folder), base=base)
    lora = Lora.from_peft(parts.adapter_config) if parts.adapter is not None else None
    if model is None:
        model = Waytrace(parts.config)
        model.adapt(lora) if lora else None
        if not parts.own_base and lora is None:
            freeze(model)
    elif model.config != parts.config:
        raise CheckpointError(
            f"{folder} holds a model of {parts.config}; this run's is {model.config}. Choose the size of the "
            "checkpoint."
        )
    elif model.lora != lora:
        raise CheckpointError(f"{folder} is adapted as {lora}; this run's model as {model.lora}.")
    set_plain_state(model, tensors_of_numpy({**parts.base, **parts.head}))
    if parts.adapter is not None:
        set_adapters(model, tensors_of_numpy(parts.adapter))
    return model


def numpy_of(tensors: Mapping[str, Tensor]) -> dict[str, NDArray[np.float32]]:
    """The same as float32 arrays of their own."""
    return {name: value.detach().float().cpu().numpy().copy() for name, value in tensors.items()}


def tensors_of_numpy(arrays: Mapping[str, NDArray[np.float32]]) -> dict[str, Tensor]:
    """The same as tensors of their own."""
    return {name: torch.from_numpy(np.array(value)) for name, value in arrays.items()}


def _seen_from(base: Path, folder: Path) -> str:
    """The base's path from a checkpoint's folder: a pair that is moved together stays one."""
    return os.path.relpath(base.absolute(), folder.absolute())


def load_trainer(folder: Path | str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What training goes on with, on the CPU. Raises :class:`CheckpointError` where there is none, or a damaged one."""
    record, arrays = read_trainer(Path(folder))
    return dict(record), {name: torch.from_numpy(np.array(value)) for name, value in arrays.items()}
