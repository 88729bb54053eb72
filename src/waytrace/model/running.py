"""A model in PyTorch run at batch 1 through the same session as the NumPy forms: how a Hugging Face backbone drives."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from waytrace.microgpt.checkpoint import checkpoint_hash
from waytrace.microgpt.config import GPTConfig
from waytrace.microgpt.forward import embed_scene, visible
from waytrace.microgpt.heads import Pointing, slot_logits
from waytrace.microgpt.parameters import Parameters
from waytrace.microgpt.sampling import GREEDY, Chosen, choose
from waytrace.microgpt.tokens import SceneTokens
from waytrace.microgpt.vocabulary import SLOT_AT
from waytrace.trace.slots import Slot

from .backbone import Backbone, Cache
from .checkpoint import load_checkpoint
from .waytrace import Waytrace

Array = NDArray[Any]


@dataclass
class Held:
    """A cache that can be cut back and copied: what a session needs of one."""

    cache: Cache | None = None
    scene: int = 0
    """Tokens of the scene."""
    length: int = 0
    """Tokens that count; the cache may hold more, which the next block writes over."""
    capacity: int = 1 << 30
    keys: None = field(default=None, repr=False)
    values: None = field(default=None, repr=False)

    def fork(self) -> Held:
        """A copy that goes its own way: blocks make new tensors, so the old ones can be shared."""
        return Held(self.cache, self.scene, self.length, self.capacity)


class Running:
    """A model with the three things that a session does with it (``waytrace.microgpt.prefix.Model``)."""

    def __init__(self, model: Waytrace, digest: str = "") -> None:
        """``digest`` says which checkpoint the model is of."""
        self.model, self.digest = model.eval(), digest
        self.config = cast(GPTConfig, model.config)

    @classmethod
    def of(cls, folder: Path | str) -> Running:
        """Of a checkpoint, on this process's one thread. Raises :class:`CheckpointError` as reading it does."""
        torch.set_num_threads(1)
        return cls(load_checkpoint(folder), checkpoint_hash(folder))

    @cached_property
    def parameters(self) -> Parameters:
        """Those of scene encoder and heads, in NumPy."""
        return self.model.parameters_numpy()

    def prefill(self, tokens: SceneTokens, b: int, capacity: int) -> tuple[Array, Held]:
        """As ``Reference.prefill``."""
        x = embed_scene(self.parameters, tokens, b)
        held = Held(scene=len(x), capacity=len(x) + capacity)
        return self._block(x, None, np.ones((1, len(x)), np.bool_), held), held

    def extend(self, x: Array, position: Array, cache: Held, *, mutual: int = 0) -> Array:
        """As ``forward.extend``."""
        if cache.length + len(x) > cache.capacity:
            raise ValueError(f"{cache.length + len(x)} tokens do not fit a cache made for {cache.capacity}")
        return self._block(x, position, visible(cache.length, len(x), mutual), cache)

    def ask(
        self, told: Array, slot: Slot, legal: NDArray[np.bool_], pointing: Pointing, at: int, cache: Held
    ) -> tuple[Array, Chosen]:
        """As ``Reference.ask``."""
        x = told + self.parameters["head.trace.slot_embedding.weight"][SLOT_AT[slot.name]]
        hidden = self.extend(x[None], np.array([at + 1]), cache)[0]
        logits = slot_logits(self.parameters, hidden, slot, pointing)
        return logits, choose(logits, legal, GREEDY)

    @torch.inference_mode()
    def _block(self, x: Array, position: Array | None, sees: NDArray[np.bool_], held: Held) -> Array:
        device = self.model.device
        before = held.cache.truncate(held.length) if held.cache is not None else None
        positions = None if position is None else torch.from_numpy(np.asarray(position, np.int64)).to(device)[None]
        hidden, held.cache = cast(Backbone, self.model.backbone)(
            torch.from_numpy(x.astype(np.float32)).to(device)[None], before, positions,
            torch.from_numpy(sees).to(device)[None],
        )  # fmt: skip
        held.length += len(x)
        out: Array = hidden[0].float().cpu().numpy()
        return out
