"""Equal steps for equal inputs: PyTorch told to add in a fixed order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def reproducible(threads: int) -> Iterator[None]:
    """PyTorch with so many threads and with algorithms that give the same bits each time; as it was afterwards.

    Without it, gradients of tables are added in whatever order threads come (measured: two threads, three runs of six
    steps, three results; with it one result, which is also that of one thread).
    """
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    switches: Any = torch.utils.deterministic
    filled = switches.fill_uninitialized_memory
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    # Filling new tensors finds reads of what was never written. There are none, and it costs time.
    switches.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
        switches.fill_uninitialized_memory = filled
