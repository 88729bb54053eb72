"""Any Hugging Face causal language model as the backbone: embeddings in, its own cache, hidden states out.

Such a model has learned to read in one direction and by position. So the scene's tokens go in as a sequence, kind by
kind and each nearest first, every token seeing those before it; a branch goes on from there, its positions counted from
the scene's end. Masks are given whole, [B, 1, T, S + T], which all models with eager or SDPA attention take.

Shape suffixes as in :mod:`.backbone`.
"""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from waytrace.scenario import WaytraceError

from .backbone import Cache


@dataclass(frozen=True)
class HuggingFaceConfig:
    """What the scene encoder and the heads have to fit."""

    width: int
    """Of the hidden states."""
    architecture: str
    """``model_type`` of the model's own configuration."""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"width": self.width, "architecture": self.architecture}


class HuggingFace(nn.Module):
    """A causal language model without its vocabulary, behind the :class:`.Backbone` protocol."""

    def __init__(self, model: Any) -> None:
        """Of a ``transformers`` causal LM, or of its decoder alone."""
        super().__init__()
        self.model = model.get_decoder() if hasattr(model, "get_decoder") else model
        config = model.config.get_text_config()
        self.config = HuggingFaceConfig(int(config.hidden_size), str(config.model_type))
        self._new_cache = _transformers().DynamicCache
        # What newer versions call `cache` was called `past_key_values`; either is written to in place.
        taken = inspect.signature(self.model.forward).parameters
        self._cache_name = "cache" if "cache" in taken else "past_key_values"

    @classmethod
    def load(cls, folder: Path | str, **options: Any) -> HuggingFace:
        """A model that was saved to a folder; nothing is fetched.

        Raises :class:`WaytraceError` where there is none, or ``transformers`` is not installed.
        """
        try:
            model = _transformers().AutoModelForCausalLM.from_pretrained(
                str(folder), local_files_only=True, dtype=torch.float32, **options
            )
        except (OSError, ValueError, KeyError) as error:
            raise WaytraceError(f"{folder} holds no causal language model that can be read: {error}") from error
        return cls(model)

    def forward(
        self, x_BTD: Tensor, cache: Cache | None, positions_BT: Tensor | None, mask_BTS: Tensor,
        real_N: Tensor | None = None, keep: bool = True,
    ) -> tuple[Tensor, Cache | None]:  # fmt: skip
        """See :class:`.Backbone`. Without a cache the tokens are a scene's, in their order, and see those before."""
        B, T, _ = x_BTD.shape
        before = self._new_cache()
        if cache is None:
            positions = torch.arange(T, device=x_BTD.device).expand(B, T)
            order = torch.ones(T, T, dtype=torch.bool, device=x_BTD.device).tril()
            # What is padding sees itself, so that no row of the mask is empty.
            mask = (mask_BTS & order) | torch.eye(T, dtype=torch.bool, device=x_BTD.device)
            scene = mask_BTS.expand(B, -1, T)[:, -1].sum(1)
        else:
            for layer, (keys, values) in enumerate(zip(cache.keys, cache.values, strict=True)):
                before.update(keys, values, layer)
            if cache.scene is None:
                raise WaytraceError("this cache is of another backbone: it does not say how long its scene is")
            scene = cache.scene
            given = torch.zeros(B, T, dtype=torch.long, device=x_BTD.device) if positions_BT is None else positions_BT
            positions, mask = scene[:, None] + given, mask_BTS
        hides = torch.zeros(mask.shape, dtype=x_BTD.dtype, device=x_BTD.device)
        hides = hides.masked_fill(~mask, torch.finfo(x_BTD.dtype).min)[:, None]
        out = self.model(
            inputs_embeds=x_BTD, attention_mask=hides, position_ids=positions, use_cache=True,
            **{self._cache_name: before},
        )  # fmt: skip
        hidden = out.last_hidden_state
        if real_N is not None:
            real = torch.zeros(B * T, 1, dtype=torch.bool, device=x_BTD.device)
            real[real_N] = True
            hidden = hidden.masked_fill(~real.view(B, T, 1), 0.0)
        if not keep:
            return hidden, None
        kept: list[tuple[Tensor, Tensor]] = [(layer.keys, layer.values) for layer in before.layers]
        return hidden, Cache(tuple(k for k, _ in kept), tuple(v for _, v in kept), scene)


def _transformers() -> Any:
    try:
        return importlib.import_module("transformers")
    except ModuleNotFoundError as error:
        raise WaytraceError("A Hugging Face backbone needs transformers: pip install 'waytrace[hf]'.") from error
