"""One sample: the tokens of a moment, and what should be said and driven there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.microgpt import SceneTokens
from waytrace.observe.features import MAP_AT, MAP_ROWS
from waytrace.scenario import Plan
from waytrace.trace import Present, Trace, sets
from waytrace.trace.codec import filled
from waytrace.trace.slots import SLOTS, Pointer

BRANCHES = ("choice", "runner_up")
DRIVERS = ("expert", "perturbed", "policy", "log")
"""Who drove the ego to the moment."""

GATES = ("", "truncated", "verified", "rejected", "unexplained")
"""What the label's header says of it."""

_SLOT = {slot.name: number for number, slot in enumerate(SLOTS)}


@dataclass(frozen=True, eq=False)
class Branch:
    """One way to go on: the chosen one or the runner-up."""

    slot: NDArray[np.int16]
    """[n] of the slots that have a choice the numbers in ``SLOTS``, in order."""
    value: NDArray[np.int16]
    """[n] number of each value within its set; for pointers a reference row, ``NOTHING`` or ``END``."""
    decision: tuple[int, int]
    """Numbers in ``sets.LONGITUDINAL`` and ``sets.LATERAL``."""
    accel_mps2: NDArray[np.float64]
    """[16]."""
    curvature_1pm: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sample:
    """One moment. The plans start at the rear axle: (-0.28 length, 0, 0) in the ego's frame, at ``speed_mps``."""

    tokens: SceneTokens
    """[1, ...]."""
    branches: tuple[Branch, ...]
    """The choice, and the runner-up where there is one."""
    before: tuple[int, int]
    """The last decision as in ``Branch.decision``, -1 for none."""
    speed_mps: float
    length_m: float
    scenario: str
    tick: int
    driver: str
    gate: str = ""


class SampleBatch(NamedTuple):
    """B samples, padded. K = 2 branches (choice, runner-up), N the longest trace among them."""

    tokens: SceneTokens
    slot: NDArray[np.int16]
    """[B, K, N] number in ``SLOTS``; -1 for padding."""
    value: NDArray[np.int16]
    """[B, K, N] number within the slot's set; -1 for padding."""
    accel: NDArray[np.float32]
    """[B, K, 16] m/s2."""
    curvature: NDArray[np.float32]
    """[B, K, 16] 1/m."""
    present: NDArray[np.bool_]
    """[B, K] whether there is such a branch."""
    speed: NDArray[np.float32]
    """[B] of the rear axle, where the plan starts."""
    length_m: NDArray[np.float32]
    decision: NDArray[np.int8]
    """[B, K, 2] numbers in ``sets.LONGITUDINAL`` and ``sets.LATERAL``; -1 where there is no such branch."""
    before: NDArray[np.int8]
    """[B, 2] the last decision; -1 for none."""
    driver: NDArray[np.uint8]
    """[B] number in ``DRIVERS``."""
    gate: NDArray[np.uint8]
    """[B] number in ``GATES``."""
    tick: NDArray[np.int32]
    scenario: tuple[str, ...]


def branch_of(trace: Trace, present: Present, plan: Plan) -> Branch:
    """A labelled decision as a branch. ``plan`` is that of one planner. Raises ``TraceError`` for a wrong trace."""
    chosen = [(_SLOT[ask.slot.name], number) for ask, number in filled(trace, present) if ask.only < 0]
    pairs = np.array(chosen, np.int16).reshape(-1, 2)
    decision = trace.decision
    return Branch(
        pairs[:, 0].copy(), pairs[:, 1].copy(),
        (sets.LONGITUDINAL.number(decision.longitudinal), sets.LATERAL.number(decision.lateral)),
        plan.accel_mps2.reshape(-1), plan.curvature_1pm.reshape(-1),
    )  # fmt: skip


POINTERS = np.array([isinstance(slot.values, Pointer) for slot in SLOTS])
VALUE_COUNTS = np.array([len(slot.values) for slot in SLOTS])


def pointable(branch: Branch, tokens: SceneTokens) -> bool:
    """Whether everything that a branch points at has a token; of lanes, not all may have one."""
    rows = branch.value[POINTERS[branch.slot]]
    lanes = rows[(rows >= MAP_AT) & (rows < MAP_AT + MAP_ROWS)]
    return bool(np.isin(lanes, tokens.row[0]).all())
