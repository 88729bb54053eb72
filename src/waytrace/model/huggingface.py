"""Any Hugging Face causal language model as the backbone: embeddings in, its own cache, hidden states out.

Such a model has learned to read in one direction and by position. So the scene's tokens go in as a sequence, kind by
kind and each nearest first, every token seeing those before it; a branch goes on from there, its positions counted from
the scene's end. Masks are given whole, [B, 1, T, S + T], which all models with eager or SDPA attention take.

Shape suffixes as in :mod:`.backbone`.
"""

from __future__ import annotations

import copy
import functools
import importlib
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from waytrace.microgpt.checkpoint_files import weights_hash
from waytrace.microgpt.checkpoint_over import PREFIX
from waytrace.scenario import WaytraceError

from .backbone import Cache
from .lora import Lora
from .recompute import recompute


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
        self.folder: Path | None = None
        self.lora: Lora | None = None
        self._sha256 = ""
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
        made = cls(model)
        made.folder = Path(folder).absolute()
        return made

    def sha256(self) -> str:
        """Hash over the model's own weights, sorted by name: what adapters stand on. They are frozen from then on."""
        if not self._sha256:
            self._sha256 = weights_hash({n: v.detach().float().cpu().numpy() for n, v in self.own().items()})
            for parameter in self._own_parameters():
                parameter.requires_grad_(False)
        return self._sha256

    def own(self) -> dict[str, Tensor]:
        """The model's weights without adapters, by the names that they have without them."""
        return {n.replace(".base_layer.", "."): v for n, v in self.model.state_dict().items() if "lora_" not in n}

    def _own_parameters(self) -> Iterator[nn.Parameter]:
        return (p for n, p in self.model.named_parameters() if "lora_" not in n)

    def freeze(self) -> None:
        """Let the model's own weights not be trained."""
        for parameter in self._own_parameters():
            parameter.requires_grad_(False)

    @property
    def layers(self) -> nn.ModuleList:
        """The decoder's layers. Raises :class:`WaytraceError` where they cannot be told from its other parts."""
        depth = int(self.model.config.get_text_config().num_hidden_layers)
        for module in self.model.modules():
            if isinstance(module, nn.ModuleList) and len(module) == depth:
                return module
        raise WaytraceError(f"{self.config.architecture} has no list of {depth} layers")

    def recompute(self) -> None:
        """Keep no activations of the layers, compute them again in the backward pass (:mod:`.recompute`).

        Not by ``gradient_checkpointing_enable``, under which transformers' layers leave out the cache, and with it the
        scene that all branches go on from.
        """
        for layer in self.layers:
            recompute(layer)

    def adapt(self, lora: Lora, seed: int = 0) -> None:
        """Freeze the model and put PEFT's adapters over its maps. Raises :class:`WaytraceError` where it has some."""
        if self.lora is not None:
            raise WaytraceError("this model has adapters already: merge them first, or begin from its base")
        peft = _module("peft")
        config = peft.LoraConfig(
            r=lora.rank, lora_alpha=lora.alpha, target_modules=list(lora.targets), use_rslora=lora.rslora,
            use_dora=lora.dora,
        )  # fmt: skip
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            try:
                peft.inject_adapter_in_model(config, self.model)
            except ValueError as error:
                raise WaytraceError(f"{self.config.architecture} cannot be adapted so: {error}") from error
        self.lora = lora
        self.freeze()

    def adapter(self) -> dict[str, Tensor]:
        """The adapters by the names that PEFT's file has for the whole causal LM."""
        found = {} if self.lora is None else _module("peft").get_peft_model_state_dict(self.model)
        return {f"{PREFIX}{name}": value.detach() for name, value in found.items()}

    def set_adapter(self, tensors: Mapping[str, Tensor]) -> None:
        """Put in tensors by PEFT's names. Raises :class:`WaytraceError` for one that is missing, more, or misshapen."""
        mine = self.adapter()
        for name in sorted(mine.keys() | tensors.keys()):
            if name not in tensors or name not in mine:
                raise WaytraceError(f"adapter tensor {name!r} is {'missing' if name in mine else 'none of this model'}")
            if mine[name].shape != tensors[name].shape:
                raise WaytraceError(
                    f"adapter tensor {name!r} is {list(tensors[name].shape)}, not {list(mine[name].shape)}"
                )
        _module("peft").set_peft_model_state_dict(
            self.model, {name.removeprefix(PREFIX): value for name, value in tensors.items()}
        )

    def merged(self) -> dict[str, Tensor]:
        """The weights with adapters merged in, in float32, by the names that they have without them."""
        out = {name: value.detach().float() for name, value in self.own().items()}
        for name, module in self.model.named_modules():
            if hasattr(module, "get_delta_weight") and hasattr(module, "base_layer"):
                if self.lora is not None and self.lora.dora:
                    whole = copy.deepcopy(module)
                    whole.merge()
                    out[f"{name}.weight"] = whole.get_base_layer().weight.detach().float()
                else:
                    out[f"{name}.weight"] = out[f"{name}.weight"] + module.get_delta_weight("default").detach().float()
        return out

    def forward(
        self, x_BTD: Tensor, cache: Cache | None, positions_BT: Tensor | None, mask_BTS: Tensor,
        real_N: Tensor | None = None, keep: bool = True,
    ) -> tuple[Tensor, Cache | None]:  # fmt: skip
        """See :class:`.Backbone`. Without a cache the tokens are a scene's, in their order, and see those before."""
        B, T, _ = x_BTD.shape
        grown = _growing()([] if cache is None else list(zip(cache.keys, cache.values, strict=True)))
        if cache is None:
            positions = torch.arange(T, device=x_BTD.device).expand(B, T)
            order = torch.ones(T, T, dtype=torch.bool, device=x_BTD.device).tril()
            # What is padding sees itself, so that no row of the mask is empty.
            mask = (mask_BTS & order) | torch.eye(T, dtype=torch.bool, device=x_BTD.device)
            scene = mask_BTS.expand(B, -1, T)[:, -1].sum(1)
        else:
            if cache.scene is None:
                raise WaytraceError("this cache is of another backbone: it does not say how long its scene is")
            scene = cache.scene
            given = torch.zeros(B, T, dtype=torch.long, device=x_BTD.device) if positions_BT is None else positions_BT
            positions, mask = scene[:, None] + given, mask_BTS
        hides = torch.zeros(mask.shape, dtype=x_BTD.dtype, device=x_BTD.device)
        hides = hides.masked_fill(~mask, torch.finfo(x_BTD.dtype).min)[:, None]
        out = self.model(
            inputs_embeds=x_BTD, attention_mask=hides, position_ids=positions, use_cache=True,
            **{self._cache_name: grown},
        )  # fmt: skip
        hidden = out.last_hidden_state
        if real_N is not None:
            real = torch.zeros(B * T, 1, dtype=torch.bool, device=x_BTD.device)
            real[real_N] = True
            hidden = hidden.masked_fill(~real.view(B, T, 1), 0.0)
        if not keep:
            return hidden, None
        kept = [grown.after[layer] for layer in sorted(grown.after)]
        return hidden, Cache(tuple(k for k, _ in kept), tuple(v for _, v in kept), scene)


@functools.cache
def _growing() -> Any:
    """The class of caches that are read as often as one likes: a layer that is computed again finds what it found."""

    class Growing(_transformers().DynamicCache):  # type: ignore[misc]
        """What was there before, and apart from that, what it grew to."""

        def __init__(self, before: list[tuple[Tensor, Tensor]]) -> None:
            super().__init__()
            for layer, (keys, values) in enumerate(before):
                super().update(keys, values, layer)
            self.before = before
            self.after: dict[int, tuple[Tensor, Tensor]] = {}

        def update(
            self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: Any, **__: Any
        ) -> tuple[Tensor, Tensor]:
            """Keys and values of a layer, the given ones last."""
            if self.before:
                keys, values = self.before[layer_idx]
                key_states, value_states = torch.cat([keys, key_states], 2), torch.cat([values, value_states], 2)
            self.after[layer_idx] = key_states, value_states
            return key_states, value_states

    return Growing


def _transformers() -> Any:
    return _module("transformers")


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise WaytraceError(f"A Hugging Face backbone needs {name}: pip install 'waytrace[hf]'.") from error
