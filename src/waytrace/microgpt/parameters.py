"""The parameters of a micro GPT: one table of names and shapes, and how they start.

The names are those of PyTorch's state dict and of ``model.safetensors``; a Linear's weight is [out, in].
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import PLAN_KNOTS, WaytraceError
from waytrace.trace.slots import SLOTS

from .columns import MOVES
from .config import MODES, QUERIES, GPTConfig
from .tokens import FEATURES
from .vocabulary import VALUES

Array = NDArray[np.float32]
Parameters = Mapping[str, Array]

CONTROLS = 2 * PLAN_KNOTS // QUERIES
"""Numbers that a control query answers with: (acceleration, curvature) of its knots."""

STARTS_AT_ZERO = (
    "o_proj.weight",
    "mlp.down_proj.weight",
    "bias",
    "output.weight",
    "control.out.weight",
    "follow.weight",
)
"""Endings of the names that start at zero: a layer begins as the identity, a slot undecided, a plan straight on."""

EMBEDDINGS = ("embedding.weight", "begin", "nowhere", "queries.weight", "mode.weight")
"""Endings of the names whose rows are looked up and not multiplied with: they start at the size of a residual."""


def shapes(config: GPTConfig) -> dict[str, tuple[int, ...]]:
    """Shape of every parameter by its name, in the order of the file."""
    return scene_shapes(config.width) | backbone_shapes(config) | head_shapes(config.width)


def scene_shapes(d: int) -> dict[str, tuple[int, ...]]:
    """Of the scene encoder, over a backbone of width ``d``."""
    out: dict[str, tuple[int, ...]] = {}
    for kind, features in FEATURES.items():
        out[f"scene.{kind}.up.weight"] = (d, features)
        out[f"scene.{kind}.up.bias"] = (d,)
        out[f"scene.{kind}.down.weight"] = (d, d)
        out[f"scene.{kind}.down.bias"] = (d,)
    return out


def backbone_shapes(config: GPTConfig) -> dict[str, tuple[int, ...]]:
    """Of the micro GPT's layers."""
    d, hidden = config.width, config.hidden
    out: dict[str, tuple[int, ...]] = {}
    for i in range(config.depth):
        for name in "qkvo":
            out[f"backbone.layers.{i}.attn.{name}_proj.weight"] = (d, d)
        out[f"backbone.layers.{i}.mlp.up_proj.weight"] = (hidden, d)
        out[f"backbone.layers.{i}.mlp.down_proj.weight"] = (d, hidden)
    return out


def head_shapes(d: int) -> dict[str, tuple[int, ...]]:
    """Of the heads, over a backbone of width ``d``."""
    return {
        "head.trace.slot_embedding.weight": (len(SLOTS) + 1, d),
        "head.trace.value_embedding.weight": (VALUES, d),
        "head.trace.point.weight": (d, d),
        "head.trace.nowhere": (2, d),
        "head.trace.begin": (d,),
        "head.trace.output.weight": (VALUES, d),
        "head.trace.output.bias": (VALUES,),
        "head.trace.query.weight": (d, d),
        "head.trace.key.weight": (d, d),
        "head.trace.nowhere_key": (2, d),
        "head.control.queries.weight": (QUERIES, d),
        "head.control.mode.weight": (len(MODES), d),
        "head.control.out.weight": (CONTROLS, d),
        "head.control.out.bias": (CONTROLS,),
        "head.control.follow.weight": (len(MOVES) + 1, d),
        "head.control.follow.bias": (len(MOVES) + 1,),
    }


def initial(config: GPTConfig, seed: int = 0) -> dict[str, Array]:
    """Parameters at the start of training, float32.

    A weight that is multiplied with starts normal with deviation 1 / sqrt(inputs), one that is looked up with 0.5;
    ``STARTS_AT_ZERO`` at zero. Every tensor has a generator of its own, so a new one leaves the others as they were.
    """
    return started(shapes(config), seed)


def started(wanted: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, Array]:
    """Tensors of these names and shapes as :func:`initial` starts them."""
    out: dict[str, Array] = {}
    for name, shape in wanted.items():
        if name.endswith(STARTS_AT_ZERO):
            out[name] = np.zeros(shape, np.float32)
            continue
        deviation = 0.5 if name.endswith(EMBEDDINGS) else 1.0 / math.sqrt(shape[-1])
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        out[name] = (deviation * rng.standard_normal(shape)).astype(np.float32)
    return out


def drawn(config: GPTConfig, seed: int = 0) -> dict[str, Array]:
    """Parameters none of which is zero: a model that does something everywhere, for tests and for timing."""
    out = initial(config, seed)
    for name, value in out.items():
        if name.endswith(STARTS_AT_ZERO):
            rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
            deviation = 0.1 if value.ndim == 1 else 1.0 / math.sqrt(value.shape[-1])
            out[name] = (deviation * rng.standard_normal(value.shape)).astype(np.float32)
    return out


def count(parameters: Parameters) -> int:
    """How many numbers there are."""
    return sum(value.size for value in parameters.values())


def config_of(parameters: Parameters) -> GPTConfig:
    """The configuration that parameters are of, by their number of layers.

    Raises :class:`WaytraceError` that names what is missing, what is more, or what has another shape.
    """
    layers = {name.split(".")[2] for name in parameters if name.startswith("backbone.layers.")}
    config = GPTConfig(max(len(layers), 1))
    wanted = shapes(config)
    for name, shape in wanted.items():
        if name not in parameters:
            raise WaytraceError(f"parameters of depth {config.depth} lack {name!r}")
        if parameters[name].shape != shape:
            raise WaytraceError(f"parameter {name!r} is {list(parameters[name].shape)} where {list(shape)} is due")
    more = sorted(parameters.keys() - wanted.keys())
    if more:
        raise WaytraceError(f"parameters of depth {config.depth} have no {more[0]!r}")
    return config
