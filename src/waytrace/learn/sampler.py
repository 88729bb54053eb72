"""Which samples a step learns from: a pure function of seed and step, in batches of traces of like length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .config import ConfigError

Indices = NDArray[np.int64]

WINDOW = 16
"""Batches that are sorted by length together: padding shrinks, and batches are still drawn from all over the store."""


class Sampler:
    """Batches without end: each epoch a new shuffle of all samples, but for the few that fill no batch.

    The state is one number, the step; the shuffle of an epoch is drawn from (seed, epoch) by a counter-based
    generator. So a run that is continued draws what it would have drawn.
    """

    def __init__(self, lengths: Indices, batch: int, seed: int) -> None:
        """``lengths`` [samples] are tokens; raises :class:`ConfigError` where there are fewer than a batch."""
        if len(lengths) < batch:
            raise ConfigError(
                f"There are {len(lengths)} samples, fewer than a batch of {batch}: "
                "collect more, or make the batch smaller."
            )
        self.lengths, self.batch, self.seed = lengths, batch, seed
        self.batches = len(lengths) // batch
        self._drawn = (-1, np.empty((0, batch), np.int64))

    def at(self, step: int) -> Indices:
        """[batch] indices of the samples of a step, by length, longest first."""
        epoch, place = divmod(step, self.batches)
        if self._drawn[0] != epoch:
            self._drawn = epoch, self._draw(epoch)
        indices: Indices = self._drawn[1][place]
        return indices

    def _draw(self, epoch: int) -> Indices:
        random = np.random.Generator(np.random.Philox(key=np.array([self.seed, epoch], np.uint64)))
        order = random.permutation(len(self.lengths))[: self.batches * self.batch]
        parts = []
        for start in range(0, len(order), WINDOW * self.batch):
            window = order[start : start + WINDOW * self.batch]
            # The sort is stable, so that equal lengths stay in the order of the shuffle on every machine.
            parts.append(window[np.argsort(-self.lengths[window], kind="stable")])
        return np.concatenate(parts).reshape(self.batches, self.batch)[random.permutation(self.batches)]


def share(indices: Indices, rank: int, processes: int) -> Indices:
    """The part of a batch that one of several processes takes: a run of like lengths.

    Raises :class:`ConfigError` where the batch cannot be divided evenly.
    """
    if len(indices) % processes:
        raise ConfigError(f"A batch of {len(indices)} cannot be divided evenly among {processes} processes.")
    part: Indices = np.split(indices, processes)[rank]
    return part


def draws(seed: int, step: int, skipped: int = 0) -> np.random.Generator:
    """A generator for what a step draws, past the first ``skipped`` uniform numbers.

    A process that takes a part of a batch skips what the processes before it draw, so that together they draw what
    one alone would.
    """
    random = np.random.Generator(np.random.Philox(key=np.array([seed, step], np.uint64), counter=[0, 0, 0, 1]))
    random.random(skipped)
    return random
