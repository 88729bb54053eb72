"""Figures of the steps since the last line of metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from waytrace.model import Figures

from .distributed import Crew


@dataclass
class Window:
    """Sums over steps; :meth:`close` gives their means over all processes and begins anew."""

    figures: Figures | None = None
    norms: list[float] = field(default_factory=list)

    def add(self, figures: Figures, norm: float) -> None:
        """Take in one step."""
        self.figures = figures if self.figures is None else self.figures + figures
        self.norms.append(norm)

    def close(self, group: Crew) -> dict[str, Any]:
        """``loss``, ``parts`` (name to loss), ``accuracy`` of slots, ``grad_norm``: means over the steps."""
        assert self.figures is not None, "a window holds at least one step"
        slots, sums = self.figures.slots, self.figures.sums
        if group.size > 1:
            slots, sums = slots.clone(), sums.clone()
            torch.distributed.all_reduce(slots)
            torch.distributed.all_reduce(sums)
        nats, right, asked = slots.cpu().double().sum(0).tolist()
        loss, _, _, batches = sums.tolist()
        trace = nats / max(asked, 1.0)
        norm = sum(self.norms) / len(self.norms)
        self.figures, self.norms = None, []
        mean = loss / batches
        return {
            "loss": mean, "parts": {"trace": trace, "plan": mean - trace}, "accuracy": right / max(asked, 1.0),
            "grad_norm": norm,
        }  # fmt: skip
