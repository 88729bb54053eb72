"""The heads: which value a slot gets, and which controls a plan has.

Shape suffixes: N tokens, D width, V values, B samples, P pointer slots of a sample, S scene tokens, Q plans.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from waytrace.microgpt.columns import MOVES, STEER_KNOTS
from waytrace.microgpt.config import MODES, QUERIES
from waytrace.microgpt.vocabulary import VALUES
from waytrace.scenario import PLAN_KNOTS
from waytrace.trace import SLOTS

from .atoms import Linear
from .branches import NOWHERE


class TraceHead(nn.Module):
    """Embeds the values of slots, and gives logits over the values of the next one."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.slot_embedding = nn.Embedding(len(SLOTS) + 1, width)
        self.value_embedding = nn.Embedding(VALUES, width)
        self.begin = nn.Parameter(torch.empty(width))
        self.nowhere = nn.Parameter(torch.empty(NOWHERE, width))
        self.nowhere_key = nn.Parameter(torch.empty(NOWHERE, width))
        self.point = Linear(width, width, bias=False)
        self.query = Linear(width, width, bias=False)
        self.key = Linear(width, width, bias=False)
        self.output = Linear(width, VALUES)

    def closed(self, hidden_ND: Tensor) -> Tensor:
        """Logits [N, V] over the values of all closed sets and bins."""
        logits: Tensor = self.output(hidden_ND)
        return logits

    def pointers(self, hidden_BPD: Tensor, scene_BSD: Tensor) -> Tensor:
        """Logits [B, P, 2 + S] over nothing, the end, and the scene's tokens."""
        nowhere = self.nowhere_key.to(scene_BSD.dtype).expand(len(scene_BSD), -1, -1)
        keys = torch.cat([nowhere, self.key(scene_BSD)], 1)
        logits: Tensor = self.query(hidden_BPD) @ keys.transpose(1, 2) * keys.shape[-1] ** -0.5
        return logits


class ControlHead(nn.Module):
    """Queries that are asked after a branch, and the controls that their hidden states stand for."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.queries = nn.Embedding(QUERIES, width)
        self.mode = nn.Embedding(len(MODES), width)
        self.out = Linear(width, 2 * PLAN_KNOTS // QUERIES)
        self.follow = Linear(width, len(MOVES) + 1)

    def inputs(self) -> Tensor:
        """[modes * queries, D] what each query of each mode puts in."""
        return (self.mode.weight[:, None] + self.queries.weight).flatten(0, 1)

    def forward(self, hidden_Q4D: Tensor, moves_QMK: Tensor) -> Tensor:
        """[Q, 16, 2] pairs for :func:`waytrace.model.unicycle.bounded`.

        ``moves_QMK`` are lateral accelerations of the first knots of the ways to steer that a plan can follow.
        """
        out: Tensor = self.out(hidden_Q4D)
        out = out.reshape(len(out), PLAN_KNOTS, 2).float()
        share_QM = self.follow(hidden_Q4D[:, 0]).float().softmax(-1)[:, :-1]
        steered = (share_QM[..., None] * moves_QMK).sum(1)
        return torch.cat(
            [out[..., :1], out[..., 1:] + functional.pad(steered, (0, PLAN_KNOTS - STEER_KNOTS))[..., None]], -1
        )


class Heads(nn.Module):
    """All heads of a model."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.trace = TraceHead(width)
        self.control = ControlHead(width)
