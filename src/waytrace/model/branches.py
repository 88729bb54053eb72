"""Which branches a sample trains, and the tokens of each: the first half of :mod:`waytrace.model.layout`.

Shape suffixes: B samples, K = 2 traces (choice, runner-up), N values of a trace, W tokens of a block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from waytrace.microgpt.config import MODES, QUERIES
from waytrace.microgpt.tokens import SceneTokens
from waytrace.microgpt.vocabulary import VALUE_AT, VALUES
from waytrace.scenario import WaytraceError
from waytrace.trace import SLOTS
from waytrace.trace.slots import BY_NAME, END, NOTHING, ROW_COUNT, Pointer

I8 = NDArray[np.int64]
F4 = NDArray[np.float32]
Mask = NDArray[np.bool_]

NOWHERE = 2
"""Pointers to no token: "nothing" and "the list ends here"."""
CLOSING, NO_SLOT = len(SLOTS), len(SLOTS) + 1
"""Slot rows of the token after the last value, and of what is no trace token."""
NOTHING_ROW, END_ROW, BEGIN_ROW, QUERY_ROW = VALUES, VALUES + 1, VALUES + 2, VALUES + 3
POINTED_ROW = QUERY_ROW + len(MODES) * QUERIES
"""Input rows: the values, nothing, end, begin, the queries mode by mode, and then the tokens that are pointed at."""
IGNORED = -100
QUERY_ORDER = 1 << 20

POINTER = np.array([isinstance(slot.values, Pointer) for slot in SLOTS])
_FIRST = np.array([VALUE_AT.get(slot.values.name, 0) for slot in SLOTS])
DECISION_SLOTS = np.array([SLOTS.index(BY_NAME[name]) for name in ("longitudinal", "lateral")])
_TRACE, _DECISION_ONLY, _FAST = range(len(MODES))


class Batch(Protocol):
    """What is packed: see ``waytrace.learn.samples.SampleBatch``."""

    @property
    def tokens(self) -> SceneTokens:
        """Of B moments."""

    @property
    def slot(self) -> NDArray[np.int16]:
        """[B, K, N] numbers of slots with a choice; -1 is padding."""

    @property
    def value(self) -> NDArray[np.int16]:
        """[B, K, N] numbers in the slot's set."""

    @property
    def accel(self) -> F4:
        """[B, K, 16]."""

    @property
    def curvature(self) -> F4:
        """[B, K, 16]."""

    @property
    def present(self) -> Mask:
        """[B, K]; the choice always is."""

    @property
    def speed(self) -> F4:
        """[B] of the rear axle at the start."""

    @property
    def length_m(self) -> F4:
        """[B]."""


@dataclass(frozen=True)
class Branches:
    """At which rate a sample trains each of its branches: trace dropout, and the dial of what a step costs."""

    choice: float = 1.0
    runner_up: float = 0.5
    decision_only: float = 0.25
    """Of the choice, and, independently, of the runner-up."""
    fast: float = 1.0

    def __post_init__(self) -> None:
        for name, rate in vars(self).items():
            if not 0.0 <= rate <= 1.0:
                raise WaytraceError(f"the rate of branches {name!r} must lie within 0 and 1, got {rate}")

    def draw(self, present: Mask, random: np.random.Generator) -> Mask:
        """[B, 5] which of choice, runner-up, decisions of either, and fast are trained; fast where no other is."""
        rates = [self.choice, self.runner_up, self.decision_only, self.decision_only, self.fast]
        able = present[:, [0, 1, 0, 1, 0]]
        drawn: Mask = (random.random(able.shape) < rates) & able
        drawn[:, 4] |= ~drawn.any(1)
        return drawn


EVERY = Branches(runner_up=1.0, decision_only=1.0)
"""All branches of every sample: nothing is left to chance."""


class Block(NamedTuple):
    """Tokens of a branch, or its queries: arrays [B, W]."""

    row: I8
    """Input row; ``POINTED_ROW`` + place among B * S where a token is pointed at."""
    slot: I8
    """Asked next; ``CLOSING``; ``NO_SLOT``."""
    answer: I8
    """A row among the values, or, for pointers, one of nothing, end and the S tokens; ``IGNORED`` for not asked."""
    order: I8
    """Place in the branch, from 0; ``QUERY_ORDER`` for queries."""
    branch: I8
    """Number among the five, as drawn."""
    shared: I8
    """How many of the choice's tokens are the branch's own first ones."""
    kept: Mask


def blocks(batch: Batch, drawn: Mask, place: I8, width: int) -> list[Block]:
    """All tokens that a sample may have, branch after branch, each branch followed by its queries.

    ``place`` [B, rows] is the scene token of each row of the reference table, -1 for none; ``width`` is S.

    What a slot of the runner-up's answers is asked too, but for the decisions: to be forced into it is no reason to
    think it right.
    """
    slot, value = batch.slot.astype(np.int64), batch.value.astype(np.int64)
    row, answer = _values(slot, value, place, width)
    answer[:, 1][np.isin(slot[:, 1], DECISION_SLOTS)] = IGNORED
    none = np.zeros(len(slot), np.int64)
    shared = np.where(drawn[:, 0], _in_common(slot, value), none)
    out: list[Block] = []
    for k in range(2):
        out += _branch(k, _TRACE, row[:, k], slot[:, k], answer[:, k], shared if k else none, drawn[:, k])
    for k in range(2):
        at = np.stack([(slot[:, k] == d).argmax(1) for d in DECISION_SLOTS], 1)
        found = np.take_along_axis(slot[:, k], at, 1) == DECISION_SLOTS
        asked = np.where(found, DECISION_SLOTS, -1)
        inputs = np.concatenate([row[:, k, :1], np.take_along_axis(row[:, k], at + 1, 1)], 1)
        answers = np.where(found, np.take_along_axis(answer[:, k], at, 1), IGNORED)
        left = np.argsort(~found, 1, kind="stable")
        out += _branch(
            2 + k, _DECISION_ONLY, np.concatenate([inputs[:, :1], np.take_along_axis(inputs[:, 1:], left, 1)], 1),
            np.take_along_axis(asked, left, 1), np.take_along_axis(answers, left, 1), none, drawn[:, 2 + k],
        )  # fmt: skip
    return [*out, _queries(4, _FAST, none, drawn[:, 4])]


def _values(slot: I8, value: I8, place: I8, width: int) -> tuple[I8, I8]:
    """[B, K, N + 1] the input row of each token of the traces, and [B, K, N] what is to be answered."""
    sample = np.arange(len(slot))[:, None, None]
    token = place[sample, np.clip(value, 0, ROW_COUNT - 1)]
    nothing, end = value == NOTHING, value == END
    closed = _FIRST[slot] + value
    pointed = np.select(
        [nothing, end, token >= 0], [NOTHING_ROW, END_ROW, POINTED_ROW + sample * width + token], NOTHING_ROW
    )
    target = np.select([nothing, end, token >= 0], [0, 1, NOWHERE + token], IGNORED)
    begin = np.full((*slot.shape[:2], 1), BEGIN_ROW)
    rows = np.concatenate([begin, np.where(POINTER[slot], pointed, closed)], 2)
    return rows, np.where(slot < 0, IGNORED, np.where(POINTER[slot], target, closed))


def _in_common(slot: I8, value: I8) -> I8:
    """[B] how many tokens the runner-up's trace has in common with the choice's.

    Token t puts in value t - 1 and asks slot t. The closing token of either stays its own.
    """
    same = (slot[:, 0] == slot[:, 1]) & (value[:, 0] == value[:, 1]) & (slot[:, 0] >= 0)
    values = np.minimum(np.cumprod(same, 1).sum(1), (slot >= 0).sum(2).min(1) - 1)
    at = np.maximum(values, 0)[:, None]
    asks_same = np.take_along_axis(slot[:, 0], at, 1) == np.take_along_axis(slot[:, 1], at, 1)
    return np.where(values < 0, 0, values + asks_same[:, 0])


def _branch(branch: int, mode: int, row: I8, slot: I8, answer: I8, shared: I8, drawn: Mask) -> tuple[Block, Block]:
    """The tokens of a trace with ``slot`` [B, N], one more than it has values, and the queries after it."""
    order = np.broadcast_to(np.arange(row.shape[1]), row.shape)
    length = (slot >= 0).sum(1)[:, None]
    closed = np.concatenate([slot, np.full((len(slot), 1), -1)], 1)
    tokens = Block(
        row=row, slot=np.where(closed < 0, CLOSING, closed),
        answer=np.concatenate([answer, np.full((len(slot), 1), IGNORED)], 1), order=order,
        branch=np.full_like(row, branch), shared=np.broadcast_to(shared[:, None], row.shape),
        kept=(order <= length) & (order >= shared[:, None]) & drawn[:, None],
    )  # fmt: skip
    return tokens, _queries(branch, mode, shared, drawn)


def _queries(branch: int, mode: int, shared: I8, drawn: Mask) -> Block:
    shape = (len(drawn), QUERIES)
    row = np.broadcast_to(QUERY_ROW + mode * QUERIES + np.arange(QUERIES), shape)
    return Block(
        row=row, slot=np.full(shape, NO_SLOT), answer=np.full(shape, IGNORED), order=np.full(shape, QUERY_ORDER),
        branch=np.full(shape, branch), shared=np.broadcast_to(shared[:, None], shape),
        kept=np.broadcast_to(drawn[:, None], shape),
    )  # fmt: skip
