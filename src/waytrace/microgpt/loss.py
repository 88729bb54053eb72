"""What training minimises, for one scene and the branches over it: how improbable a trace was, how wrong its plan.

The forward pass here is the one that drives: the scene once, each branch as a block over a copy of its cache. What the
gradients need is kept in a :class:`Pass`, of which ``backward.py`` makes the gradients.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.trace import SLOTS, Present, Trace, filled

from .branch import token_rows, within_tokens
from .config import QUERIES, GPTConfig
from .forward import Cache, embed_scene, extend
from .heads import Pointing, moves_of, queries, raw_controls, slot_logits, unsquash, value_embedding
from .parameters import Parameters
from .prefix import ROOM
from .tokens import SceneTokens
from .vocabulary import CLOSING, SLOT_AT, is_pointer

Array = NDArray[Any]


@dataclass(frozen=True)
class Example:
    """What one branch should have said and done."""

    mode: str
    slot: tuple[int, ...]
    """Slots that left a choice, as rows of ``SLOTS``."""
    value: tuple[int, ...]
    """What stands in them: a number of the slot's set; of a pointer a row, NOTHING or END."""
    accel: Array
    """[16] m/s2."""
    curvature: Array
    """[16] 1/m."""
    speed_mps: float

    @classmethod
    def of(
        cls, trace: Trace, present: Present, tokens: SceneTokens, b: int, *,
        accel: Array, curvature: Array, speed_mps: float,
    ) -> Example:  # fmt: skip
        """A whole trace as an example. Raises ``TraceError`` where it points at what has no scene token."""
        asked = [(a.slot, n) for a, n in filled(trace, within_tokens(present, tokens, b)) if a.only < 0]
        return cls(
            "trace", tuple(SLOT_AT[slot.name] for slot, _ in asked), tuple(n for _, n in asked),
            accel, curvature, speed_mps,
        )  # fmt: skip


@dataclass
class BranchPass:
    """One branch's way forward."""

    example: Example
    cache: Cache
    tape: list[dict[str, Array]]
    position: Array
    hidden: Array
    """[T, D]."""
    logits: list[Array]
    """Of each slot, over its full set."""
    target: list[int]
    """Place of each slot's value among its logits."""
    raw: Array
    wanted: Array
    """[16, 2] raw controls, and what they should have been."""


@dataclass
class Pass:
    """One scene's way forward."""

    tokens: SceneTokens
    b: int
    cache: Cache
    hidden: Array
    pointing: Pointing
    tape: list[dict[str, Array]] = field(default_factory=list)
    branches: list[BranchPass] = field(default_factory=list)


def logsumexp(x: Array) -> float:
    """Log of the sum of exponentials."""
    most = x.max()
    return float(most + np.log(np.exp(x - most).sum()))


def trace_loss(logits: list[Array], target: list[int]) -> float:
    """Mean of -log p over the slots of a branch, each over its full set and not over what was legal; 0 for none."""
    if not logits:
        return 0.0
    return float(np.mean([logsumexp(x) - float(x[t]) for x, t in zip(logits, target, strict=True)]))


def control_loss(raw: Array, wanted: Array) -> float:
    """Half the mean square of the raw controls' error. Raw controls are all of about 1 m/s2."""
    return 0.5 * float(np.mean(np.square(raw - wanted)))


def forward_pass(
    parameters: Parameters, config: GPTConfig, tokens: SceneTokens, b: int, examples: list[Example]
) -> tuple[float, Pass]:
    """The mean loss of the branches over row ``b``, and the pass that led to it."""
    x = embed_scene(parameters, tokens, b)
    cache = Cache.empty(config, len(x) + ROOM, x.dtype)
    tape: list[dict[str, Array]] = []
    hidden = extend(parameters, config, x, np.zeros(len(x)), cache, mutual=len(x), tape=tape)
    made = Pass(tokens, b, cache, hidden, Pointing.of(parameters, token_rows(tokens, b), hidden), tape)
    made.branches = [_branch(parameters, config, made, example) for example in examples]
    losses = [trace_loss(p.logits, p.target) + control_loss(p.raw, p.wanted) for p in made.branches]
    return float(np.mean(losses)), made


def _branch(parameters: Parameters, config: GPTConfig, made: Pass, example: Example) -> BranchPass:
    x, position = branch_inputs(parameters, made.pointing, example)
    cache, tape = made.cache.fork(), list[dict[str, Array]]()
    hidden = extend(parameters, config, x, position, cache, mutual=QUERIES, tape=tape)
    slots = [SLOTS[s] for s in example.slot]
    return BranchPass(
        example, cache, tape, position, hidden,
        [slot_logits(parameters, h, slot, made.pointing) for h, slot in zip(hidden, slots, strict=False)],
        [made.pointing.at(v) if is_pointer(s) else v for s, v in zip(slots, example.value, strict=True)],
        raw_controls(parameters, hidden[-QUERIES:], moves_of(made.tokens, made.b)),
        unsquash(example.accel, example.curvature, example.speed_mps).astype(x.dtype),
    )  # fmt: skip


def branch_inputs(parameters: Parameters, pointing: Pointing, example: Example) -> tuple[Array, Array]:
    """Embeddings [T, D] and positions [T] of a branch: its slots, the closing token, the control queries.

    In mode ``fast`` the queries alone.
    """
    asked = queries(parameters, example.mode)
    if example.mode == "fast":
        return asked, np.zeros(QUERIES)
    carried = [parameters["head.trace.begin"]] + [
        value_embedding(parameters, SLOTS[s], v, pointing) for s, v in zip(example.slot, example.value, strict=True)
    ]
    rows = parameters["head.trace.slot_embedding.weight"][[*example.slot, CLOSING]]
    position = np.concatenate([1 + np.arange(len(rows)), np.zeros(QUERIES)])
    return np.concatenate([np.stack(carried) + rows, asked]), position
