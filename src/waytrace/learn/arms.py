"""Arms of the question whether a trace pays: what stands before the plan while a model learns.

``own``: the sample's own trace. ``none``: nothing, every branch is fast. ``shuffled``: the trace of another sample of
the batch, which says nothing of this one, so that the plan has as many tokens to think with and nothing to read in
them. All three have the same parameters, the same samples in the same order and the same number of steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from waytrace.microgpt.columns import BEFORE_AT
from waytrace.model import EVERY, Branches
from waytrace.observe import REFERENCE_KIND
from waytrace.trace.slots import ROW_COUNT

from .config import ConfigError
from .sample import POINTERS, SampleBatch

SHUFFLING = 2 << 32
"""Added to a run's seed for what an arm draws."""

FAST = Branches(choice=0.0, runner_up=0.0, decision_only=0.0)
"""Nothing is said before the plan."""


def branches_of(arm: str, branches: Branches) -> Branches:
    """What an arm trains of the branches that its settings ask for."""
    return FAST if arm == "none" else branches


def examined(arm: str) -> Branches:
    """What an arm is looked at with."""
    return branches_of(arm, EVERY)


def mode_of(arm: str) -> str:
    """The mode in which an arm drives."""
    return "fast" if arm == "none" else "trace"


def in_arm(arm: str, batch: SampleBatch, random: np.random.Generator) -> SampleBatch:
    """The batch as an arm sees it; of ``own`` the very batch, and nothing is drawn.

    ``none`` has no last decision, since what drives fast has none to remember.
    """
    if arm == "own":
        return batch
    if arm == "none":
        batch.tokens.ego[:, 0, BEFORE_AT:] = 0.0
        return batch
    return shuffled(batch, others(batch.scenario, random), random)


def others(scenario: tuple[str, ...], random: np.random.Generator) -> NDArray[np.int64]:
    """[B] for each sample another one: of another drive where the batch has one, never itself.

    Raises :class:`ConfigError` for a batch of one.
    """
    drive = np.unique(np.array(scenario), return_inverse=True)[1]
    count = len(drive)
    if count < 2:
        raise ConfigError("A batch of one sample has no other one whose trace could stand before its plan.")
    out = np.zeros(count, np.int64)
    for b in range(count):
        able = np.flatnonzero(drive != drive[b])
        able = able if len(able) else np.delete(np.arange(count), b)
        out[b] = able[random.integers(len(able))]
    return out


def shuffled(batch: SampleBatch, other: NDArray[np.int64], random: np.random.Generator) -> SampleBatch:
    """The batch with the traces and last decisions of the samples ``other``, and the plans of its own choices.

    A pointer of the other trace points at a token of the own scene drawn at random: of the same kind where there is
    one. The runner-up's plan is that of the choice: no trace says which of the two it belongs to, and the mean of two
    plans would be a handicap that has nothing to do with the trace.
    """
    slot, value, row = batch.slot[other], batch.value[other].copy(), batch.tokens.row
    points = POINTERS[slot] & (slot >= 0) & (value >= 0) & (value < ROW_COUNT)
    for b in range(len(other)):
        held = row[b, batch.tokens.valid[b] & (row[b] >= 0)].astype(np.int64)
        for k, n in zip(*np.nonzero(points[b]), strict=True):
            alike = held[REFERENCE_KIND[held] == REFERENCE_KIND[value[b, k, n]]]
            able = alike if len(alike) else held
            if len(able):
                value[b, k, n] = able[random.integers(len(able))]
    ego = batch.tokens.ego.copy()
    ego[:, 0, BEFORE_AT:] = batch.tokens.ego[other, 0, BEFORE_AT:]
    return batch._replace(
        tokens=batch.tokens._replace(ego=ego), slot=slot, value=value, present=batch.present[other],
        decision=batch.decision[other], before=batch.before[other],
        accel=np.repeat(batch.accel[:, :1], batch.accel.shape[1], 1),
        curvature=np.repeat(batch.curvature[:, :1], batch.curvature.shape[1], 1),
    )  # fmt: skip
