"""How long a planner takes for a decision, beside a fixed piece of work in the same process.

Time in which the thread only stood in line for a processor is not the planner's, and it does not fall evenly: a
decision of 20 ms is interrupted on a busy machine more often than a reference of half a millisecond. Linux says how
long it was; elsewhere it stays in.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

_SIZE, _TURNS = 64, 20
_QUEUE = "/proc/thread-self/schedstat"
"""Of a thread: nanoseconds on a processor, nanoseconds in line for one, times it got one."""


class Clock:
    """Takes down how long each decision takes, without the time that this thread stood in line for a processor.

    Before each a fixed piece of NumPy work is timed too. A slow machine slows both, so their ratio says more of the
    planner than either.
    """

    def __init__(self) -> None:
        self._took_s: list[float] = []
        self._reference_s: list[float] = []
        self._now_s = _thread_clock()

    def around(self, plan: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """``plan`` with its calls timed."""

        def timed(observation: Any, state: Any) -> Any:
            began = self._now_s()
            reference_work()
            between = self._now_s()
            answer = plan(observation, state)
            self._took_s.append(self._now_s() - between)
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


def _thread_clock() -> Callable[[], float]:
    """A clock of this thread, in seconds, that stands still while the thread is in line for a processor."""
    try:
        queue = os.open(_QUEUE, os.O_RDONLY)
    except OSError:
        return time.perf_counter

    def waited_ns() -> int:
        return int(os.pread(queue, 64, 0).split()[1])

    def now_s() -> float:
        before, now, after = waited_ns(), time.perf_counter(), waited_ns()
        while before != after:  # it waited just now: whether before or after the look at the clock is not known
            before, now, after = after, time.perf_counter(), waited_ns()
        return now - 1e-9 * before

    weakref.finalize(now_s, os.close, queue)
    return now_s


def reference_work() -> float:
    """The fixed piece of work: small matrix products, as planners do them. Under a millisecond; the same always."""
    matrix = np.linspace(-1.0, 1.0, _SIZE * _SIZE).reshape(_SIZE, _SIZE)
    total = 0.0
    for _ in range(_TURNS):
        matrix = np.tanh(matrix @ matrix / _SIZE)
        total += float(matrix[0, 0])
    return total
