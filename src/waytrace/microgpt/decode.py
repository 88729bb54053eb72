"""The micro GPT at speed: one token through all layers in one compiled call, blocks of tokens by NumPy's BLAS.

Equal to :mod:`.forward`, which is a test. A weight lies as [in, out] here, so that a matrix times a vector is a sum of
rows: it vectorises as it stands, without reordering a sum, and a row whose input is zero is not read at all. Half of
an MLP's inner activations are.
"""

from __future__ import annotations

import math
import threading
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import F4, I8, F4x3, bundle, jit

from .config import HEAD_WIDTH, GPTConfig
from .forward import Cache, embed_scene, heads, joined, relu2, rmsnorm, visible
from .parameters import Parameters
from .tokens import SceneTokens

Array = NDArray[Any]

POSITIONS = 512
"""Positions that the table of rotations holds."""


class Weights(NamedTuple):
    """All layers' linear maps, [layer, in, out]."""

    qkv: F4x3
    out: F4x3
    up: F4x3
    down: F4x3


class Scratch(NamedTuple):
    """What the kernel works on; its content means nothing between calls."""

    x: F4
    """[D] the residual stream."""
    normed: F4
    """[D]."""
    qkv: F4
    """[3D]."""
    read: F4
    """[D]."""
    inner: F4
    """[4D]."""
    added: F4
    """[D]."""
    scores: F4
    """[capacity]."""
    active: I8
    """[4D] rows of the down projection that count."""


WEIGHTS = bundle(Weights)
SCRATCH = bundle(Scratch)


@jit("void", "f4[:]", "f4[:,:]", "f4[:]")
def _times(x: Array, weight: Array, out: Array) -> None:
    """``out`` [m] = ``x`` [n] times ``weight`` [n, m], four rows at a time; n is a multiple of 4."""
    out[:] = np.float32(0.0)
    for i in range(0, len(x), 4):
        a, b, c, d = x[i], x[i + 1], x[i + 2], x[i + 3]
        for j in range(len(out)):
            out[j] += (a * weight[i, j] + b * weight[i + 1, j]) + (c * weight[i + 2, j] + d * weight[i + 3, j])


@jit("void", "f4[:]", "f4[:,:]", "f4[:]", "i8[:]")
def _times_positive_squared(x: Array, weight: Array, out: Array, active: Array) -> None:
    """``out`` = relu(``x``)^2 times ``weight``, reading the rows of positive inputs alone."""
    out[:] = np.float32(0.0)
    count = 0
    for i in range(len(x)):
        if x[i] > 0.0:
            active[count] = i
            count += 1
    whole = count - count % 4
    for k in range(0, whole, 4):
        i0, i1, i2, i3 = active[k], active[k + 1], active[k + 2], active[k + 3]
        a, b, c, d = x[i0] * x[i0], x[i1] * x[i1], x[i2] * x[i2], x[i3] * x[i3]
        for j in range(len(out)):
            out[j] += (a * weight[i0, j] + b * weight[i1, j]) + (c * weight[i2, j] + d * weight[i3, j])
    for k in range(whole, count):
        i0 = active[k]
        a = x[i0] * x[i0]
        for j in range(len(out)):
            out[j] += a * weight[i0, j]


@jit("void", "f4[:]", "f4", "f4[:]")
def _norm(x: Array, eps: float, out: Array) -> None:
    total = np.float32(0.0)
    for i in range(len(x)):
        total += x[i] * x[i]
    scale = np.float32(1.0) / np.float32(math.sqrt(total / np.float32(len(x)) + eps))
    for i in range(len(x)):
        out[i] = x[i] * scale


@jit("void", "f4[:]", "f4[:]", "f4[:]")
def _turn(x: Array, cos: Array, sin: Array) -> None:
    """Rotate one head's ``x`` [32] in place."""
    half = len(cos)
    for i in range(half):
        a, b = x[i], x[i + half]
        x[i] = a * cos[i] - b * sin[i]
        x[i + half] = b * cos[i] + a * sin[i]


@jit("void", "f4[:]", "f4[:,:]", "f4[:,:]", "i8", "f4[:]", "f4[:]")
def _read(query: Array, keys: Array, values: Array, length: int, scores: Array, out: Array) -> None:
    """What one head's query [32] reads of keys [32, capacity] and values [capacity, 32] up to ``length``."""
    for s in range(length):
        scores[s] = np.float32(0.0)
    for e in range(0, len(query), 4):
        a, b, c, d = query[e], query[e + 1], query[e + 2], query[e + 3]
        for s in range(length):
            scores[s] += (a * keys[e, s] + b * keys[e + 1, s]) + (c * keys[e + 2, s] + d * keys[e + 3, s])
    scale = np.float32(1.0 / math.sqrt(len(query)))
    most = scores[0]
    for s in range(1, length):
        most = max(most, scores[s])
    total = np.float32(0.0)
    for s in range(length):
        weight = np.float32(math.exp((scores[s] - most) * scale))
        scores[s] = weight
        total += weight
    for e in range(len(out)):
        out[e] = np.float32(0.0)
    for s in range(length):
        weight = scores[s]
        for e in range(len(out)):
            out[e] += weight * values[s, e]
    for e in range(len(out)):
        out[e] = out[e] / total


@jit("void", WEIGHTS, SCRATCH, "f4[:,:,:,:]", "f4[:,:,:,:]", "i8", "f4[:]", "f4[:]", "f4", "f4[:]")
def step(
    weights: Weights, scratch: Scratch, keys: Array, values: Array, length: int, cos: Array, sin: Array, eps: float,
    hidden: Array,
) -> None:  # fmt: skip
    """One token, whose embedding is in ``scratch.x``, through all layers: its state in ``hidden``, its keys and values
    at place ``length`` of the cache.
    """
    x, width = scratch.x, len(scratch.x)
    place = length
    for layer in range(len(weights.qkv)):
        _norm(x, eps, scratch.normed)
        _times(scratch.normed, weights.qkv[layer], scratch.qkv)
        for head in range(keys.shape[1]):
            at = head * HEAD_WIDTH
            query = scratch.qkv[at : at + HEAD_WIDTH]
            key = scratch.qkv[width + at : width + at + HEAD_WIDTH]
            _turn(query, cos, sin)
            _turn(key, cos, sin)
            for e in range(HEAD_WIDTH):
                keys[layer, head, e, place] = key[e]
                values[layer, head, place, e] = scratch.qkv[2 * width + at + e]
            out = scratch.read[at : at + HEAD_WIDTH]
            _read(query, keys[layer, head], values[layer, head], place + 1, scratch.scores, out)
        _times(scratch.read, weights.out[layer], scratch.added)
        for j in range(width):
            x[j] += scratch.added[j]
        _norm(x, eps, scratch.normed)
        _times(scratch.normed, weights.up[layer], scratch.inner)
        _times_positive_squared(scratch.inner, weights.down[layer], scratch.added, scratch.active)
        for j in range(width):
            x[j] += scratch.added[j]
    _norm(x, eps, hidden)


class Compiled:
    """A model that runs fast at batch 1 on one thread; several threads may share it."""

    def __init__(self, parameters: Parameters, config: GPTConfig) -> None:
        self.parameters, self.config = parameters, config
        layers = range(config.depth)

        def turned(*names: str) -> Array:
            stacked = [
                np.concatenate([parameters[f"backbone.layers.{i}.{name}.weight"].T for name in names], axis=1)
                for i in layers
            ]
            return np.ascontiguousarray(np.stack(stacked), np.float32)

        self._weights = Weights(
            turned("attn.q_proj", "attn.k_proj", "attn.v_proj"), turned("attn.o_proj"), turned("mlp.up_proj"),
            turned("mlp.down_proj"),
        )  # fmt: skip
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
            sizes = (d, d, 3 * d, d, 4 * d, d, capacity)
            mine = Scratch._make([*(np.zeros(n, np.float32) for n in sizes), np.zeros(4 * d, np.int64)])
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
        if len(x) > 1:
            return self._block(x, position, cache, mutual)
        scratch, at = self._scratch(cache.capacity), int(position[0])
        hidden = np.empty((1, self.config.width), np.float32)
        scratch.x[:] = x[0]
        step(self._weights, scratch, cache.keys, cache.values, cache.length, self._cos[at], self._sin[at], self._eps,
             hidden[0])  # fmt: skip
        cache.length += 1
        return hidden

    def _block(self, x: Array, position: Array | None, cache: Cache, mutual: int) -> Array:
        """Several tokens at once; ``position`` None where all are 0."""
        first, last, d = cache.length, cache.length + len(x), self.config.width
        sees = None if mutual == len(x) else visible(first, len(x), mutual)
        scale = np.float32(HEAD_WIDTH**-0.5)
        for i in range(self.config.depth):
            qkv = rmsnorm(x, self._eps) @ self._weights.qkv[i]
            query, key = heads(qkv[:, :d]), heads(qkv[:, d : 2 * d])
            if position is not None:
                query, key = self._turned(query, position), self._turned(key, position)
            cache.keys[i, :, :, first:last] = key.swapaxes(1, 2)
            cache.values[i, :, first:last] = heads(qkv[:, 2 * d :])
            scores = (query * scale) @ cache.keys[i, :, :, :last]
            if sees is not None:
                scores[:, ~sees] = -np.inf
            scores -= scores.max(axis=-1, keepdims=True)
            np.exp(scores, out=scores)
            read = scores @ cache.values[i, :, :last]
            read /= scores.sum(axis=-1, keepdims=True)
            x = x + joined(read) @ self._weights.out[i]
            x += relu2(rmsnorm(x, self._eps) @ self._weights.up[i]) @ self._weights.down[i]
        cache.length = last
        return rmsnorm(x, self._eps)

    def _turned(self, x: Array, position: Array) -> Array:
        half = HEAD_WIDTH // 2
        cos, sin = self._cos[position], self._sin[position]
        a, b = x[..., :half], x[..., half:]
        return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)
