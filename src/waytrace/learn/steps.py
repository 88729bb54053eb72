"""What a step learns from, made ahead of it: samples read, branches drawn, tokens packed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from waytrace.microgpt.columns import BEFORE_AT, PAST_AT
from waytrace.model import Branches, Packed, Weights, pack

from .arms import SHUFFLING, branches_of, in_arm
from .distributed import Crew
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

    def at(self, step: int) -> Packed:
        """The part of this process of the batch of ``step``."""
        mine = share(self.sampler.at(step), self.group.rank, self.group.size)
        random = draws(self.sampler.seed, step, DRAWS * len(mine) * self.group.rank)
        batch = self.samples.batch(mine)
        if self.forget:
            hidden = draws(self.sampler.seed + FORGETTING, step, 2 * len(mine) * self.group.rank)
            forget(batch.tokens.ego, self.forget, hidden)
        if self.arm != "own":
            batch = in_arm(self.arm, batch, draws(self.sampler.seed + SHUFFLING + self.group.rank, step, 0))
        return pack(batch, branches_of(self.arm, self.branches), random)


def forget(ego: NDArray[np.float32], share: float, random: np.random.Generator) -> None:
    """Hide, each in a ``share`` of the samples and apart from each other, last decisions and own pasts: zeros."""
    past, before = (random.random((len(ego), 2)) < share).T
    ego[past, 0, PAST_AT:BEFORE_AT] = 0.0
    ego[before, 0, BEFORE_AT:] = 0.0


def fair(packed: Packed, group: Crew, plan_weight: float) -> Weights:
    """Weights under which the mean over processes is the mean over all that is asked, as one process takes it.

    A process with more slots or plans in its part counts for more.
    """
    base = Weights(control=plan_weight)
    if group.size == 1:
        return base
    slots, plans = len(packed.closed_at) + int((packed.pointer_value >= 0).sum()), len(packed.query_at)
    all_slots, all_plans = group.total(slots, plans)
    return Weights(
        trace=base.trace * slots * group.size / max(all_slots, 1.0),
        control=base.control * plans * group.size / max(all_plans, 1.0),
    )
