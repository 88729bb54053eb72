"""What is minimised: how wrong a trace's values are, and how far a plan is from the one that was driven."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from waytrace.microgpt.vocabulary import VALUE_AT, VALUES
from waytrace.scenario import PLAN_KNOT_S, PLAN_KNOTS
from waytrace.trace import SLOTS

from .branches import IGNORED
from .unicycle import SLOWEST_MPS

DECISIONS = ("longitudinal", "lateral")
BRANCHES = ("choice", "runner_up", "choice_decisions", "runner_up_decisions", "fast")


@dataclass(frozen=True)
class Weights:
    """What counts how much."""

    trace: float = 1.0
    """Of the sum of the slots' cross-entropies over their number, in nats."""
    decision: float = 4.0
    """What a decision's cross-entropy counts beside that of another slot: two in sixty, and they drive."""
    control: float = 0.1
    """Of all that follows, which sums some metres where a trace has about one nat: at 1 traces learn half as fast."""
    across: float = 3.0
    """A metre across the target's heading, in metres along it."""
    heading_m: float = 5.0
    """A radian, in metres along."""
    speed_m: float = 1.0
    """A m/s, in metres along."""
    half_s: float = 2.0
    """When a waypoint counts half as much as at once."""
    controls: float = 2.0
    """A m/s2 of the controls, along or across, in metres along: waypoints tell little of the half second ahead."""
    controls_half_s: float = 0.5
    """When a knot's controls count half as much as the first's."""
    hardest_mps2: float = 8.0
    """A target that steers harder across anywhere is left out: a fit that failed, one plan in a thousand."""
    bend: float = 0.2
    """Below this an error counts by its square, above it by its size."""


class Figures(NamedTuple):
    """Sums from which a batch's figures follow; those of several batches add up."""

    slots: Tensor
    """[slots, 3] cross-entropy, right ones, count."""
    plans: Tensor
    """[5 branches, 3] mean distance of the waypoints, distance of the last one, count."""
    sums: Tensor
    """[4] loss, trace loss, control loss, batches."""
    left_out: int

    def __add__(self, other: object) -> Figures:
        if not isinstance(other, Figures):
            return NotImplemented
        return Figures(
            self.slots + other.slots, self.plans + other.plans, self.sums + other.sums, self.left_out + other.left_out
        )

    def to_json(self) -> dict[str, float]:
        """Means by name, of what occurred.

        ``loss``, ``trace_loss``, ``control_loss``, ``accuracy``, ``left_out``; of slots ``loss/NAME`` and
        ``accuracy/NAME``; of branches ``mean_m/NAME`` and ``last_m/NAME``.
        """
        loss, trace, control, batches = self.sums.tolist()
        slots, plans = self.slots.tolist(), self.plans.tolist()
        asked = sum(s[2] for s in slots)
        out = {"loss": loss / batches, "trace_loss": trace / batches, "control_loss": control / batches}
        out |= {"accuracy": sum(s[1] for s in slots) / asked} if asked else {}
        for slot, (nats, right, count) in zip(SLOTS, slots, strict=True):
            if count:
                out |= {f"loss/{slot.name}": nats / count, f"accuracy/{slot.name}": right / count}
        for name, (mean, last, count) in zip(BRANCHES, plans, strict=True):
            if count:
                out |= {f"mean_m/{name}": mean / count, f"last_m/{name}": last / count}
        return out | {"left_out": float(self.left_out)}


@cache
def _outside() -> Tensor:
    """[slots, V] 0 in a slot's own set and minus infinity outside."""
    out = np.full((len(SLOTS), VALUES), -np.inf, np.float32)
    for number, slot in enumerate(SLOTS):
        first = VALUE_AT.get(slot.values.name)
        if first is not None:
            out[number, first : first + len(slot.values)] = 0.0
    return torch.from_numpy(out)


def closed_loss(logits_NV: Tensor, slot_N: Tensor, value_N: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy [N] over each slot's own set, and whether the likeliest value is right."""
    own = logits_NV.float() + _outside().to(logits_NV.device)[slot_N]
    return functional.cross_entropy(own, value_N, reduction="none"), own.detach().argmax(-1) == value_N


def decisive(slot_N: Tensor, weights: Weights) -> Tensor:
    """[N] what the cross-entropy of each slot counts."""
    decisions = [number for number, slot in enumerate(SLOTS) if slot.name in DECISIONS]
    return torch.where(torch.isin(slot_N, slot_N.new_tensor(decisions)), weights.decision, 1.0)


def pointer_loss(logits_BPK: Tensor, allowed_BK: Tensor, value_BP: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy [B, P] over what can be pointed at, 0 for padding; and whether the likeliest is right."""
    own = logits_BPK.float().masked_fill(~allowed_BK[:, None], -torch.inf)
    loss = functional.cross_entropy(own.flatten(0, 1), value_BP.flatten(), reduction="none", ignore_index=IGNORED)
    return loss.view_as(value_BP), own.detach().argmax(-1) == value_BP


def plan_loss(
    waypoints_Q16x4: Tensor, target_Q16x4: Tensor, controls: tuple[Tensor, Tensor], targets: tuple[Tensor, Tensor],
    weights: Weights,
) -> Tensor:  # fmt: skip
    """Mean error of plans: smooth L1 of waypoints along and across the target's heading, and so on."""
    accel, curvature = targets
    apart = waypoints_Q16x4 - target_Q16x4
    cos, sin = target_Q16x4[..., 2].cos(), target_Q16x4[..., 2].sin()
    along = apart[..., 0] * cos + apart[..., 1] * sin
    across = apart[..., 1] * cos - apart[..., 0] * sin
    errors = torch.stack(
        [along, weights.across * across, weights.heading_m * apart[..., 2], weights.speed_m * apart[..., 3]], -1
    )
    knots_s = PLAN_KNOT_S * torch.arange(PLAN_KNOTS, device=apart.device)
    driven = _smooth(errors, weights).sum(-1) * _falling(knots_s + PLAN_KNOT_S, weights.half_s)
    square = _square(target_Q16x4, accel)
    steered = torch.stack([controls[0] - accel, (controls[1] - curvature) * square], -1)
    chosen = _smooth(steered, weights).sum(-1) * _falling(knots_s, weights.controls_half_s)
    kept = drivable(target_Q16x4, accel, curvature, weights).float()
    return ((driven + weights.controls * chosen).mean(-1) * kept).sum() / kept.sum().clamp(min=1.0)


def drivable(target_Q16x4: Tensor, accel_Q16: Tensor, curvature_Q16: Tensor, weights: Weights) -> Tensor:
    """[Q] whether a plan counts: not where its target steers harder across than ``weights.hardest_mps2`` anywhere."""
    across = (curvature_Q16 * _square(target_Q16x4, accel_Q16)).abs().amax(-1)
    return across <= weights.hardest_mps2


def _square(target_Q16x4: Tensor, accel_Q16: Tensor) -> Tensor:
    """[Q, 16] squares of the speeds that the knots' controls begin at, in (m/s)^2."""
    return (target_Q16x4[..., 3] - PLAN_KNOT_S * accel_Q16).clamp(min=SLOWEST_MPS).square()


def _falling(time_s: Tensor, half_s: float) -> Tensor:
    """Weights [16] of mean 1 that fall with time, to a half at ``half_s``."""
    weight = 1.0 / (1.0 + time_s / half_s)
    return weight / weight.mean()


def _smooth(x: Tensor, weights: Weights) -> Tensor:
    return functional.smooth_l1_loss(x, torch.zeros_like(x), reduction="none", beta=weights.bend)
