"""AdamW over a model's parameters, in groups by what they are; and the average of weights over a run."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from .config import SftConfig

EPS = 1e-8
EMBEDDINGS = ("embedding.weight", "nowhere", "begin", "queries.weight", "mode.weight", "nowhere_key")
"""Endings of names of tables, whose rows learn only when they occur: no decay, and a learning rate of their own."""


def is_embedding(name: str) -> bool:
    """Whether a parameter is a table of vectors rather than a map between them."""
    return name.endswith(EMBEDDINGS)


def make_optimiser(model: nn.Module, config: SftConfig) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter 2019) over everything trainable, weight decay on matrices alone.

    A group's ``factor`` is its learning rate as a multiple of the run's.
    """
    groups: dict[str, list[tuple[str, Tensor]]] = {"matrix": [], "vector": [], "embedding": [], "lora_B": []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            kind = "embedding" if is_embedding(name) else "matrix" if parameter.ndim >= 2 else "vector"
            if name.endswith(".lora_B") and config.lora_plus != 1.0:
                kind = "lora_B"
            groups[kind].append((name, parameter))
    listed = [
        {
            "params": parameters,
            "weight_decay": config.weight_decay if kind in ("matrix", "lora_B") else 0.0,
            "factor": {"embedding": config.embedding_lr, "lora_B": config.lora_plus}.get(kind, 1.0),
        }
        for kind, parameters in groups.items()
        if parameters
    ]  # fmt: skip
    return torch.optim.AdamW(listed, lr=config.lr, betas=(config.beta1, config.beta2), eps=EPS, foreach=True)


def set_lr(optimiser: torch.optim.Optimizer, lr: float) -> None:
    """Give every group its learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = lr * group["factor"]


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
