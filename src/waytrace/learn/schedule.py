"""The learning rate as a function of the step alone, so that a run cut into pieces learns as one that was not."""

from __future__ import annotations

import math


def warmup_cosine(step: int, *, steps: int, warmup: int, end: float) -> float:
    """Factor of the learning rate at ``step`` (from 0): linear up to 1 over ``warmup``, then a half cosine to ``end``.

    The cosine reaches ``end`` at the last step, ``steps - 1``; from there on the factor stays.
    """
    if step < warmup:
        return (step + 1) / warmup
    gone = min(1.0, (step - warmup) / max(1, steps - 1 - warmup))
    return end + (1.0 - end) * 0.5 * (1.0 + math.cos(math.pi * gone))
