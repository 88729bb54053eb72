"""One scene prefix, many branches: what one training pass over a batch puts in, asks for, and lets see.

A sample is a prefix (its scene's tokens, padding left out) and one row of tokens after it, which holds all of its
branches: the trace of the choice, that of the runner-up, the decisions of either alone, and none at all (fast), each
with the control queries that are asked after it. The runner-up's trace starts as the choice's does; what they have in
common is in the row once, and both see it.

    row of a sample      choice ......... | 4 queries | runner-up's rest | 4 queries | decisions | 4 queries | 4 queries
    a token sees         the scene; of its own branch what comes before it (the runner-up: of the choice's the
                         common part too); itself. A query sees all of its branch and its fellow queries.

Shape suffixes: B samples, S scene tokens, T tokens of a row, N real tokens of all rows, P pointer slots of a row,
Q branches of all rows, C slots of closed sets that are asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from waytrace.microgpt.config import QUERIES
from waytrace.microgpt.heads import moves
from waytrace.microgpt.tokens import PLACES, SceneTokens
from waytrace.scenario import REAR_AXLE_TO_CENTRE
from waytrace.trace.slots import ROW_COUNT

from .branches import (
    F4,
    I8,
    IGNORED,
    POINTED_ROW,
    POINTER,
    QUERY_ORDER,
    QUERY_ROW,
    Batch,
    Block,
    Branches,
    Mask,
    blocks,
)


class Packed(NamedTuple):
    """A batch as arrays that a model takes in as they are."""

    features: Mapping[str, F4]
    """Of each kind the features [n, F] of its valid elements, over all samples."""
    scene_order: I8
    """[scene tokens] puts the elements, kind after kind, into the order of ``scene_real``."""
    scene_real: I8
    """[scene tokens] places among B * S."""
    scene_valid: Mask
    """[B, S]."""
    pointable: Mask
    """[B, S] tokens that stand for a row of the reference table."""
    real: I8
    """[N] places of the rows' tokens among B * T."""
    row: I8
    """[N] input row of each token."""
    slot: I8
    """[N] slot it asks for; ``CLOSING``; ``NO_SLOT``."""
    position: I8
    """[B, T] place in its branch, from 1; 0 for queries and padding."""
    pointed: I8
    """[input rows from ``POINTED_ROW``] places among B * S of the tokens pointed at."""
    mask: Mask
    """[B, T, S + T] what each token sees."""
    closed_at: I8
    """[C] which of the N tokens ask for a value of a closed set."""
    closed_slot: I8
    """[C]."""
    closed_value: I8
    """[C] row of the right value, among V."""
    pointer_at: I8
    """[B, P] which of the N tokens ask for a pointer; 0 for padding."""
    pointer_slot: I8
    """[B, P]; 0 for padding."""
    pointer_value: I8
    """[B, P] the right one among nothing, end and the S tokens; ``IGNORED`` for padding."""
    query_at: I8
    """[Q, 4] which of the N tokens are the queries of a branch."""
    query_branch: I8
    """[Q] number of the branch: choice, runner-up, decisions of either, fast."""
    moves: F4
    """[Q, M, K] m/s2 across in the first knots: ways to steer that the plan can follow."""
    start: F4
    """[Q, 4] x, y, heading, speed of the rear axle in the ego's frame."""
    accel: F4
    """[Q, 16]."""
    curvature: F4
    """[Q, 16]."""
    left_out: int
    """Pointer slots whose right row has no token: they are not asked."""

    @property
    def tokens(self) -> int:
        """Real tokens, of scenes and rows."""
        return len(self.scene_real) + len(self.real)


def pack(batch: Batch, branches: Branches, random: np.random.Generator) -> Packed:
    """A batch with its branches drawn. A sample whose draws leave it none is trained fast."""
    scene, place = _scene(batch.tokens)
    valid: Mask = scene["scene_valid"]
    drawn = branches.draw(batch.present, random)
    joined = Block(
        *(np.concatenate(parts, 1) for parts in zip(*blocks(batch, drawn, place, valid.shape[1]), strict=True))
    )
    return Packed(**scene, **_rows(joined, valid), **_plans(batch, joined))


def _scene(tokens: SceneTokens) -> tuple[dict[str, Any], I8]:
    """The scene's part, and [B, rows] the token that stands for each row of the reference table; -1 for none."""
    valid = tokens.valid
    features: dict[str, F4] = {}
    number = np.zeros(valid.shape, np.int64)
    first = count = 0
    for kind, places in PLACES.items():
        here = valid[:, first : first + places]
        features[kind] = np.ascontiguousarray(getattr(tokens, kind)[here], np.float32)
        number[:, first : first + places][here] = count + np.arange(len(features[kind]))
        first, count = first + places, count + len(features[kind])
    lengths = valid.sum(1)
    S = int(lengths.max())
    b, t = np.nonzero(valid)
    s = (np.cumsum(valid, 1) - 1)[b, t]
    row = tokens.row[b, t].astype(np.int64)
    has = row >= 0
    pointable = np.zeros((len(valid), S), np.bool_)
    pointable[b, s] = has
    place = np.full((len(valid), ROW_COUNT), -1, np.int64)
    place[b[has], row[has]] = s[has]
    scene_valid = np.arange(S) < lengths[:, None]
    arrays = {"features": features, "scene_order": number[b, t], "scene_real": b * S + s, "scene_valid": scene_valid}
    return arrays | {"pointable": pointable}, place


def _rows(joined: Block, scene_valid: Mask) -> dict[str, Any]:
    """The rows' part: blocks without their padding, one sample after the other."""
    kept = joined.kept
    lengths = kept.sum(1)
    T = int(lengths.max())
    b, w = np.nonzero(kept)
    t = (np.cumsum(kept, 1) - 1)[b, w]

    def row_of(values: I8, blank: int) -> I8:
        out = np.full((len(kept), T), blank, np.int64)
        out[b, t] = values[b, w]
        return out

    row, slot, answer = (x[b, w] for x in (joined.row, joined.slot, joined.answer))
    position = row_of(np.where(joined.order < QUERY_ORDER, joined.order + 1, 0), 0)
    unique, back = np.unique(row[row >= POINTED_ROW], return_inverse=True)
    row[row >= POINTED_ROW] = POINTED_ROW + back
    points = POINTER[np.minimum(slot, len(POINTER) - 1)] & (slot < len(POINTER))
    closed = np.flatnonzero((answer != IGNORED) & ~points)
    pointer = np.flatnonzero((answer != IGNORED) & points)
    return {
        "real": b * T + t, "row": row, "slot": slot, "position": position, "pointed": unique - POINTED_ROW,
        "mask": _mask(scene_valid, *(row_of(x, -1) for x in (joined.branch, joined.order, joined.shared))),
        "closed_at": closed, "closed_slot": slot[closed], "closed_value": answer[closed],
        **_pointers(pointer, b[pointer], slot[pointer], answer[pointer], len(kept)),
        "left_out": int((points & (answer == IGNORED)).sum()),
    }  # fmt: skip


def _mask(scene_valid: Mask, branch: I8, order: I8, shared: I8) -> Mask:
    """[B, T, S + T] what each token of a row sees; padding sees the scene and itself."""
    B, T = branch.shape
    own = (branch[:, :, None] == branch[:, None]) & (order[:, None] <= order[:, :, None])
    common = (branch == 0)[:, None] & (order[:, None] < shared[:, :, None])
    own |= common & (branch > 0)[:, :, None]
    scene = np.broadcast_to(scene_valid[:, None], (B, T, scene_valid.shape[1]))
    return np.concatenate([scene, own], 2)


def _pointers(at: I8, sample: I8, slot: I8, answer: I8, samples: int) -> dict[str, I8]:
    """Pointer slots sample by sample, padded to the most that one has."""
    counts = np.bincount(sample, minlength=samples)
    shape = (samples, int(counts.max(initial=0)))
    place = np.arange(len(at)) - (np.cumsum(counts) - counts)[sample]
    out = {name: np.full(shape, blank, np.int64) for name, blank in
           (("pointer_at", 0), ("pointer_slot", 0), ("pointer_value", IGNORED))}  # fmt: skip
    for name, values in zip(out, (at, slot, answer), strict=True):
        out[name][sample, place] = values
    return out


def _plans(batch: Batch, joined: Block) -> dict[str, Any]:
    """What the queries of each branch are to answer."""
    b, w = np.nonzero(joined.kept)
    row = joined.row[b, w]
    at = np.flatnonzero((row >= QUERY_ROW) & (row < POINTED_ROW)).reshape(-1, QUERIES)
    sample, branch = b[at[:, 0]], joined.branch[b, w][at[:, 0]]
    k = np.array([0, 1, 0, 1, 0])[branch]
    start = np.zeros((len(at), 4), np.float32)
    start[:, 0] = -REAR_AXLE_TO_CENTRE * batch.length_m[sample]
    start[:, 3] = batch.speed[sample]
    plans = {
        "accel": batch.accel[sample, k].astype(np.float32),
        "curvature": batch.curvature[sample, k].astype(np.float32),
    }
    moved = np.ascontiguousarray(moves(batch.tokens.path)[sample], np.float32)
    return {"query_at": at, "query_branch": branch, "moves": moved, "start": start, **plans}
