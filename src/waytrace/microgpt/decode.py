"""The micro GPT at speed: a token by a compiled kernel, a block of tokens by NumPy's matrix product.

Equal to :mod:`.reference`, which is a test.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.trace.slots import POINTER, SLOTS, Slot

from .config import HEAD_WIDTH, GPTConfig
from .forward import Cache, embed_scene, heads, joined, visible
from .heads import Pointing
from .kernels import MOST_ROWS, Scratch, Slots, Weights, ask, layers
from .parameters import Parameters
from .sampling import Chosen
from .tokens import SceneTokens
from .vocabulary import SLOT_AT, is_pointer, rows_of

Array = NDArray[Any]

POSITIONS = 512
"""Positions that the table of rotations holds."""

MOST_CHOICES = len(POINTER)
"""Values of the largest set: a pointer's, were every row to have a token."""

_POSITION = [np.array([at + 1], np.int64) for at in range(POSITIONS - 1)]
"""Position of each token of a branch, as the kernel takes it."""

_SLOT = {slot.name: (SLOT_AT[slot.name], -1 if is_pointer(slot) else rows_of(slot).start) for slot in SLOTS}
"""Number of each slot, and its first value's row; -1 for a pointer."""


class Compiled:
    """A model that runs fast at batch 1 on one thread; several threads may share it.

    Made of the parameters as they are: whoever changes them makes another.
    """

    def __init__(self, parameters: Parameters, config: GPTConfig) -> None:
        self.parameters, self.config = parameters, config

        def turned(*names: str) -> Array:
            stacked = [
                np.concatenate([parameters[f"backbone.layers.{i}.{name}.weight"].T for name in names], axis=1)
                for i in range(config.depth)
            ]
            return np.ascontiguousarray(np.stack(stacked), np.float32)

        self._weights = Weights(
            turned("attn.q_proj", "attn.k_proj", "attn.v_proj"), turned("attn.o_proj"), turned("mlp.up_proj"),
            turned("mlp.down_proj"),
        )  # fmt: skip
        trace = {name: parameters[f"head.trace.{name}"] for name in ("output.weight", "output.bias", "query.weight")}
        self._slots = Slots(
            np.ascontiguousarray(parameters["head.trace.slot_embedding.weight"], np.float32),
            np.ascontiguousarray(trace["output.weight"].T, np.float32),
            np.ascontiguousarray(trace["output.bias"], np.float32),
            np.ascontiguousarray(trace["query.weight"].T, np.float32),
        )
        half = HEAD_WIDTH // 2
        angle = np.arange(POSITIONS)[:, None] * config.rotary_base ** (-np.arange(half) / half)
        self._cos, self._sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
        self._eps = config.norm_eps
        self._own = threading.local()

    def _scratch(self, capacity: int) -> Scratch:
        """The calling thread's scratch, with room for as many scores."""
        mine: Scratch | None = getattr(self._own, "scratch", None)
        if mine is None or len(mine.scores) < capacity:
            d = self.config.width
            bits = np.zeros(capacity, np.int32)
            mine = Scratch._make([
                *(np.zeros((MOST_ROWS, n), np.float32) for n in (d, d, 3 * d, d, 4 * d, d)),
                np.zeros(capacity, np.float32), bits, bits.view(np.float32), np.zeros(4 * d, np.int64),
                np.zeros(MOST_CHOICES, np.float32), np.zeros(MOST_CHOICES, np.bool_),
            ])  # fmt: skip
            self._own.scratch = mine
        return mine

    def prefill(self, tokens: SceneTokens, b: int, capacity: int) -> tuple[Array, Cache]:
        """As ``Reference.prefill``."""
        x = embed_scene(self.parameters, tokens, b)
        cache = Cache.empty(self.config, len(x) + capacity)
        return self._block(x, None, cache, len(x)), cache

    def extend(self, x: Array, position: Array, cache: Cache, *, mutual: int = 0) -> Array:
        """As ``forward.extend``."""
        if cache.length + len(x) > cache.capacity:
            raise ValueError(f"{cache.length + len(x)} tokens do not fit a cache made for {cache.capacity}")
        if len(x) > MOST_ROWS:
            return self._block(x, position if position.any() else None, cache, mutual)
        scratch, rows = self._scratch(cache.capacity), len(x)
        scratch.x[:rows] = x
        layers(
            self._weights, scratch, cache.keys, cache.values, cache.length, rows, mutual, self._cos, self._sin,
            np.ascontiguousarray(position, np.int64), self._eps,
        )  # fmt: skip
        cache.length += rows
        return scratch.normed[:rows].copy()

    def ask(
        self, told: Array, slot: Slot, legal: NDArray[np.bool_], pointing: Pointing, at: int, cache: Cache
    ) -> tuple[Array, Chosen]:
        """As ``Reference.ask``."""
        if cache.length >= cache.capacity:
            raise ValueError(f"{cache.length + 1} tokens do not fit a cache made for {cache.capacity}")
        scratch, count = self._scratch(cache.capacity), len(legal)
        scratch.x[0] = told
        scratch.legal[:count] = legal
        number, first = _SLOT[slot.name]
        chosen = ask(
            self._weights, self._slots, scratch, cache.keys, cache.values, cache.length, self._cos, self._sin,
            _POSITION[at], self._eps, number, first, count, pointing.columns,
        )  # fmt: skip
        cache.length += 1
        return scratch.logits[:count].copy(), Chosen(*chosen)

    def _block(self, x: Array, position: Array | None, cache: Cache, mutual: int) -> Array:
        """Several tokens at once; ``position`` None where all are 0."""
        first, last, d = cache.length, cache.length + len(x), self.config.width
        sees = None if mutual == len(x) else visible(first, len(x), mutual)
        x = x.astype(np.float32)
        for i in range(self.config.depth):
            qkv = self._normed(x) @ self._weights.qkv[i]
            query, key = heads(qkv[:, :d]), heads(qkv[:, d : 2 * d])
            if position is not None:
                query, key = self._turned(query, position), self._turned(key, position)
            cache.keys[i, :, :, first:last] = key.swapaxes(1, 2)
            cache.values[i, :, first:last] = heads(qkv[:, 2 * d :])
            read = _read(query, cache.keys[i, :, :, :last], cache.values[i, :, :last], sees)
            x += joined(read) @ self._weights.out[i]
            inner = self._normed(x) @ self._weights.up[i]
            np.maximum(inner, 0, out=inner)
            x += np.square(inner, out=inner) @ self._weights.down[i]
        cache.length = last
        return self._normed(x)

    def _normed(self, x: Array) -> Array:
        size = np.einsum("td,td->t", x, x)[:, None]
        out: Array = x / np.sqrt(size / np.float32(x.shape[1]) + np.float32(self._eps))
        return out

    def _turned(self, x: Array, position: Array) -> Array:
        half = HEAD_WIDTH // 2
        cos, sin = self._cos[position], self._sin[position]
        a, b = x[..., :half], x[..., half:]
        return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


LEAST_TOTAL = 1e-20
"""A sum of weights below this is not trusted: that token's scores lie too far below the largest one of its head."""


def _read(query: Array, keys: Array, values: Array, sees: NDArray[np.bool_] | None) -> Array:
    """What queries [H, T, E] read of a cache.

    The largest score of a whole head is taken off before the exponential, which costs a fifth of taking each token's
    own; should a token's scores all lie far below, each token's own is.
    """
    scores = (query * np.float32(HEAD_WIDTH**-0.5)) @ keys
    if sees is not None:
        scores[:, ~sees] = -np.inf
    ones = np.ones((keys.shape[-1], 1), np.float32)
    most = scores.reshape(len(scores), -1).max(axis=1)[:, None, None]
    weights = scores - most
    np.exp(weights, out=weights)
    total = weights @ ones
    if total.min() < LEAST_TOTAL:
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        total = weights @ ones
    out: Array = weights @ values
    out /= total
    return out
