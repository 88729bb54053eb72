"""Counts that grow batch by batch: means, and how often which decision is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class Mean:
    """A sum and what it is over."""

    total: float = 0.0
    count: int = 0

    def add(self, total: float, count: int) -> None:
        """Take in the sum over ``count`` more."""
        self.total += total
        self.count += count

    @property
    def value(self) -> float | None:
        """The mean; None of nothing."""
        return self.total / self.count if self.count else None


class Decisions:
    """A confusion matrix over the decisions of one axis."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.counts = np.zeros((len(names), len(names)), np.int64)
        """[label, guess]."""

    def add(self, guess: int, label: int) -> None:
        """One decision."""
        self.counts[label, guess] += 1

    def figures(self) -> dict[str, Any]:
        """``macro_f1`` over the decisions that occur, ``accuracy``, ``support``, and ``classes`` by name."""
        support, guessed, right = self.counts.sum(1), self.counts.sum(0), self.counts.diagonal()
        f1 = [2.0 * float(r) / float(s + g) if s else None for r, s, g in zip(right, support, guessed, strict=True)]
        occurring = [v for v in f1 if v is not None]
        total = int(support.sum())
        return {
            "macro_f1": sum(occurring) / len(occurring) if occurring else None,
            "accuracy": float(right.sum()) / total if total else None,
            "support": total,
            "classes": {
                name: {"f1": v, "support": int(s), "guessed": int(g)}
                for name, v, s, g in zip(self.names, f1, support, guessed, strict=True)
                if s or g
            },
        }
