"""What a step learns from, made ahead of it: samples read, branches drawn, tokens packed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from waytrace.microgpt.columns import BEFORE_AT, PAST_AT
from waytrace.microgpt.tokens import SceneTokens
from waytrace.model import Branches, Packed, Weights, pack
from waytrace.model.losses import drivable
from waytrace.model.unicycle import integrate

from .arms import SHUFFLING, branches_of, in_arm
from .config import ConfigError
from .distributed import Crew
from .sample import SampleBatch
from .sampler import Sampler, draws, share
from .samples import SampleStore

FORGETTING = 1 << 32
"""Added to a run's seed for what is forgotten."""

DRAWS = 5
"""Uniform numbers that a sample's branches take (:meth:`Branches.draw`)."""


@dataclass(frozen=True, eq=False)
class Steps:
    """The packed batch of every step, for one process of a crew: a function of the step alone."""

    samples: SampleStore
    sampler: Sampler
    branches: Branches
    group: Crew
    forget: float = 0.0
    """Share of samples whose last decision and own past are hidden: a planner that can copy what it just did learns
    that instead of why (de Haan et al. 2019, https://arxiv.org/abs/1905.11979)."""
    arm: str = "own"
    """What stands before the plan (:mod:`.arms`)."""
    accumulate: int = 1
    """Parts that a step's gradient is summed over."""

    def at(self, step: int) -> Packed:
        """The part of this process of the batch of ``step``, in one."""
        batch, random = self._drawn(step)
        return pack(batch, branches_of(self.arm, self.branches), random)

    def parts(self, step: int) -> tuple[Packed, ...]:
        """The same in ``accumulate`` parts: equal samples, equal branches.

        Raises :class:`ConfigError` where there are fewer samples than parts, or some would be left over.
        """
        batch, random = self._drawn(step)
        branches = branches_of(self.arm, self.branches)
        return tuple(pack(part, branches, random) for part in split(batch, self.accumulate))

    def _drawn(self, step: int) -> tuple[SampleBatch, np.random.Generator]:
        """The samples of this process, and the generator that their branches are drawn by."""
        mine = share(self.sampler.at(step), self.group.rank, self.group.size)
        random = draws(self.sampler.seed, step, DRAWS * len(mine) * self.group.rank)
        batch = self.samples.batch(mine)
        if self.forget:
            hidden = draws(self.sampler.seed + FORGETTING, step, 2 * len(mine) * self.group.rank)
            forget(batch.tokens.ego, self.forget, hidden)
        if self.arm != "own":
            batch = in_arm(self.arm, batch, draws(self.sampler.seed + SHUFFLING + self.group.rank, step, 0))
        return batch, random


def split(batch: SampleBatch, parts: int) -> list[SampleBatch]:
    """A batch in equal parts, in order. Raises :class:`ConfigError` where it cannot be divided so."""
    count = len(batch.speed)
    if count % parts:
        raise ConfigError(f"{count} samples a process cannot be divided evenly into {parts} parts (accumulate).")
    size = count // parts
    return [_rows(batch, slice(first, first + size)) for first in range(0, count, size)]


def _rows(batch: SampleBatch, rows: slice) -> SampleBatch:
    own = {name: getattr(batch, name)[rows] for name in batch._fields if name != "tokens"}
    return batch._replace(tokens=SceneTokens._make(part[rows] for part in batch.tokens), **own)


def forget(ego: NDArray[np.float32], share: float, random: np.random.Generator) -> None:
    """Hide, each in a ``share`` of the samples and apart from each other, last decisions and own pasts: zeros."""
    past, before = (random.random((len(ego), 2)) < share).T
    ego[past, 0, PAST_AT:BEFORE_AT] = 0.0
    ego[before, 0, BEFORE_AT:] = 0.0


def fair(parts: Sequence[Packed], group: Crew, plan_weight: float) -> list[Weights]:
    """Weights of a process's parts, under which the mean over processes of their sums is the loss of all in one.

    That loss is a mean over all slots and plans that are asked, so a part with more of them counts for more.
    """
    base = Weights(control=plan_weight)
    if group.size == 1 and len(parts) == 1:
        return [base]
    counts = [_asked(part, base) for part in parts]
    all_slots, all_plans = group.total(*(float(sum(column)) for column in zip(*counts, strict=True)))
    return [
        replace(
            base,
            trace=base.trace * slots * group.size / max(all_slots, 1.0),
            control=base.control * plans * group.size / max(all_plans, 1.0),
        )
        for slots, plans in counts
    ]


def _asked(packed: Packed, weights: Weights) -> tuple[int, int]:
    """Slots that are asked, and plans that count."""
    start, accel, curvature = (torch.from_numpy(x) for x in (packed.start, packed.accel, packed.curvature))
    plans = drivable(integrate(start, accel, curvature), accel, curvature, weights)
    return len(packed.closed_at) + int((packed.pointer_value >= 0).sum()), int(plans.sum())
