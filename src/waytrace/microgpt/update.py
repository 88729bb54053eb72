"""Adam: how a gradient becomes a change of the parameters.

Source: arXiv 1412.6980, algorithm 1, without the reordering of its section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass
class Adam:
    """The optimiser and what it remembers, by parameter name."""

    learning_rate: float = 1e-3
    beta1: float = 0.9
    """Of the gradient's running mean."""
    beta2: float = 0.98
    """Of its square's."""
    eps: float = 1e-8
    steps: int = 0
    mean: dict[str, Array] = field(default_factory=dict)
    square: dict[str, Array] = field(default_factory=dict)

    def update(self, parameters: Mapping[str, Array], gradients: Mapping[str, Array], scale: float = 1.0) -> None:
        """Change ``parameters`` in place by one step, ``scale`` times the learning rate long."""
        self.steps += 1
        for name, gradient in gradients.items():
            mean = self.mean.setdefault(name, np.zeros_like(gradient))
            square = self.square.setdefault(name, np.zeros_like(gradient))
            mean += (1.0 - self.beta1) * (gradient - mean)
            square += (1.0 - self.beta2) * (np.square(gradient) - square)
            unbiased = mean / (1.0 - self.beta1**self.steps)
            size = np.sqrt(square / (1.0 - self.beta2**self.steps)) + self.eps
            parameters[name][...] -= scale * self.learning_rate * unbiased / size
