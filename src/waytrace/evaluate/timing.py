"""How long a planner takes for a decision, beside a fixed piece of work in the same process."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

_SIZE, _TURNS = 64, 20


class Clock:
    """Takes down how long each decision takes.

    Before each a fixed piece of NumPy work is timed too. A slow or busy machine slows both, so their ratio says more
    of the planner than either.
    """

    def __init__(self) -> None:
        self._took_s: list[float] = []
        self._reference_s: list[float] = []

    def around(self, plan: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """``plan`` with its calls timed."""

        def timed(observation: Any, state: Any) -> Any:
            began = time.perf_counter()
            reference_work()
            between = time.perf_counter()
            answer = plan(observation, state)
            self._took_s.append(time.perf_counter() - between)
            self._reference_s.append(between - began)
            return answer

        return timed

    def record(self) -> dict[str, Any]:
        """Decisions, median and longest time of one in milliseconds, median time of the reference work."""
        return {
            "decisions": len(self._took_s),
            "median_ms": 1000 * median(self._took_s),
            "most_ms": 1000 * max(self._took_s),
            "reference_ms": 1000 * median(self._reference_s),
        }


def reference_work() -> float:
    """The fixed piece of work: small matrix products, as planners do them. Under a millisecond; the same always."""
    matrix = np.linspace(-1.0, 1.0, _SIZE * _SIZE).reshape(_SIZE, _SIZE)
    total = 0.0
    for _ in range(_TURNS):
        matrix = np.tanh(matrix @ matrix / _SIZE)
        total += float(matrix[0, 0])
    return total
