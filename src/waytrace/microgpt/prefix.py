"""A scene put into a model: what every branch over it starts from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import WaytraceError
from waytrace.trace import Present
from waytrace.trace.slots import Slot

from .branch import MOST_VALUES, token_rows, within_tokens
from .config import QUERIES, GPTConfig
from .forward import Cache
from .heads import Pointing, moves_of
from .parameters import Parameters
from .sampling import Chosen
from .tokens import SceneTokens

Array = NDArray[Any]

ROOM = MOST_VALUES + 1 + QUERIES
"""Tokens of the longest branch: its values, the closing token and the control queries."""


class StaleSceneError(WaytraceError):
    """A prefix was to be used for another scene than the one it has seen."""


class Model(Protocol):
    """A micro GPT that can be run: ``reference.Reference`` or ``decode.Compiled``."""

    parameters: Parameters
    config: GPTConfig

    def prefill(self, tokens: SceneTokens, b: int, capacity: int) -> tuple[Array, Cache]:
        """Hidden states [S, D] of the valid tokens of row ``b``, and a cache that holds them with ``capacity`` more."""
        ...

    def extend(self, x: Array, position: Array, cache: Cache, *, mutual: int = 0) -> Array:
        """Hidden states [T, D] of tokens with embeddings ``x`` [T, D], appended to ``cache``: ``forward.extend``."""
        ...

    def ask(
        self, told: Array, slot: Slot, legal: NDArray[np.bool_], pointing: Pointing, at: int, cache: Cache
    ) -> tuple[Array, Chosen]:
        """Append token ``at`` of a branch, which carries ``told`` [D] and asks for ``slot``.

        Logits over the slot's full set (of a pointer over ``pointing``), and the most probable of those that are legal.
        """
        ...


def scene_digest(tokens: SceneTokens, b: int = 0) -> str:
    """sha256 over all that a model is shown of row ``b``."""
    digest = hashlib.sha256()
    for part in tokens:
        digest.update(np.ascontiguousarray(part[b]).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Prefix:
    """One scene in the cache, bound to the tokens that it was made of.

    Whatever has attended to an agent is void once that agent is gone, so a prefix is never changed and never used for
    other tokens: :meth:`require` refuses them.
    """

    model: Model
    cache: Cache
    """Holds the scene; what lies beyond it belongs to the first branch."""
    hidden: Array
    """[S, D] of the scene's tokens."""
    row: NDArray[np.int64]
    """[S] row of the reference table that each stands for; -1 for none."""
    present: Present
    """What can be pointed at: elements that have a token."""
    digest: str
    moves: Array
    """[MOVES, STEER_KNOTS] m/s2 across: ways to steer that a plan can follow."""
    lent: list[bool] = field(default_factory=list)

    @classmethod
    def of(cls, model: Model, tokens: SceneTokens, b: int, present: Present) -> Prefix:
        """Put row ``b`` of the scene tokens into the model. ``present`` is the reference table of the same moment."""
        hidden, cache = model.prefill(tokens, b, ROOM)
        row, shown = token_rows(tokens, b), within_tokens(present, tokens, b)
        return cls(model, cache, hidden, row, shown, scene_digest(tokens, b), moves_of(tokens, b).copy())

    @cached_property
    def pointing(self) -> Pointing:
        """What a slot that points chooses among."""
        return Pointing.of(self.model.parameters, self.row, self.hidden)

    def branch(self) -> Cache:
        """A cache that a branch goes on from.

        Branches only ever write behind the scene, so the first one works on the prefix's own arrays; others on copies.
        """
        self.lent.append(True)  # first marked and then looked at: of two threads at most one gets the arrays themselves
        if len(self.lent) > 1 or not isinstance(self.cache, Cache):
            return self.cache.fork()
        return Cache(self.cache.keys, self.cache.values, self.cache.length)

    @property
    def scene_length(self) -> int:
        """Scene tokens in the cache."""
        return self.cache.length

    def require(self, tokens: SceneTokens, b: int = 0) -> None:
        """Raise :class:`StaleSceneError` unless row ``b`` is the scene that this prefix has seen."""
        found = scene_digest(tokens, b)
        if found != self.digest:
            raise StaleSceneError(
                f"this prefix has seen the scene {self.digest[:12]}, not {found[:12]}: what it holds was computed from "
                "what has changed since. Make a new one of the tokens as they are now."
            )
