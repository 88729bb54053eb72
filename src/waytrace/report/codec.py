"""Numbers as short text: quantised, delta-coded, zigzag varints in base64. ``templates/codec.js`` is the other half.

A page must stay small and open without a network, so the tracks of a drive travel as integer streams: a rounding step
first (a centimetre, a tenth of a degree), then differences along the last axis (second differences for positions,
which are nearly constant in smooth motion), then one byte for every value within +-63. No compressor is needed in the
browser.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

CM = 0.01
"""Step of positions (m) and speeds (m/s)."""
DECIDEGREE = np.pi / 1800
"""Step of headings, rad: a tenth of a degree."""


def pack(values: NDArray[np.integer[Any]] | list[int]) -> str:
    """Integers (flattened) as base64 of zigzag varints: 7 bits a byte, low bits first, high bit set if more follow."""
    flat: Ints = np.asarray(values, dtype=np.int64).ravel()
    unsigned = ((flat << 1) ^ (flat >> 63)).astype(np.uint64)
    groups = np.ones(len(flat), dtype=np.int64)
    for bits in range(7, 64, 7):
        groups += unsigned >= np.uint64(1 << bits)
    end = np.cumsum(groups)
    owner = np.repeat(np.arange(len(flat)), groups)
    place = np.arange(int(end[-1]) if len(end) else 0) - np.repeat(end - groups, groups)
    byte = (unsigned[owner] >> (7 * place).astype(np.uint64)) & np.uint64(127)
    byte |= np.where(place < groups[owner] - 1, np.uint64(128), np.uint64(0))
    return base64.b64encode(byte.astype(np.uint8).tobytes()).decode("ascii")


def unpack(text: str) -> Ints:
    """The integers that :func:`pack` was given, [n]."""
    byte = np.frombuffer(base64.b64decode(text), dtype=np.uint8).astype(np.uint64)
    last = byte < 128
    end = np.flatnonzero(last)
    start = np.concatenate([[0], end[:-1] + 1]) if len(end) else np.zeros(0, np.int64)
    place = np.arange(len(byte)) - np.repeat(start, end - start + 1)
    parts = (byte & np.uint64(127)) << (7 * place).astype(np.uint64)
    unsigned = np.add.reduceat(parts, start) if len(start) else np.zeros(0, np.uint64)
    return (unsigned >> np.uint64(1)).astype(np.int64) ^ -(unsigned & np.uint64(1)).astype(np.int64)


def quantise(values: NDArray[np.float64], step: float) -> Ints:
    """Values in units of ``step``, rounded; what is not finite becomes 0."""
    rounded: Ints = np.rint(np.where(np.isfinite(values), values, 0.0) / step).astype(np.int64)
    return rounded


def delta(values: Ints, order: int = 1) -> Ints:
    """Differences along the last axis, the first value kept; ``order`` times over."""
    for _ in range(order):
        values = np.concatenate([values[..., :1], np.diff(values, axis=-1)], axis=-1)
    return values


def undelta(values: Ints, order: int = 1) -> Ints:
    """Inverse of :func:`delta`."""
    for _ in range(order):
        values = np.cumsum(values, axis=-1)
    return values


def hold(values: Ints, valid: NDArray[np.bool_]) -> Ints:
    """Values [..., T] with each invalid entry replaced by the last valid one before it (or the first one of all)."""
    steps = values.shape[-1]
    if not steps:
        return values
    index = np.where(valid, np.arange(steps), -1)
    index = np.maximum.accumulate(index, axis=-1)
    first = np.argmax(valid, axis=-1)[..., None]
    return np.take_along_axis(values, np.where(index < 0, first, index), axis=-1)


def track(values: NDArray[np.float64], valid: NDArray[np.bool_], step: float, order: int) -> str:
    """One quantity of many agents, [N, T], as a stream of ``order``-th differences per agent."""
    return pack(delta(hold(quantise(values, step), valid), order))


def runs(flags: NDArray[np.bool_]) -> str:
    """Flags (flattened) as lengths of runs, the first run being of false."""
    flat = np.asarray(flags, dtype=np.bool_).ravel()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flat])))
    return pack(np.diff(np.concatenate([[0], edges, [len(flat)]])))


def unruns(text: str) -> NDArray[np.bool_]:
    """The flags that :func:`runs` was given, flattened."""
    lengths = unpack(text)
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
