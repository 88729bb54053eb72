"""Low-rank adapters merged into the weights that they were trained over: W + s B A, in float32.

Names are PEFT's (``base_model.model.NAME.lora_A.weight``). s is alpha / r, or alpha / sqrt(r) for rank-stabilised ones
(arXiv 2312.03732); with DoRA (arXiv 2402.09353) a row of the sum is scaled to the length that was learned for it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from .checkpoint_files import WAY_OUT, Array, CheckpointError

_LAYERS, _SCENE = "backbone.layers.", "scene."
_NAME = re.compile(r"base_model\.model\.(?P<module>.+?)\.(?P<part>lora_A\.weight|lora_B\.weight|lora_magnitude_vector)")


def merged(
    tensors: Mapping[str, Array], adapter: Mapping[str, Array], config: Mapping[str, Any], where: str
) -> dict[str, Array]:
    """``tensors`` with an adapter merged in; every map that ``config`` says is adapted has to be.

    Raises :class:`CheckpointError` naming the tensor; ``where`` is the file.
    """
    rank, alpha = config.get("r"), config.get("lora_alpha")
    if not isinstance(rank, int) or rank < 1 or not isinstance(alpha, int | float):
        raise CheckpointError(f"{where}: its adapter_config.json has no rank r and lora_alpha. {WAY_OUT}")
    scale = alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
    modules: dict[str, dict[str, Array]] = {}
    for name, value in adapter.items():
        found = _NAME.fullmatch(name)
        if found is None or f"{found['module']}.weight" not in tensors:
            raise CheckpointError(f"{where}: tensor {name!r} adapts nothing that the base has. {WAY_OUT}")
        modules.setdefault(found["module"], {})[found["part"]] = value
    if not modules:
        raise CheckpointError(f"{where} holds no tensor. {WAY_OUT}")
    for module in _targets(tensors, config.get("target_modules")):
        if module not in modules:
            raise CheckpointError(f"{where}: tensor 'base_model.model.{module}.lora_A.weight' is missing. {WAY_OUT}")
    out = dict(tensors)
    for module, parts in modules.items():
        weight = tensors[f"{module}.weight"]
        due: dict[str, tuple[int, ...]] = {
            "lora_A.weight": (rank, weight.shape[-1]),
            "lora_B.weight": (weight.shape[0], rank),
        }
        if config.get("use_dora"):
            due["lora_magnitude_vector"] = (weight.shape[0],)
        if parts.keys() != due.keys():
            odd = sorted(parts.keys() ^ due.keys())[0]
            raise CheckpointError(f"{where}: {odd!r} of {module!r} is missing, or there is one too many. {WAY_OUT}")
        for part, shape in due.items():
            if parts[part].shape != shape:
                raise CheckpointError(
                    f"{where}: {part!r} of {module!r} has shape {list(parts[part].shape)}, not {list(shape)}. {WAY_OUT}"
                )
        total = weight + np.float32(scale) * (parts["lora_B.weight"] @ parts["lora_A.weight"])
        if config.get("use_dora"):
            length = np.linalg.norm(total, axis=1)
            total = total * (parts["lora_magnitude_vector"] / np.maximum(length, 1e-12))[:, None]
        out[f"{module}.weight"] = total.astype(np.float32)
    return out


def _targets(tensors: Mapping[str, Array], named: Any) -> list[str]:
    """The maps that ``target_modules`` stands for: a list of names, of layers and scene encoder, or ``all-linear``."""
    if not isinstance(named, list) and named != "all-linear":
        return []
    maps = (name.removesuffix(".weight") for name, value in tensors.items() if value.ndim == 2)
    if named == "all-linear":
        return [m for m in maps if m.startswith(_LAYERS)]
    return [m for m in maps if m.startswith((_LAYERS, _SCENE)) and m.rpartition(".")[2] in named]
