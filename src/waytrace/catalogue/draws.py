"""Named random draws: each value is a hash of its key and its name, so no draw depends on the order of the others."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
Range = tuple[float, float]


@dataclass(frozen=True)
class Draw:
    """Counter-based randomness: ``value = sha256(key / name)``.

    The same on every machine and in every version of NumPy; a new draw in a family leaves the old ones as they are.
    """

    key: str

    def sub(self, *parts: object) -> Draw:
        """Independent draws for one part of a scene."""
        return Draw("/".join([self.key, *(str(p) for p in parts)]))

    def unit(self, name: str) -> float:
        """A number in [0, 1) with 53 random bits."""
        digest = hashlib.sha256(f"{self.key}/{name}".encode()).digest()
        return (int.from_bytes(digest[:8], "big") >> 11) * 2.0**-53

    def uniform(self, name: str, within: Range) -> float:
        """A number in [low, high)."""
        return within[0] + (within[1] - within[0]) * self.unit(name)

    def log_uniform(self, name: str, within: Range) -> float:
        """A number in [low, high), its logarithm uniform: small values as often as large ones."""
        return math.exp(self.uniform(name, (math.log(within[0]), math.log(within[1]))))

    def chance(self, name: str, probability: float) -> bool:
        """True with the given probability."""
        return self.unit(name) < probability

    def integer(self, name: str, count: int) -> int:
        """A whole number in 0 .. count - 1."""
        return int(self.unit(name) * count)

    def choice(self, name: str, options: Sequence[T], weights: Sequence[float] | None = None) -> T:
        """One of ``options``, evenly or by ``weights``."""
        if weights is None:
            return options[self.integer(name, len(options))]
        left = self.unit(name) * sum(weights)
        for option, weight in zip(options, weights, strict=True):
            left -= weight
            if left < 0:
                return option
        return options[-1]
