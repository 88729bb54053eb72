"""Low-rank adapters over a frozen backbone: W + s B A in place of W (LoRA, https://arxiv.org/abs/2106.09685).

s is alpha / r, or alpha / sqrt(r) for rank-stabilised ones (https://arxiv.org/abs/2312.03732); with DoRA
(https://arxiv.org/abs/2402.09353) every row of the sum has a length of its own that is learned. The sum is taken
whenever a weight is read, so whatever reads ``.weight`` reads the adapted one. Names and start are PEFT's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from waytrace.scenario import WaytraceError

from .atoms import Linear, linear

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj")
"""The backbone's linear maps."""

SCENE_TARGETS = ("up", "down")
"""The scene encoder's, two for each kind of element."""

KNOWN = (*TARGETS, "gate_proj", *SCENE_TARGETS)
"""And one that other backbones have besides."""

HEADS = ("head.trace.output", "head.trace.query", "head.trace.key", "head.trace.nowhere_key", "head.control")
"""What is trained over a frozen base besides adapters: what answers. Tables of embeddings are frozen with the base."""

PREFIX = "base_model.model."
_PARTS = {"lora_A": "lora_A.weight", "lora_B": "lora_B.weight", "magnitude": "lora_magnitude_vector"}
"""Our name of a part, and PEFT's."""


@dataclass(frozen=True)
class Lora:
    """What is adapted, and how."""

    rank: int
    alpha: float = 16.0
    targets: tuple[str, ...] = TARGETS
    rslora: bool = False
    dora: bool = False

    def __post_init__(self) -> None:
        if self.rank < 1 or not self.alpha > 0.0:
            raise WaytraceError(f"an adapter's rank is at least 1 and its alpha above 0, not {self.rank}, {self.alpha}")
        odd = [name for name in self.targets if name not in KNOWN]
        if odd or not self.targets:
            raise WaytraceError(f"no linear map is called {odd[0] if odd else ''!r}; there are {', '.join(KNOWN)}")

    @property
    def scale(self) -> float:
        """What B A is multiplied with."""
        return self.alpha / (math.sqrt(self.rank) if self.rslora else self.rank)

    def to_peft(self, ref: str = "") -> dict[str, Any]:
        """``adapter_config.json`` as PEFT reads it; ``ref`` is the base's name or path."""
        return {
            "peft_type": "LORA", "task_type": None, "base_model_name_or_path": ref, "inference_mode": True,
            "r": self.rank, "lora_alpha": self.alpha, "target_modules": list(self.targets),
            "use_rslora": self.rslora, "use_dora": self.dora, "lora_dropout": 0.0, "bias": "none",
            "fan_in_fan_out": False, "init_lora_weights": True, "modules_to_save": None,
        }  # fmt: skip

    @classmethod
    def from_peft(cls, record: Mapping[str, Any]) -> Lora:
        """The inverse of :meth:`to_peft`. Raises :class:`WaytraceError` for what cannot be adapted so here."""
        try:
            targets = record["target_modules"]
            named = TARGETS if targets == "all-linear" else tuple(t for t in KNOWN if t in targets)
            if targets != "all-linear" and len(named) != len(targets):
                raise WaytraceError(f"target_modules {targets!r} are not among {', '.join(KNOWN)}")
            return cls(
                int(record["r"]), float(record["lora_alpha"]), named, bool(record.get("use_rslora", False)),
                bool(record.get("use_dora", False)),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise WaytraceError(f"the adapter's configuration cannot be read: {error!r}") from error


class Adapted(nn.Module):
    """A linear map whose weight is the frozen one plus what its adapter adds."""

    def __init__(self, base: Linear, lora: Lora) -> None:
        super().__init__()
        self.base, self.scale = base.requires_grad_(False), lora.scale
        rows, columns = base.weight.shape
        like: dict[str, Any] = {"device": base.weight.device, "dtype": base.weight.dtype}
        self.lora_A = nn.Parameter(torch.empty(lora.rank, columns, **like))
        self.lora_B = nn.Parameter(torch.zeros(rows, lora.rank, **like))
        self.magnitude = nn.Parameter(base.weight.detach().norm(dim=1)) if lora.dora else None

    @torch.no_grad()
    def begin(self, random: torch.Generator) -> None:
        """A as PEFT draws it, uniform within 1 / sqrt(columns); B is 0, so that nothing is added yet."""
        bound = 1.0 / math.sqrt(self.lora_A.shape[1])
        drawn = torch.rand(self.lora_A.shape, generator=random)
        self.lora_A.copy_((2.0 * drawn - 1.0) * bound)

    @property
    def weight(self) -> Tensor:
        """[out, in], as it works."""
        total: Tensor = self.base.weight + self.scale * (self.lora_B @ self.lora_A)
        if self.magnitude is None:
            return total
        length = total.detach().norm(dim=1).clamp(min=1e-12)  # held constant in the gradient, as in the paper
        out: Tensor = total * (self.magnitude / length)[:, None]
        return out

    @property
    def bias(self) -> Tensor | None:
        """The frozen map's."""
        return self.base.bias

    def forward(self, x: Tensor) -> Tensor:
        """[..., out]."""
        return linear(x, self.weight, self.bias)


def freeze(model: nn.Module) -> None:
    """Let nothing be trained but the heads (and adapters, which are added afterwards)."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(HEADS))


def linear_names(model: nn.Module) -> tuple[str, ...]:
    """Names of the backbone's linear maps that can be adapted."""
    parts = model.get_submodule("backbone").named_modules()
    found = {name.rpartition(".")[2] for name, part in parts if isinstance(part, nn.Linear)}
    return tuple(name for name in KNOWN if name in found)


def frozen(model: nn.Module) -> bool:
    """Whether the base (scene encoder and backbone beneath adapters) is not trained."""
    return not any(
        parameter.requires_grad
        for name, parameter in model.named_parameters()
        if name.startswith(("scene.", "backbone.")) and not name.endswith(tuple(f".{ours}" for ours in _PARTS))
    )


def adapt(model: nn.Module, lora: Lora, seed: int = 0) -> None:
    """Freeze ``model`` but for its heads, and put an adapter over every target in its backbone and scene encoder.

    Raises :class:`WaytraceError` where it has adapters already.
    """
    if any(True for _ in adapters(model)):
        raise WaytraceError("this model has adapters already: merge them first, or begin from its base")
    freeze(model)
    random = torch.Generator().manual_seed(seed)
    found = [
        name
        for name, module in model.named_modules()
        if isinstance(module, Linear) and name.startswith(("backbone.", "scene."))
    ]
    absent = set(lora.targets) - {name.rpartition(".")[2] for name in found}
    if absent:
        raise WaytraceError(f"the model has no linear map {sorted(absent)[0]!r}")
    for name in found:
        parent, _, child = name.rpartition(".")
        if child in lora.targets:
            above = model.get_submodule(parent)
            adapted = Adapted(getattr(above, child), lora)
            adapted.begin(random)
            setattr(above, child, adapted)


def adapters(model: nn.Module) -> Iterator[tuple[str, Adapted]]:
    """Every adapted map by the name that it had before."""
    for name, module in model.named_modules():
        if isinstance(module, Adapted):
            yield name, module


def adapter_tensors(model: nn.Module) -> dict[str, Tensor]:
    """The adapters' tensors by PEFT's names."""
    return {
        f"{PREFIX}{name}.{theirs}": getattr(module, ours).detach()
        for name, module in adapters(model)
        for ours, theirs in _PARTS.items()
        if getattr(module, ours) is not None
    }


@torch.no_grad()
def set_adapters(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put in tensors by PEFT's names. Raises :class:`WaytraceError` for one that is missing, more, or misshapen."""
    left = dict(tensors)
    for name, mine in adapter_tensors(model).items():
        value = left.pop(name, None)
        if value is None or value.shape != mine.shape:
            found = "missing" if value is None else f"of shape {list(value.shape)}, not {list(mine.shape)}"
            raise WaytraceError(f"adapter tensor {name!r} is {found}")
        mine.copy_(value)
    if left:
        raise WaytraceError(f"adapter tensor {sorted(left)[0]!r} adapts nothing here")


def plain_state(model: nn.Module, *, merged: bool) -> dict[str, Tensor]:
    """The state by the names that it has without adapters: merged into the weights, or those beneath them."""
    adapted = dict(adapters(model))
    out = {
        name: value
        for name, value in model.state_dict().items()
        if not any(name.startswith(f"{path}.") for path in adapted)
    }
    for path, module in adapted.items():
        out[f"{path}.weight"] = (module.weight if merged else module.base.weight).detach()
        if module.bias is not None:
            out[f"{path}.bias"] = module.bias.detach()
    return out


@torch.no_grad()
def set_plain_state(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Put in weights by the names that they have without adapters; those of adapted maps go beneath the adapters."""
    renamed = dict(state)
    for path, module in adapters(model):
        for name in ("weight", "bias"):
            if f"{path}.{name}" in renamed:
                getattr(module.base, name).copy_(renamed.pop(f"{path}.{name}"))
    own = {name for name, _ in model.named_parameters()}
    beneath = tuple(f"{path}." for path, _ in adapters(model))
    wanted = {name for name in own if not name.startswith(beneath)} if beneath else own
    if renamed.keys() != wanted:
        odd = sorted(renamed.keys() ^ wanted)[0]
        raise WaytraceError(f"weight {odd!r} is {'missing' if odd in wanted else 'none of this model'}")
    for name, parameter in model.named_parameters():
        if name in renamed:
            parameter.copy_(renamed[name])


@dataclass(frozen=True)
class Share:
    """A part of a model, and how much of it is trained."""

    part: str
    trained: int
    all: int


def shares(model: nn.Module) -> tuple[Share, ...]:
    """What of a model trains: scene encoder, backbone, adapters, embeddings, heads, and all of it."""
    counts: dict[str, list[int]] = {
        part: [0, 0] for part in ("scene encoder", "backbone", "adapters", "embeddings", "heads")
    }
    for name, parameter in model.named_parameters():
        if name.endswith(tuple(f".{ours}" for ours in _PARTS)) or ".lora_" in name:
            part = "adapters"
        elif name.startswith("scene."):
            part = "scene encoder"
        elif name.startswith("backbone."):
            part = "backbone"
        else:
            part = "heads" if name.startswith(HEADS) else "embeddings"
        counts[part][0] += parameter.numel() if parameter.requires_grad else 0
        counts[part][1] += parameter.numel()
    listed = [Share(part, trained, count) for part, (trained, count) in counts.items()]
    return (*listed, Share("all", sum(s.trained for s in listed), sum(s.all for s in listed)))
