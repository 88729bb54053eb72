"""When a run has learned what it can: the best loss on ``select``, and how long ago it was."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Best:
    """The best look at ``select`` so far."""

    loss: float = math.inf
    step: int = 0
    """Steps that had been made by then."""
    worse: int = 0
    """Looks since."""

    def after(self, loss: float, step: int) -> Best:
        """What is best after one more look. A loss that is no number counts as worse."""
        return Best(loss, step) if loss < self.loss else Best(self.loss, self.step, self.worse + 1)

    def spent(self, patience: int) -> bool:
        """Whether ``patience`` looks in a row were no better; never with a patience of 0."""
        return 0 < patience <= self.worse
