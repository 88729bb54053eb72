"""A few tokens through all layers in one compiled call, and what a slot is answered with.

A weight lies as [in, out] here, so that a matrix times a vector is a sum of rows: it vectorises as it stands, without
reordering a sum, and a row whose input is zero is not read at all. Half of an MLP's inner activations are.

Legend: T <= ``MOST_ROWS`` new tokens, D width, E width of a head.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import B1, F4, I4, I8, F4x2, F4x3, bundle, jit

from .config import HEAD_WIDTH
from .sampling import best_of, judge

Array = NDArray[Any]

MOST_ROWS: Final = 8
"""Tokens that go through together: a closing token and the control queries are 5."""

_LOG2E, _LEAST_POWER = np.float32(math.log2(math.e)), np.float32(-126.0)
_C1, _C2, _C3, _C4, _C5, _C6 = (np.float32(math.log(2.0) ** k / math.factorial(k)) for k in range(1, 7))
_C7 = np.float32(math.log(2.0) ** 7 / math.factorial(7))
_HALF = np.float32(0.5)


class Weights(NamedTuple):
    """All layers' linear maps, [layer, in, out]."""

    qkv: F4x3
    out: F4x3
    up: F4x3
    down: F4x3


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


class Scratch(NamedTuple):
    """What the kernels work on; its content means nothing between calls. The first axis is the token."""

    x: F4x2
    """[8, D] the residual stream: embeddings go in here."""
    normed: F4x2
    """[8, D] hidden states come out here."""
    qkv: F4x2
    """[8, 3D]."""
    read: F4x2
    """[8, D]."""
    inner: F4x2
    """[8, 4D]."""
    added: F4x2
    """[8, D]."""
    scores: F4
    """[capacity]."""
    bits: I4
    """[capacity] of powers of two, as they lie in memory ..."""
    power: F4
    """... and the same memory as numbers."""
    active: I8
    """[4D] rows of the down projection that count."""
    logits: F4
    """[values of the largest set]."""
    legal: B1
    """[values of the largest set]."""


WEIGHTS = bundle(Weights)
SLOTS = bundle(Slots)
SCRATCH = bundle(Scratch)


@jit("void", "f4[:,:]", "i8", "f4[:,:]", "f4[:,:]")
def _times(x: Array, rows: int, weight: Array, out: Array) -> None:
    """``out`` [T, m] = ``x`` [T, n] times ``weight`` [n, m], four rows of it at a time; n is a multiple of 4."""
    width = weight.shape[1]
    for t in range(rows):
        for j in range(width):
            out[t, j] = np.float32(0.0)
    for i in range(0, len(weight), 4):
        for t in range(rows):
            a, b, c, d = x[t, i], x[t, i + 1], x[t, i + 2], x[t, i + 3]
            for j in range(width):
                out[t, j] += (a * weight[i, j] + b * weight[i + 1, j]) + (c * weight[i + 2, j] + d * weight[i + 3, j])


@jit("void", "f4[:]", "f4[:,:]", "f4[:]", "i8[:]")
def _times_positive_squared(x: Array, weight: Array, out: Array, active: Array) -> None:
    """``out`` [m] = relu(``x``)^2 [n] times ``weight``, reading the rows of positive inputs alone."""
    width = weight.shape[1]
    for j in range(width):
        out[j] = np.float32(0.0)
    count = 0
    for i in range(len(x)):
        active[count] = i
        count += x[i] > 0.0
    whole = count - count % 4
    for k in range(0, whole, 4):
        i0, i1, i2, i3 = active[k], active[k + 1], active[k + 2], active[k + 3]
        a, b, c, d = x[i0] * x[i0], x[i1] * x[i1], x[i2] * x[i2], x[i3] * x[i3]
        for j in range(width):
            out[j] += (a * weight[i0, j] + b * weight[i1, j]) + (c * weight[i2, j] + d * weight[i3, j])
    for k in range(whole, count):
        i0 = active[k]
        a = x[i0] * x[i0]
        for j in range(width):
            out[j] += a * weight[i0, j]


@jit("void", "f4[:,:]", "i8", "f4", "f4[:,:]")
def _norm(x: Array, rows: int, eps: float, out: Array) -> None:
    width = x.shape[1]
    for t in range(rows):
        total = np.float32(0.0)
        for i in range(width):
            total += x[t, i] * x[t, i]
        scale = np.float32(1.0) / np.float32(math.sqrt(total / np.float32(width) + eps))
        for i in range(width):
            out[t, i] = x[t, i] * scale


@jit("void", "f4[:]", "f4[:]", "f4[:]")
def _turn(x: Array, cos: Array, sin: Array) -> None:
    """Rotate one head's ``x`` [32] in place."""
    half = len(cos)
    for i in range(half):
        a, b = x[i], x[i + half]
        x[i] = a * cos[i] - b * sin[i]
        x[i + half] = b * cos[i] + a * sin[i]


@jit("void", "f4[:]", "i8", "f4", "i4[:]", "f4[:]")
def exponential(x: Array, count: int, most: float, bits: Array, power: Array) -> None:
    """``x`` = exp(``x`` - ``most``), which is at most 1: a power of two put together from its bits times a polynomial.

    The library's exponential is called number by number; these loops vectorise. Within 1e-6 of it, relatively, down to
    exp(-8), and within 5e-6 below.
    """
    for i in range(count):
        t = max((x[i] - most) * _LOG2E, _LEAST_POWER)
        whole = np.int32(t - _HALF)
        bits[i] = (whole + np.int32(127)) << np.int32(23)
        f = t - np.float32(whole)
        x[i] = np.float32(1.0) + f * (_C1 + f * (_C2 + f * (_C3 + f * (_C4 + f * (_C5 + f * (_C6 + f * _C7))))))
    for i in range(count):
        x[i] *= power[i]


@jit("void", "f4[:]", "f4[:,:]", "f4[:,:]", "i8", "f4[:]", "i4[:]", "f4[:]", "f4[:]")
def _read(
    query: Array, keys: Array, values: Array, length: int, scores: Array, bits: Array, power: Array, out: Array
) -> None:
    """What one head's query [32] reads of keys [32, capacity] and values [capacity, 32] up to ``length``."""
    scale = np.float32(1.0 / math.sqrt(len(query)))
    for s in range(length):
        scores[s] = np.float32(0.0)
    for e in range(0, len(query), 4):
        a, b, c, d = scale * query[e], scale * query[e + 1], scale * query[e + 2], scale * query[e + 3]
        for s in range(length):
            scores[s] += (a * keys[e, s] + b * keys[e + 1, s]) + (c * keys[e + 2, s] + d * keys[e + 3, s])
    most = scores[0]
    for s in range(1, length):
        most = max(most, scores[s])
    exponential(scores, length, most, bits, power)
    total = np.float32(0.0)
    for e in range(len(out)):
        out[e] = np.float32(0.0)
    whole = length - length % 4
    for s in range(0, whole, 4):
        a, b, c, d = scores[s], scores[s + 1], scores[s + 2], scores[s + 3]
        total += (a + b) + (c + d)
        for e in range(len(out)):
            out[e] += (a * values[s, e] + b * values[s + 1, e]) + (c * values[s + 2, e] + d * values[s + 3, e])
    for s in range(whole, length):
        a = scores[s]
        total += a
        for e in range(len(out)):
            out[e] += a * values[s, e]
    for e in range(len(out)):
        out[e] = out[e] / total


@jit(
    "void", WEIGHTS, SCRATCH, "f4[:,:,:,:]", "f4[:,:,:,:]", "i8", "i8", "i8", "f4[:,:]", "f4[:,:]", "i8[:]", "f4"
)  # fmt: skip
def layers(
    weights: Weights, scratch: Scratch, keys: Array, values: Array, first: int, rows: int, mutual: int, cos: Array,
    sin: Array, position: Array, eps: float,
) -> None:  # fmt: skip
    """``rows`` tokens, whose embeddings are in ``scratch.x``, through all layers: hidden states in ``scratch.normed``,
    keys and values from place ``first`` of the cache on.

    The last ``mutual`` see each other both ways, the others what comes before them and themselves. ``cos`` and ``sin``
    [positions, E / 2] have the rotations, ``position`` [T] says which.
    """
    x, width = scratch.x, scratch.x.shape[1]
    for layer in range(len(weights.qkv)):
        _norm(x, rows, eps, scratch.normed)
        _times(scratch.normed, rows, weights.qkv[layer], scratch.qkv)
        for t in range(rows):
            for head in range(keys.shape[1]):
                at = head * HEAD_WIDTH
                key = scratch.qkv[t, width + at : width + at + HEAD_WIDTH]
                _turn(scratch.qkv[t, at : at + HEAD_WIDTH], cos[position[t]], sin[position[t]])
                _turn(key, cos[position[t]], sin[position[t]])
                for e in range(HEAD_WIDTH):
                    keys[layer, head, e, first + t] = key[e]
                    values[layer, head, first + t, e] = scratch.qkv[t, 2 * width + at + e]
        for t in range(rows):
            seen = first + (rows if t >= rows - mutual else t + 1)
            for head in range(keys.shape[1]):
                at = head * HEAD_WIDTH
                _read(
                    scratch.qkv[t, at : at + HEAD_WIDTH], keys[layer, head], values[layer, head], seen, scratch.scores,
                    scratch.bits, scratch.power, scratch.read[t, at : at + HEAD_WIDTH],
                )  # fmt: skip
        _times(scratch.read, rows, weights.out[layer], scratch.added)
        for t in range(rows):
            for j in range(width):
                x[t, j] += scratch.added[t, j]
        _norm(x, rows, eps, scratch.normed)
        _times(scratch.normed, rows, weights.up[layer], scratch.inner)
        for t in range(rows):
            _times_positive_squared(scratch.inner[t], weights.down[layer], scratch.added[t], scratch.active)
            for j in range(width):
                x[t, j] += scratch.added[t, j]
    _norm(x, rows, eps, scratch.normed)


@jit(
    "i8,f8,f8", WEIGHTS, SLOTS, SCRATCH, "f4[:,:,:,:]", "f4[:,:,:,:]", "i8", "f4[:,:]", "f4[:,:]", "i8[:]", "f4", "i8",
    "i8", "i8", "f4[:,:]",
)  # fmt: skip
def ask(
    weights: Weights, slots: Slots, scratch: Scratch, keys: Array, values: Array, place: int, cos: Array, sin: Array,
    position: Array, eps: float, slot: int, first: int, count: int, columns: Array,
) -> tuple[int, float, float]:  # fmt: skip
    """A token that carries ``scratch.x[0]`` and asks for ``slot``: greedy choice, its log-probability, legal mass.

    The slot's values are rows ``first`` to ``first + count``; with -1 they are the ``columns`` [D, count] of a pointer.
    Logits are left in ``scratch.logits``; ``scratch.legal`` says which are legal.
    """
    for j in range(scratch.x.shape[1]):
        scratch.x[0, j] += slots.embedding[slot, j]
    layers(weights, scratch, keys, values, place, 1, 1, cos, sin, position, eps)
    logits, hidden = scratch.logits, scratch.normed[0]
    if first < 0:
        _times(scratch.normed, 1, slots.query, scratch.added)
        for j in range(count):
            logits[j] = np.float32(0.0)
        for i in range(len(hidden)):
            for j in range(count):
                logits[j] += scratch.added[0, i] * columns[i, j]
    else:
        for j in range(count):
            logits[j] = slots.bias[first + j]
        for i in range(len(hidden)):
            for j in range(count):
                logits[j] += hidden[i] * slots.output[i, first + j]
    chosen = best_of(logits[:count], scratch.legal[:count])
    logprob, mass = judge(logits[:count], scratch.legal[:count], chosen)
    return chosen, logprob, mass
