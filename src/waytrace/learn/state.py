"""Everything a run has to remember besides the model, so that going on is as if it had never stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from .config import ConfigError
from .optimiser import Average, Optimiser
from .stopping import Best

MOMENTS = ("exp_avg", "exp_avg_sq", "step"), ("momentum_buffer",)
"""What AdamW keeps of each parameter, and what Muon does."""


@dataclass
class Progress:
    """Where a run stands. The step is also the position of the sampler and of the schedule."""

    step: int = 0
    best: Best = field(default_factory=Best)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; numbers keep every bit."""
        best = asdict(self.best)
        return {"step": self.step, "best": best | {"loss": None if best["step"] == 0 else best["loss"]}}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Progress:
        """The inverse of :meth:`to_json`."""
        best = dict(record["best"])
        if best["loss"] is None:
            del best["loss"]
        return cls(record["step"], Best(**best))


def trainable(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """The parameters that learn, by name."""
    return ((name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad)


def trainer_tensors(model: nn.Module, optimiser: Optimiser, average: Average | None) -> dict[str, Tensor]:
    """Moments by parameter name, the generator's state and, where an average is what drives, the weights that learn."""
    out = {"rng/torch": torch.get_rng_state()}
    for name, parameter in trainable(model):
        kept = optimiser.state_of(parameter)
        out |= {f"{key}/{name}": value.detach().reshape(value.shape or (1,)) for key, value in kept.items()}
    if average is not None:
        out |= {f"weight/{name}": value.detach().clone() for name, value in trainable(model)}
    return out


def restore(model: nn.Module, optimiser: Optimiser, average: Average | None, tensors: Mapping[str, Tensor]) -> None:
    """Put back what :func:`trainer_tensors` took; the model holds the checkpoint's weights already.

    Raises :class:`ConfigError` where something is missing, or there is more than the model has a place for.
    """
    left = dict(tensors)
    try:
        torch.set_rng_state(left.pop("rng/torch"))
        if average is not None:
            average.weights = {name: value.detach().clone() for name, value in trainable(model)}
            with torch.no_grad():
                for name, parameter in trainable(model):
                    parameter.copy_(left.pop(f"weight/{name}"))
        for name, parameter in trainable(model):
            for keys in MOMENTS:
                if f"{keys[0]}/{name}" in left:
                    kept = {key: left.pop(f"{key}/{name}").clone() for key in keys}
                    optimiser.remember(parameter, {key: _like(key, value, parameter) for key, value in kept.items()})
    except KeyError as error:
        raise ConfigError(
            f"The trainer's state lacks {error}. Take another checkpoint, or begin the run anew."
        ) from error
    if left:
        raise ConfigError(
            f"The trainer's state holds {next(iter(left))!r}, which nothing here has. Begin the run anew."
        )


def _like(key: str, value: Tensor, parameter: Tensor) -> Tensor:
    return value.reshape(()) if key == "step" else value.to(parameter.device)


@contextmanager
def averaged(model: nn.Module, average: Average | None) -> Iterator[None]:
    """The model with the average for its weights, where there is one; its own weights afterwards."""
    if average is None:
        yield
        return
    own = {name: value.detach().clone() for name, value in trainable(model)}
    try:
        _set(model, average.weights)
        yield
    finally:
        _set(model, own)


@torch.no_grad()
def _set(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    for name, parameter in trainable(model):
        parameter.copy_(weights[name])
