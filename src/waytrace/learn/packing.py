"""Samples to arrays of one shard and back to padded batches: half precision, valid tokens only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit
from waytrace.microgpt import FEATURES, PLACES, TOKENS
from waytrace.scenario import PLAN_KNOTS

from .sample import BRANCHES, DRIVERS, GATES, Sample

K = len(BRANCHES)
WIDTHS = np.repeat(np.array(list(FEATURES.values()), np.int64), list(PLACES.values()))
"""[99] columns of each place."""

with np.errstate(invalid="ignore"):
    HALVES = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
"""[65536] the number that each pattern of a half stands for."""


class Packed(NamedTuple):
    """The arrays of a shard of S samples, as they lie on disk."""

    features: NDArray[np.int16]
    """Bit patterns of halves: the columns of all valid tokens, token by token, sample by sample."""
    feature_lo: NDArray[np.int64]
    """[S + 1]."""
    valid: NDArray[np.bool_]
    """[S, 99]."""
    row: NDArray[np.int16]
    slot: NDArray[np.int16]
    value: NDArray[np.int16]
    branch_lo: NDArray[np.int64]
    """[S * K + 1] of ``slot`` and ``value``."""
    present: NDArray[np.bool_]
    """[S, K]."""
    decision: NDArray[np.int8]
    """[S, K, 2]."""
    before: NDArray[np.int8]
    """[S, 2]."""
    accel: NDArray[np.float32]
    """[S, K, 16]."""
    curvature: NDArray[np.float32]
    speed: NDArray[np.float32]
    length: NDArray[np.float32]
    driver: NDArray[np.uint8]
    gate: NDArray[np.uint8]
    tick: NDArray[np.int32]
    scenario: NDArray[np.int32]
    """[S] number in the shard's list of scenarios."""


def pack(samples: Sequence[Sample], scenarios: Sequence[str]) -> Packed:
    """The arrays of a shard; ``scenarios`` lists the ids that its samples belong to."""
    count = len(samples)
    number = {id: k for k, id in enumerate(scenarios)}
    valid = np.zeros((count, TOKENS), np.bool_)
    row = np.full((count, TOKENS), -1, np.int16)
    features: list[NDArray[np.float16]] = []
    slots: list[NDArray[np.int16]] = []
    values: list[NDArray[np.int16]] = []
    branch_lo = np.zeros(count * K + 1, np.int64)
    decision = np.full((count, K, 2), -1, np.int8)
    present = np.zeros((count, K), np.bool_)
    accel, curvature = (np.zeros((count, K, PLAN_KNOTS), np.float32) for _ in range(2))
    for s, sample in enumerate(samples):
        tokens = sample.tokens
        valid[s], row[s] = tokens.valid[0], tokens.row[0]
        at = 0
        for kind, places in PLACES.items():
            features.append(getattr(tokens, kind)[0][valid[s, at : at + places]].astype(np.float16).reshape(-1))
            at += places
        for k in range(K):
            length = 0
            if k < len(sample.branches):
                branch = sample.branches[k]
                slots.append(branch.slot)
                values.append(branch.value)
                length = len(branch.slot)
                present[s, k], decision[s, k] = True, branch.decision
                accel[s, k], curvature[s, k] = branch.accel_mps2, branch.curvature_1pm
            branch_lo[s * K + k + 1] = branch_lo[s * K + k] + length
    none = [np.zeros(0, np.int16)]
    return Packed(
        np.concatenate(features).view(np.int16) if features else none[0],
        np.concatenate([[0], np.cumsum(valid @ WIDTHS)]).astype(np.int64), valid, row,
        np.concatenate(slots or none).astype(np.int16), np.concatenate(values or none).astype(np.int16), branch_lo,
        present, decision, np.array([s.before for s in samples], np.int8).reshape(count, 2), accel, curvature,
        np.array([s.speed_mps for s in samples], np.float32), np.array([s.length_m for s in samples], np.float32),
        np.array([DRIVERS.index(s.driver) for s in samples], np.uint8),
        np.array([GATES.index(s.gate) for s in samples], np.uint8),
        np.array([s.tick for s in samples], np.int32), np.array([number[s.scenario] for s in samples], np.int32),
    )  # fmt: skip


@jit("i8", "i2[:]", "i8", "b1[:]", "i8", "f4[:]", "f4[:,:]")
def _unpack_kind(
    half: NDArray[np.int16], at: int, valid: NDArray[np.bool_], first: int, halves: NDArray[np.float32],
    out: NDArray[np.float32],
) -> int:  # fmt: skip
    for p in range(out.shape[0]):
        if valid[first + p]:
            for c in range(out.shape[1]):
                out[p, c] = halves[np.int64(half[at + c]) & 0xFFFF]
            at += out.shape[1]
    return at


@jit(
    "void", "i2[:]", "i8[:]", "b1[:,:]", "i8[:]", "i8[:]", "f4[:]", "f4[:,:,:]", "f4[:,:,:]", "f4[:,:,:]", "f4[:,:,:]",
    "f4[:,:,:]", "f4[:,:,:]", "f4[:,:,:]"
)  # fmt: skip
def unpack_tokens(
    half: NDArray[np.int16], lo: NDArray[np.int64], valid: NDArray[np.bool_], which: NDArray[np.int64],
    place: NDArray[np.int64], halves: NDArray[np.float32], ego: NDArray[np.float32], path: NDArray[np.float32],
    agent: NDArray[np.float32], map: NDArray[np.float32], light: NDArray[np.float32], crosswalk: NDArray[np.float32],
    stop_line: NDArray[np.float32],
) -> None:  # fmt: skip
    """Write the tokens of samples ``which`` of a shard to rows ``place`` of a batch that is all 0."""
    for i in range(len(which)):
        s, b = which[i], place[i]
        at, first = lo[s], 0
        for k in range(7):
            if k == 0:
                out = ego[b]
            elif k == 1:
                out = path[b]
            elif k == 2:
                out = agent[b]
            elif k == 3:
                out = map[b]
            elif k == 4:
                out = light[b]
            elif k == 5:
                out = crosswalk[b]
            else:
                out = stop_line[b]
            at = _unpack_kind(half, at, valid[s], first, halves, out)
            first += out.shape[0]


@jit("void", "i2[:]", "i2[:]", "i8[:]", "i8[:]", "i8[:]", "i2[:,:,:]", "i2[:,:,:]")
def unpack_traces(
    slot: NDArray[np.int16], value: NDArray[np.int16], lo: NDArray[np.int64], which: NDArray[np.int64],
    place: NDArray[np.int64], slot_out: NDArray[np.int16], value_out: NDArray[np.int16],
) -> None:  # fmt: skip
    """Write the traces of samples ``which`` of a shard to rows ``place`` of a batch that is all -1."""
    branches = slot_out.shape[1]
    for i in range(len(which)):
        for k in range(branches):
            first, last = lo[which[i] * branches + k], lo[which[i] * branches + k + 1]
            for j in range(last - first):
                slot_out[place[i], k, j], value_out[place[i], k, j] = slot[first + j], value[first + j]
