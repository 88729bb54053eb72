"""One token through all layers in one compiled call, and what a slot is answered with.

A weight lies as [in, out] here, so that a matrix times a vector is a sum of rows: it vectorises as it stands, without
reordering a sum, and a row whose input is zero is not read at all. Half of an MLP's inner activations are.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import B1, F4, I8, F4x2, F4x3, bundle, jit

from .config import HEAD_WIDTH
from .sampling import best_of, judge

Array = NDArray[Any]


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
    logits: F4
    """[values of the largest set]."""
    legal: B1
    """[values of the largest set]."""


class Slots(NamedTuple):
    """What a slot is asked with and answered by."""

    embedding: F4x2
    """[slots + 1, D]."""
    output: F4x2
    """[D, V]."""
    bias: F4
    """[V]."""
    query: F4x2
    """[D, D] as [in, out]."""


WEIGHTS = bundle(Weights)
SCRATCH = bundle(Scratch)
SLOTS = bundle(Slots)


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


@jit("void", WEIGHTS, SCRATCH, "f4[:,:,:,:]", "f4[:,:,:,:]", "i8", "f4[:]", "f4[:]", "f4")
def step(
    weights: Weights, scratch: Scratch, keys: Array, values: Array, place: int, cos: Array, sin: Array, eps: float
) -> None:
    """One token, whose embedding is in ``scratch.x``, through all layers: its hidden state in ``scratch.normed``, its
    keys and values at ``place`` of the cache, which it sees up to there.
    """
    x, width = scratch.x, len(scratch.x)
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
    _norm(x, eps, scratch.normed)


@jit(
    "i8,f8,f8",
    WEIGHTS,
    SLOTS,
    SCRATCH,
    "f4[:,:,:,:]",
    "f4[:,:,:,:]",
    "i8",
    "f4[:]",
    "f4[:]",
    "f4",
    "i8",
    "i8",
    "i8",
    "f4[:,:]",
)
def ask(
    weights: Weights, slots: Slots, scratch: Scratch, keys: Array, values: Array, place: int, cos: Array, sin: Array,
    eps: float, slot: int, first: int, count: int, columns: Array,
) -> tuple[int, float, float]:  # fmt: skip
    """A token that carries ``scratch.x`` and asks for ``slot``: the greedy choice, its log-probability, the legal mass.

    The slot's values are rows ``first`` to ``first + count``; with -1 they are the ``columns`` [D, count] of a pointer.
    Logits are left in ``scratch.logits``; ``scratch.legal`` says which are legal.
    """
    for j in range(len(scratch.x)):
        scratch.x[j] += slots.embedding[slot, j]
    step(weights, scratch, keys, values, place, cos, sin, eps)
    logits, legal = scratch.logits[:count], scratch.legal[:count]
    if first < 0:
        _times(scratch.normed, slots.query, scratch.added)
        _times(scratch.added, columns, logits)
    else:
        for j in range(count):
            logits[j] = slots.bias[first + j]
        for i in range(len(scratch.normed)):
            for j in range(count):
                logits[j] += scratch.normed[i] * slots.output[i, first + j]
    chosen = best_of(logits, legal)
    logprob, mass = judge(logits, legal, chosen)
    return chosen, logprob, mass
