"""What changes a model's parameters, in groups by what they are; and the average of weights over a run."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from .config import SftConfig

EPS = 1e-8
EMBEDDINGS = ("embedding.weight", "nowhere", "begin", "queries.weight", "mode.weight", "nowhere_key")
"""Endings of names of tables, whose rows learn only when they occur: no decay, and a learning rate of their own."""
AT_AN_END = ("up.weight", "output.weight", "out.weight", "follow.weight")
"""Endings of names of matrices that read features or write answers."""


def is_embedding(name: str) -> bool:
    """Whether a parameter is a table of vectors rather than a map between them."""
    return name.endswith(EMBEDDINGS)


def is_hidden(name: str, parameter: Tensor) -> bool:
    """Whether a parameter is a map from hidden states to hidden states."""
    return parameter.ndim == 2 and not is_embedding(name) and not name.endswith(AT_AN_END)


class Optimiser:
    """AdamW (Loshchilov and Hutter 2019), and where asked for Muon for maps between hidden states.

    Muon (https://kellerjordan.github.io/posts/muon/) makes the singular values of a step about equal; its steps are
    scaled to the size of AdamW's (arXiv 2502.16982), so both have one learning rate.
    """

    def __init__(self, parts: tuple[torch.optim.Optimizer, ...]) -> None:
        self.parts = parts

    @property
    def groups(self) -> list[dict[str, Any]]:
        """Groups of parameters; ``factor`` is a group's learning rate as a multiple of the run's."""
        return list(chain.from_iterable(part.param_groups for part in self.parts))

    def set_lr(self, lr: float) -> None:
        """Give every group its learning rate."""
        for group in self.groups:
            group["lr"] = lr * group["factor"]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for part in self.parts:
            part.zero_grad(set_to_none=True)

    def step(self) -> None:
        """Change the parameters by their gradients."""
        for part in self.parts:
            part.step()

    def state_of(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        """What is remembered of a parameter, by name; empty before the first step."""
        return next((dict(part.state[parameter]) for part in self.parts if part.state.get(parameter)), {})

    def remember(self, parameter: nn.Parameter, state: dict[str, Tensor]) -> None:
        """The inverse of :meth:`state_of`."""
        for part in self.parts:
            if any(parameter is mine for group in part.param_groups for mine in group["params"]):
                part.state[parameter] = state


def make_optimiser(model: nn.Module, config: SftConfig) -> Optimiser:
    """The optimiser of everything trainable, weight decay on matrices alone."""
    groups: dict[str, list[tuple[str, Tensor]]] = {
        "matrix": [], "vector": [], "embedding": [], "lora_B": [], "hidden": []
    }  # fmt: skip
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            kind = "embedding" if is_embedding(name) else "matrix" if parameter.ndim >= 2 else "vector"
            if name.endswith(".lora_B") and config.lora_plus != 1.0:
                kind = "lora_B"
            elif config.optimiser == "muon" and is_hidden(name, parameter):
                kind = "hidden"
            groups[kind].append((name, parameter))
    hidden = groups.pop("hidden")
    listed = [
        {
            "params": parameters,
            "weight_decay": config.weight_decay if kind in ("matrix", "lora_B") else 0.0,
            "factor": {"embedding": config.embedding_lr, "lora_B": config.lora_plus}.get(kind, 1.0),
        }
        for kind, parameters in groups.items()
        if parameters
    ]  # fmt: skip
    parts: list[torch.optim.Optimizer] = []
    if listed:
        parts += [torch.optim.AdamW(listed, lr=config.lr, betas=(config.beta1, config.beta2), eps=EPS, foreach=True)]
    if hidden:
        group = {"params": hidden, "factor": config.muon_lr}
        parts += [
            torch.optim.Muon(
                [group], lr=config.lr, weight_decay=config.weight_decay, adjust_lr_fn="match_rms_adamw"
            )
        ]  # fmt: skip
    return Optimiser(tuple(parts))


class Average:
    """Exponential moving average of weights, by name."""

    def __init__(self, weights: Mapping[str, Tensor], decay: float) -> None:
        self.decay = decay
        self.weights = {name: value.detach().clone() for name, value in weights.items()}

    @torch.no_grad()
    def update(self, weights: Mapping[str, Tensor], step: int) -> None:
        """Take in the weights after ``step`` steps. Early on the average forgets faster, so that it has no start."""
        decay = min(self.decay, (1.0 + step) / (10.0 + step))
        for name, value in weights.items():
            self.weights[name].lerp_(value, 1.0 - decay)
