"""What a step learns from, made ahead of it: samples read, branches drawn, tokens packed."""

from __future__ import annotations

from dataclasses import dataclass

from waytrace.model import Branches, Packed, Weights, pack

from .distributed import Crew
from .sampler import Sampler, draws, share
from .samples import SampleStore

DRAWS = 5
"""Uniform numbers that a sample's branches take (:meth:`Branches.draw`)."""


@dataclass(frozen=True, eq=False)
class Steps:
    """The packed batch of every step, for one process of a crew: a function of the step alone."""

    samples: SampleStore
    sampler: Sampler
    branches: Branches
    group: Crew

    def at(self, step: int) -> Packed:
        """The part of this process of the batch of ``step``."""
        mine = share(self.sampler.at(step), self.group.rank, self.group.size)
        random = draws(self.sampler.seed, step, DRAWS * len(mine) * self.group.rank)
        return pack(self.samples.batch(mine), self.branches, random)


def fair(packed: Packed, group: Crew, plan_weight: float = 1.0) -> Weights:
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
