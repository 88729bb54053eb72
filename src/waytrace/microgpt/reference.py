"""A model that runs by the plain functions: what ``decode.Compiled`` is an equal and faster form of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.trace.slots import Slot

from .config import GPTConfig
from .forward import Cache, embed_scene, extend
from .heads import Pointing, slot_logits
from .parameters import Parameters
from .sampling import GREEDY, Chosen, choose
from .tokens import SceneTokens
from .vocabulary import SLOT_AT

Array = NDArray[Any]


class Reference:
    """Parameters with the three things that are done with them."""

    def __init__(self, parameters: Parameters, config: GPTConfig) -> None:
        self.parameters, self.config = parameters, config

    def prefill(self, tokens: SceneTokens, b: int, capacity: int) -> tuple[Array, Cache]:
        """Hidden states [S, D] of a scene's valid tokens, and a cache that holds them with room for ``capacity``."""
        x = embed_scene(self.parameters, tokens, b)
        cache = Cache.empty(self.config, len(x) + capacity, x.dtype)
        return self.extend(x, np.zeros(len(x), np.int64), cache, mutual=len(x)), cache

    def extend(self, x: Array, position: Array, cache: Cache, *, mutual: int = 0) -> Array:
        """As ``forward.extend``."""
        return extend(self.parameters, self.config, x, position, cache, mutual=mutual)

    def ask(
        self, told: Array, slot: Slot, legal: NDArray[np.bool_], pointing: Pointing, at: int, cache: Cache
    ) -> tuple[Array, Chosen]:
        """Append token ``at`` of a branch, which carries ``told`` [D] and asks for ``slot``.

        Logits over the slot's full set (of a pointer over ``pointing``), and the most probable of those that are legal.
        """
        x = told + self.parameters["head.trace.slot_embedding.weight"][SLOT_AT[slot.name]]
        hidden = self.extend(x[None], np.array([at + 1]), cache)[0]
        logits = slot_logits(self.parameters, hidden, slot, pointing)
        return logits, choose(logits, legal, GREEDY)
