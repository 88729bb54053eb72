"""The gradient of a step, from a batch that is learned part by part: activations of one part are held at a time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from waytrace.model import Figures, Packed, Weights, autocast


def descend(
    learner: nn.Module, parts: Sequence[Packed], weights: Sequence[Weights], device: torch.device, precision: str
) -> tuple[float, Figures]:
    """Add the gradient of a step to the parameters of ``learner``; the loss of the step, and its figures.

    ``weights`` say how much each part counts (:func:`.steps.fair`); the losses of the parts add up. Processes speak to
    each other once, after the last part.
    """
    total, figures = 0.0, None
    for left, (part, weight) in zip(range(len(parts) - 1, -1, -1), zip(parts, weights, strict=True), strict=True):
        alone = learner.no_sync() if left and isinstance(learner, DistributedDataParallel) else nullcontext()
        with alone:
            with autocast(device, precision):
                loss, seen = learner(part, weight)
            loss.backward()
        total += float(loss.detach())
        figures = seen if figures is None else figures + seen
    assert figures is not None, "a step has at least one part"
    return total, figures if len(parts) == 1 else figures._replace(sums=_as_one(figures.sums, len(parts)))


def _as_one(sums: torch.Tensor, parts: int) -> torch.Tensor:
    """Sums [4] over the parts of a step as those of one batch: losses added up, their two kinds averaged."""
    loss, trace, control, _ = sums
    return torch.stack([loss, trace / parts, control / parts, torch.ones_like(loss)])
