"""Checkpoints of planners over a Hugging Face model: the heads, the scene encoder, adapters, and which model it was.

The model itself stays where it lies. ``base.json`` says where, and has the sha256 over its weights.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save
from torch import Tensor

from waytrace.microgpt.checkpoint import as_json, check_meaning, head_record, vocabulary_record
from waytrace.microgpt.checkpoint_files import (
    ADAPTER,
    ADAPTER_JSON,
    BASE_JSON,
    HEAD,
    HEAD_JSON,
    TRAINER,
    TRAINER_JSON,
    VOCABULARY_JSON,
    WAY_OUT,
    CheckpointError,
    Files,
    read_files,
    tensors_of,
    write_files,
)
from waytrace.microgpt.checkpoint_over import KIND, check_model, head_of, place_of_model
from waytrace.scenario import WaytraceError

from .huggingface import HuggingFace
from .lora import Lora
from .waytrace import Waytrace

Arrays = Mapping[str, NDArray[Any]]


def backbone_of(model: Waytrace) -> HuggingFace:
    """The Hugging Face model of a planner. Raises :class:`CheckpointError` where it is over none."""
    if not isinstance(model.backbone, HuggingFace):
        raise CheckpointError("this planner is over a micro GPT")
    return model.backbone


def save_over(folder: Path, model: Waytrace, *, trainer: tuple[Mapping[str, Any], Arrays] | None = None) -> None:
    """Write a planner over a Hugging Face model, whole or not at all.

    Raises :class:`CheckpointError` for a model that was never saved itself, and for weights that are not finite.
    """
    backbone = backbone_of(model)
    if backbone.folder is None:
        raise CheckpointError(f"{folder}: the Hugging Face model lies nowhere. Save it, and load it from there.")
    ref = os.path.relpath(backbone.folder, folder.absolute())
    head = {name: np.ascontiguousarray(value) for name, value in model.parameters_numpy().items()}
    base = {
        "kind": KIND, "ref": ref, "revision": "", "config": backbone.config.to_json(),
        "config_hash": hashlib.sha256(as_json(backbone.config.to_json())).hexdigest(),
        "weights_sha256": backbone.sha256(),
    }  # fmt: skip
    content = {
        BASE_JSON: as_json(base), HEAD_JSON: as_json(head_record()), HEAD: save(head),
        VOCABULARY_JSON: as_json(vocabulary_record()),
    }  # fmt: skip
    tensors_of(content[HEAD], str(folder / HEAD))
    if backbone.lora is not None:
        adapter = {name: value.float().cpu().numpy().copy() for name, value in backbone.adapter().items()}
        content |= {ADAPTER_JSON: as_json(backbone.lora.to_peft(ref)), ADAPTER: save(adapter)}
        tensors_of(content[ADAPTER], str(folder / ADAPTER))
    if trainer is not None:
        content |= {TRAINER_JSON: as_json(trainer[0]), TRAINER: save({k: np.array(v) for k, v in trainer[1].items()})}
    write_files(folder, content)


def is_over_hf(folder: Path) -> bool:
    """Whether a checkpoint is of a planner over a Hugging Face model. Raises :class:`CheckpointError` as reading."""
    return read_files(folder).json(BASE_JSON).get("kind") == KIND


def load_over(folder: Path, model: Waytrace | None = None, *, base: Path | str | None = None) -> Waytrace:
    """A planner with a checkpoint's heads and adapters: a new one, or ``model``, adapted as the checkpoint is.

    ``base`` says where the Hugging Face model lies, should it have moved. Raises :class:`CheckpointError` for what is
    damaged, missing, too much, or of another model, even one of the same shapes.
    """
    files = read_files(folder)
    record = files.json(BASE_JSON)
    check_meaning(files)
    adapter, settings = files.adapter() or (None, {})
    lora = Lora.from_peft(settings) if adapter is not None else None
    if model is None:
        backbone = HuggingFace.load(place_of_model(files, record, base))
        model = Waytrace.over(backbone)
        backbone.freeze()
        if lora is not None:
            model.adapt(lora)
    backbone = backbone_of(model)
    check_model(files, record, backbone.sha256())
    if model.lora != lora:
        raise CheckpointError(f"{folder} is adapted as {lora}; this run's model as {model.lora}.")
    _set_head(model, files)
    if adapter is not None:
        try:
            backbone.set_adapter({n: torch.from_numpy(np.array(v)) for n, v in adapter.items()})
        except WaytraceError as error:
            raise CheckpointError(f"{folder / ADAPTER}: {error}. {WAY_OUT}") from error
    return model


@torch.no_grad()
def _set_head(model: Waytrace, files: Files) -> None:
    """Put in scene encoder and heads: exactly the tensors that this width has."""
    own: dict[str, Tensor] = dict(model.named_parameters())
    for name, value in head_of(files, model.config.width).items():
        own[name].copy_(torch.from_numpy(np.array(value)))
