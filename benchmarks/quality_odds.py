"""Probabilities that were stated and what is so, kept by figure: for calibration and Brier scores."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from quality_asked import Odds
from waytrace.evaluate.calibration import Brier, Calibration, brier, calibration


@dataclass
class _Answers:
    scene: list[str] = field(default_factory=list)
    probability: list[float] = field(default_factory=list)
    true: list[bool] = field(default_factory=list)
    group: list[int] = field(default_factory=list)
    odds: list[Odds] = field(default_factory=list)


class OddsBook:
    """Odds of slots, and single probabilities that something is so."""

    def __init__(self) -> None:
        self._answers: dict[str, _Answers] = defaultdict(_Answers)

    def add(self, name: str, scene: str, odds: Odds) -> None:
        """Odds of one slot. What is calibrated is its most probable value."""
        best = int(odds.probability.argmax())
        self.state(name, scene, float(odds.probability[best]), best == odds.label)
        self._answers[name].odds.append(odds)

    def state(self, name: str, scene: str, probability: float, true: bool, group: int | None = None) -> None:
        """One probability and whether it came true; ``group`` where what was stated is one of a few bins."""
        kept = self._answers[name]
        kept.scene.append(scene)
        kept.probability.append(probability)
        kept.true.append(true)
        if group is not None:
            kept.group.append(group)

    def names(self, prefix: str) -> list[str]:
        """Figures that begin so, in the order in which they came."""
        return [name for name in self._answers if name.startswith(prefix)]

    def calibration(self, name: str) -> Calibration | None:
        """Of a figure; None where nothing was asked."""
        kept = self._answers.get(name, _Answers())
        group = np.array(kept.group, np.int64) if kept.group else None
        return calibration(kept.probability, kept.true, kept.scene, group=group)

    def brier(self, name: str) -> Brier | None:
        """Over all values of a slot; of single probabilities over true and false. None where nothing was asked."""
        kept = self._answers.get(name, _Answers())
        if kept.odds:
            odds, label = np.stack([o.probability for o in kept.odds]), np.array([o.label for o in kept.odds], np.int64)
        else:
            p = np.array(kept.probability)
            odds, label = np.stack([1.0 - p, p], -1), np.array(kept.true, np.int64)
        return brier(odds, label, kept.scene)
