"""A trace in the model's own words: behind what it would write itself, a plan is learned as it is driven.

With the true values before it a plan learns to trust every word of a trace, and when the planner drives, the words are
its own, wrong ones among them. So in some steps the answers of closed sets are drawn as the model would write them,
each behind the true ones before it, and take their place (scheduled sampling, in one more pass over the rows: Bengio et
al. 2015, https://arxiv.org/abs/1506.03099; Mihaylova and Martins 2019, https://arxiv.org/abs/1906.07651). The decisions
stay: a plan is to follow them whatever else is said.

Shape suffixes as in :mod:`.layout`; K values that are replaced.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from waytrace.microgpt.branch import MOST_VALUES

from .branches import DECISION_SLOTS, F4, I8
from .losses import outside

DRAWS = 2 * MOST_VALUES
"""Uniform numbers that a sample takes: one for each place of its two traces."""
TRACES = 2
"""Branches that hold traces: the first ones."""


def own_words(draws: F4, sample: I8, branch: I8, order: I8, closed: I8, slot: I8) -> dict[str, Any]:
    """The fields of :class:`.layout.Packed` that say which values are replaced.

    ``draws`` [B, DRAWS]; of the N tokens their ``sample``, ``branch`` and place in it; ``closed`` [C] which of them
    ask for a value of a closed set, and ``slot`` [C] for which.
    """
    after = np.minimum(closed + 1, len(sample) - 1)
    follows = (
        (sample[after] == sample[closed]) & (branch[after] == branch[closed]) & (order[after] == order[closed] + 1)
    )
    able = np.flatnonzero(follows & (branch[closed] < TRACES) & ~np.isin(slot, DECISION_SLOTS))
    at = closed[able]
    drawn = draws[sample[at], branch[at] * MOST_VALUES + order[at]]
    return {"own_answer": able, "own_at": after[able], "own_draw": drawn.astype(np.float32)}


def drawn_rows(logits_KV: Tensor, slot_K: Tensor, draw_K: Tensor) -> Tensor:
    """[K] input rows of values drawn from each slot's own set, by uniform numbers."""
    chances = torch.softmax(logits_KV.float() + outside().to(logits_KV.device)[slot_K], -1).cumsum(-1)
    all_K1 = chances[:, -1:].contiguous()
    place = torch.searchsorted(chances, draw_K[:, None] * all_K1, right=True)
    # A draw that rounds to 1 is the last value that has any chance, which later ones have none to follow.
    return torch.minimum(place, torch.searchsorted(chances, all_K1))[:, 0]
