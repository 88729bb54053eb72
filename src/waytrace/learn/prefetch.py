"""The next batches, read by a thread while this one is learned from."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

AHEAD = 3


def prefetch(make: Callable[[int], T], first: int, end: int, *, ahead: int = AHEAD) -> Iterator[T]:
    """``make(first)``, ..., ``make(end - 1)`` in order, the next ``ahead`` of them begun early, one after the other.

    What ``make`` raises is raised here, at its turn.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="samples") as pool:
        waiting: deque[Future[T]] = deque()
        try:
            for step in range(first, end):
                while len(waiting) <= ahead and step + len(waiting) < end:
                    waiting.append(pool.submit(make, step + len(waiting)))
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
