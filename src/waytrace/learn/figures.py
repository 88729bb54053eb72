"""What is looked at on ``select``: losses by slot, mass on legal values, decisions, causes, controls, waypoints.

All of it is teacher-forced: each slot is asked after the labelled ones before it. How a checkpoint drives, and what it
says when nobody prompts it, is for closed loop.

Shape suffixes: B samples, S scene tokens, N tokens of all rows, C closed slots, P pointer slots of a sample, Q plans.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from waytrace.microgpt.vocabulary import VALUE_AT
from waytrace.model import Packed, Waytrace, Weights, autocast, pack
from waytrace.model.branches import IGNORED, NOWHERE
from waytrace.model.losses import DECISIONS, closed_loss, plan_loss, pointer_loss
from waytrace.model.unicycle import bounded, integrate
from waytrace.model.waytrace import Inputs
from waytrace.scenario import PLAN_KNOT_S
from waytrace.trace import SLOTS, sets
from waytrace.trace.slots import BY_NAME, END, NOTHING, ROW_COUNT

from .arms import SHUFFLING, examined, in_arm
from .config import SftConfig
from .legal import Walked, present_of, walked
from .samples import SampleBatch, SampleStore
from .stores import lengths
from .tallies import Decisions, Mean

HORIZONS_S = (1.0, 2.0, 4.0, 8.0)
BRANCHES = ("trace", "runner_up", "decision_only", "decision_only", "fast")
"""By number of branch; the decisions of the runner-up count with those of the choice."""
AXES = {"longitudinal": sets.LONGITUDINAL.values, "lateral": sets.LATERAL.values}
_AXIS_SLOT = {axis: SLOTS.index(BY_NAME[axis]) for axis in AXES}
_CHOICE, _DECIDED = 0, 2
"""Numbers of the branches of the choice: its trace, its decisions alone."""


class Examination:
    """The same samples of ``select``, evenly taken, at every look."""

    def __init__(self, select: SampleStore, config: SftConfig) -> None:
        count = min(len(select), config.eval_samples or len(select))
        chosen = np.arange(count) * len(select) // count
        chosen = chosen[np.argsort(-lengths(select)[chosen], kind="stable")]
        self.select, self.precision, self.plan_weight = select, config.precision, config.plan_weight
        self.arm, self.seed = config.trace, config.seed
        parts = math.ceil(count / config.batch)
        self.parts = np.array_split(chosen, min(parts, max(count // 2, 1)) if config.trace == "shuffled" else parts)
        self._walked: dict[int, list[Walked]] = {}

    @torch.no_grad()
    def of(self, model: Waytrace) -> dict[str, Any]:
        """The figures of a model, as one line of metrics holds them."""
        training = model.training
        model.eval()
        sums = _Sums()
        for number, part in enumerate(self.parts):
            batch = self.select.batch(part)
            if self.arm != "own":
                # The same other traces at every look. What is said in them is nothing to be right about.
                batch = in_arm(self.arm, batch, np.random.default_rng([self.seed + SHUFFLING, number]))
                self._walked[number] = []
            if number not in self._walked:
                self._walked[number] = [
                    walked(present_of(batch.tokens, b), batch.slot[b, 0], batch.value[b, 0]) for b in range(len(part))
                ]
            # All branches are taken, so nothing is drawn from this generator that matters.
            packed = pack(batch, examined(self.arm), np.random.default_rng(0))
            with autocast(model.device, self.precision):
                sums.add(model, batch, packed, self._walked[number])
        model.train(training)
        return sums.figures(self.plan_weight)


class _Sums:
    """Sums over the batches of a look."""

    def __init__(self) -> None:
        self.slots = np.zeros((len(SLOTS), 3))
        """Nats, right ones, count."""
        self.plan_loss = Mean()
        self.legal, self.least = Mean(), 1.0
        self.cause = Mean()
        self.decisions = {
            name: {axis: Decisions(values) for axis, values in AXES.items()} for name in ("trace", "decision_only")
        }
        self.waypoints = {name: {f"{h:g}": Mean() for h in HORIZONS_S} for name in dict.fromkeys(BRANCHES)}
        self.accel = {name: Mean() for name in dict.fromkeys(BRANCHES)}
        self.curvature = {name: Mean() for name in dict.fromkeys(BRANCHES)}

    def add(self, model: Waytrace, batch: SampleBatch, packed: Packed, ways: list[Walked]) -> None:
        """Take in one batch."""
        inputs = Inputs.of(packed, model.device)
        closed_CV, pointers_BPK, out = model.answers(inputs)
        with autocast(model.device, "fp32"):
            self._plans(inputs, out.float())
            allowed_BK = torch.nn.functional.pad(inputs.pointable, (NOWHERE, 0), value=True)
            self._losses(inputs, closed_CV.float(), pointers_BPK.float(), allowed_BK)
            pointed_BPK = pointers_BPK.float().masked_fill(~allowed_BK[:, None], -torch.inf)
            self._said(batch, packed, ways, closed_CV.float().cpu().numpy(), pointed_BPK.cpu().numpy())

    def _plans(self, inputs: Inputs, out: Tensor) -> None:
        controls = bounded(out, inputs.start[:, 3])
        waypoints = integrate(inputs.start, *controls)
        target = integrate(inputs.start, inputs.accel, inputs.curvature)
        loss = plan_loss(waypoints, target, controls, (inputs.accel, inputs.curvature), Weights())
        self.plan_loss.add(float(loss) * len(out), len(out))
        apart = (waypoints - target)[..., :2].norm(dim=-1)
        accel, curvature = (controls[0] - inputs.accel).abs().mean(1), (controls[1] - inputs.curvature).abs().mean(1)
        for number, name in enumerate(BRANCHES):
            mine = inputs.query_branch == number
            count = int(mine.sum())
            self.accel[name].add(float(accel[mine].sum()), count)
            self.curvature[name].add(float(curvature[mine].sum()), count)
            for horizon in HORIZONS_S:
                knot = round(horizon / PLAN_KNOT_S) - 1
                self.waypoints[name][f"{horizon:g}"].add(float(apart[mine, knot].sum()), count)

    def _losses(self, inputs: Inputs, closed_CV: Tensor, pointers_BPK: Tensor, allowed_BK: Tensor) -> None:
        nats, right = closed_loss(closed_CV, inputs.closed_slot, inputs.closed_value)
        pointer_nats, pointed = pointer_loss(pointers_BPK, allowed_BK, inputs.pointer_value)
        asked = inputs.pointer_value != IGNORED
        slot = torch.cat([inputs.closed_slot, inputs.pointer_slot[asked]]).cpu().numpy()
        columns = (torch.cat([nats, pointer_nats[asked]]), torch.cat([right, pointed[asked]]), torch.ones(len(slot)))
        for k, column in enumerate(columns):
            np.add.at(self.slots[:, k], slot, column.cpu().double().numpy())

    def _said(
        self, batch: SampleBatch, packed: Packed, ways: list[Walked], closed_CV: NDArray[Any], pointed_BPK: NDArray[Any]
    ) -> None:  # fmt: skip
        """What the choice's trace and its decisions would say under the mask, and how much mass lies outside of it."""
        closed, pointer = _inverse(packed)
        rows_BS = _rows(batch, packed)
        for b, start in enumerate(_starts(packed, len(ways))):
            for t, legal in enumerate(ways[b].legal):
                at, slot = start + t, int(batch.slot[b, 0, t])
                if pointer[at] >= 0:
                    logits, mask = (
                        pointed_BPK.reshape(-1, pointed_BPK.shape[2])[pointer[at]],
                        _tokens(legal, rows_BS[b]),
                    )
                elif closed[at] >= 0:
                    first = VALUE_AT[SLOTS[slot].values.name]
                    logits, mask = closed_CV[closed[at], first : first + len(legal)], legal
                else:
                    continue
                mass = _mass(logits, mask)
                self.legal.add(mass, 1)
                self.least = min(self.least, mass)
                if t in ways[b].proximate:
                    guess = int(np.where(mask, logits, -np.inf).argmax())
                    self.cause.add(guess == NOWHERE + int((rows_BS[b] == batch.value[b, 0, t]).argmax()), 1)
                for axis, number in _AXIS_SLOT.items():
                    if slot == number:
                        guess = int(np.where(mask, logits, -np.inf).argmax())
                        self.decisions["trace"][axis].add(guess, int(batch.value[b, 0, t]))
        if ways:
            self._decided(packed, closed_CV)

    def _decided(self, packed: Packed, closed_CV: NDArray[Any]) -> None:
        """The decisions alone. Whatever is asked here may be any decision, so there is no mask."""
        branch_N = _branch_of(packed)
        for at, slot, answer, logits in zip(
            packed.closed_at, packed.closed_slot, packed.closed_value, closed_CV, strict=True
        ):
            for axis, number in _AXIS_SLOT.items():
                if slot == number and branch_N[at] == _DECIDED:
                    first = VALUE_AT[axis]
                    guess = int(logits[first : first + len(AXES[axis])].argmax())
                    self.decisions["decision_only"][axis].add(guess, int(answer) - first)

    def figures(self, plan_weight: float) -> dict[str, Any]:
        """Means and shares by name."""
        counted = np.array([Weights().decision if slot.name in DECISIONS else 1.0 for slot in SLOTS])
        nats, count = float(counted @ self.slots[:, 0]), float(self.slots[:, 2].sum())
        trace, plan = nats / max(count, 1.0), plan_weight * (self.plan_loss.value or 0.0)
        named = zip(SLOTS, self.slots.tolist(), strict=True)
        return {
            "loss": trace + plan,
            "parts": {"trace": trace, "plan": plan},
            "slots": {
                slot.name: {"loss": n / k, "top1": right / k, "count": int(k)} for slot, (n, right, k) in named if k
            },
            "legal_mass": {"mean": self.legal.value, "least": self.least},
            "decision": {axis: tally.figures() for axis, tally in self.decisions["trace"].items()},
            "decision_only": {axis: tally.figures() for axis, tally in self.decisions["decision_only"].items()},
            "cause_top1": self.cause.value,
            "causes": self.cause.count,
            "accel_mps2": {name: mean.value for name, mean in self.accel.items()},
            "curvature_1pm": {name: mean.value for name, mean in self.curvature.items()},
            "waypoint_m": {name: {h: mean.value for h, mean in row.items()} for name, row in self.waypoints.items()},
        }


def _starts(packed: Packed, samples: int) -> NDArray[np.int64]:
    """[B] which of the N tokens is the first of each sample's row: there its choice begins."""
    width = packed.position.shape[1]
    out: NDArray[np.int64] = np.searchsorted(packed.real // width, np.arange(samples))
    return out


def _inverse(packed: Packed) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[N] of each token its place among C, and among B * P; -1 where it asks for no such value."""
    closed = np.full(len(packed.real), -1, np.int64)
    closed[packed.closed_at] = np.arange(len(packed.closed_at))
    pointer = np.full(len(packed.real), -1, np.int64)
    asked = np.flatnonzero(packed.pointer_value.reshape(-1) != IGNORED)
    pointer[packed.pointer_at.reshape(-1)[asked]] = asked
    return closed, pointer


def _rows(batch: SampleBatch, packed: Packed) -> NDArray[np.int64]:
    """[B, S] row of the reference table of each scene token; -1 for none."""
    out = np.full(packed.scene_valid.shape, -1, np.int64)
    b, t = np.nonzero(batch.tokens.valid)
    out.reshape(-1)[packed.scene_real] = batch.tokens.row[b, t]
    return out


def _branch_of(packed: Packed) -> NDArray[np.int64]:
    """[N] branch of each token: that of the next queries behind it."""
    first = packed.query_at[:, 0]
    out: NDArray[np.int64] = packed.query_branch[
        np.minimum(np.searchsorted(first, np.arange(len(packed.real))), len(first) - 1)
    ]
    return out


def _tokens(legal: NDArray[np.bool_], rows_S: NDArray[np.int64]) -> NDArray[np.bool_]:
    """[2 + S] which of nothing, end and the scene tokens a pointer may be."""
    tokens = np.where(rows_S >= 0, legal[np.clip(rows_S, 0, ROW_COUNT - 1)], False)
    return np.concatenate([[legal[NOTHING], legal[END]], tokens])


def _mass(logits: NDArray[Any], legal: NDArray[np.bool_]) -> float:
    shares = np.exp(logits - logits.max())
    return float(shares[legal].sum() / shares.sum())
