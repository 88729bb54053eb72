"""Numbers as short text: quantised, delta-coded, varints in base64. ``templates/codec.js`` is the other half.

A page must stay small and open without a network, so the tracks of a drive travel as integer streams: a rounding step
first (a centimetre, a tenth of a degree), then differences along the last axis (second differences for positions,
which are nearly constant in smooth motion), then one byte for every value within +-63 and two for any run of
zeros. No compressor is needed in the browser.
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
    """Integers (flattened) as base64 of varints: 7 bits a byte, low bits first, high bit set if more follow.

    A value stands as its zigzag code plus one. Three or more zeros in a row (what stands still, what is not there) are
    a 0 and their number. Values are below 2**62 in magnitude.
    """
    tokens = _tokens(np.asarray(values, dtype=np.int64).ravel())
    groups = np.ones(len(tokens), dtype=np.int64)
    for bits in range(7, 64, 7):
        groups += tokens >= np.uint64(1 << bits)
    end = np.cumsum(groups)
    owner = np.repeat(np.arange(len(tokens)), groups)
    place = np.arange(int(end[-1]) if len(end) else 0) - np.repeat(end - groups, groups)
    byte = (tokens[owner] >> (7 * place).astype(np.uint64)) & np.uint64(127)
    byte |= np.where(place < groups[owner] - 1, np.uint64(128), np.uint64(0))
    return base64.b64encode(byte.astype(np.uint8).tobytes()).decode("ascii")


def unpack(text: str) -> Ints:
    """The integers that :func:`pack` was given, [n]."""
    byte = np.frombuffer(base64.b64decode(text), dtype=np.uint8).astype(np.uint64)
    end = np.flatnonzero(byte < 128)
    start = np.concatenate([[0], end[:-1] + 1]) if len(end) else np.zeros(0, np.int64)
    place = np.arange(len(byte)) - np.repeat(start, end - start + 1)
    parts = (byte & np.uint64(127)) << (7 * place).astype(np.uint64)
    tokens = np.add.reduceat(parts, start) if len(start) else np.zeros(0, np.uint64)
    run = np.flatnonzero(tokens == 0)
    count = np.ones(len(tokens), dtype=np.int64)
    count[run], count[run + 1] = tokens[run + 1].astype(np.int64), 0
    zigzag = np.where(tokens == 0, np.uint64(0), tokens - np.uint64(1))
    values = (zigzag >> np.uint64(1)).astype(np.int64) ^ -(zigzag & np.uint64(1)).astype(np.int64)
    return np.repeat(values, count)


def _tokens(flat: Ints) -> NDArray[np.uint64]:
    tokens = ((flat << 1) ^ (flat >> 63)).astype(np.uint64) + np.uint64(1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flat == 0, [False]])))
    begin, until = edges[::2], edges[1::2]
    long = until - begin > 2
    begin, until = begin[long], until[long]
    inside = np.zeros(len(flat) + 1, dtype=np.int64)
    inside[begin + 2], inside[until] = 1, -1
    keep = np.cumsum(inside[:-1]) == 0
    tokens[begin], tokens[begin + 1] = 0, (until - begin).astype(np.uint64)
    kept: NDArray[np.uint64] = tokens[keep]
    return kept


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
