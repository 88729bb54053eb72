"""PyTorch, NumPy and Numba are one model: the same logits at every slot, the same waypoints, in every mode."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from waytrace.microgpt import Compiled, Prefix, Reference, SceneTokens, Session
from waytrace.microgpt.backward import gradients
from waytrace.microgpt.heads import squash, unsquash, waypoints
from waytrace.microgpt.loss import Example, forward_pass
from waytrace.microgpt.vocabulary import is_pointer, rows_of
from waytrace.model import EVERY, Branches, Waytrace, pack
from waytrace.model.drawn import Samples
from waytrace.model.losses import closed_loss, pointer_loss
from waytrace.model.unicycle import bounded, integrate
from waytrace.model.waytrace import Inputs
from waytrace.trace import SLOTS

from .conftest import present

CLOSE = 1e-4
BRANCHES = (("trace", 0), ("trace", 1), ("decision_only", 0), ("decision_only", 1), ("fast", 0))


@pytest.mark.parametrize("form", [Reference, Compiled])
def test_all_forms_agree_on_logits_and_waypoints(nano: Waytrace, batch: Samples, form: Any) -> None:
    made = pack(batch, EVERY, np.random.default_rng(0))
    inputs = Inputs.of(made, nano.device)
    with torch.no_grad():
        scene, cache = nano.prefix(inputs)
        hidden = nano.rows(inputs, scene, cache)
        closed = nano.head.trace.closed(hidden).numpy()
        pointer = nano.head.trace.pointers(hidden[inputs.pointer_at], scene).numpy()
        controls = bounded(nano.head.control(hidden[inputs.query_at], inputs.moves), inputs.start[:, 3])
        driven = integrate(inputs.start, *controls).numpy()
    pointer_of = {int(n): (b, p) for b, row in enumerate(made.pointer_at) for p, n in enumerate(row)
                  if made.pointer_value[b, p] >= 0}  # fmt: skip
    model = form(nano.parameters_numpy(), nano.config)
    plan = token = 0
    compared = {True: 0, False: 0}
    for b in range(len(batch.present)):
        prefix = Prefix.of(model, batch.tokens, b, present(batch, b))
        for mode, k in BRANCHES:
            if not batch.present[b, k]:
                continue
            session = Session(prefix, mode)
            answers = [(SLOTS[s], int(v)) for s, v in zip(batch.slot[b, k], batch.value[b, k], strict=True) if s >= 0]
            if mode == "decision_only":
                answers = [(slot, v) for slot, v in answers if slot.name in ("longitudinal", "lateral")]
            first = int(made.query_at[plan, 0]) - len(answers) - 1
            for t, (slot, value) in enumerate(answers if mode != "fast" else []):
                at = first + t
                if at >= token and made.slot[at] == SLOTS.index(slot):
                    logits = session.logits()
                    compared[is_pointer(slot)] += 1
                    if not is_pointer(slot):
                        assert closed[at, rows_of(slot)] == pytest.approx(logits, abs=CLOSE)
                    elif at in pointer_of:
                        row, p = pointer_of[at]
                        allowed = np.flatnonzero(made.pointable[row])
                        expected = np.concatenate([pointer[row, p, 2 + allowed], pointer[row, p, :2]])
                        assert expected == pytest.approx(logits, abs=CLOSE)
                session.step(value)
            raw = session.raw_controls()
            expected = waypoints(*squash(raw, batch.speed[b]), batch.speed[b], batch.length_m[b])
            assert driven[plan] == pytest.approx(expected, abs=CLOSE)
            token = int(made.query_at[plan, -1]) + 1
            plan += 1
    assert plan == len(made.query_at)
    assert compared[False] >= len(made.closed_at)
    assert compared[True] >= (made.pointer_value >= 0).sum()


def loss_as_by_hand(model: Waytrace, batch: Samples, branches: Branches) -> torch.Tensor:
    """What ``microgpt.loss`` defines, for the one branch that one sample trains."""
    made = pack(batch, branches, np.random.default_rng(0))
    inputs = Inputs.of(made, model.device)
    inputs = inputs._replace(features={kind: x.double() for kind, x in inputs.features.items()})
    scene, cache = model.prefix(inputs)
    hidden = model.rows(inputs, scene, cache)
    closed, _ = closed_loss(model.head.trace.closed(hidden[inputs.closed_at]), inputs.closed_slot, inputs.closed_value)
    allowed = torch.nn.functional.pad(inputs.pointable, (2, 0), value=True)
    logits = model.head.trace.pointers(hidden[inputs.pointer_at], scene)
    pointer, _ = pointer_loss(logits, allowed, inputs.pointer_value)
    asked = len(closed) + int((inputs.pointer_value >= 0).sum())
    raw = model.head.control(hidden[inputs.query_at], inputs.moves)
    wanted = torch.from_numpy(unsquash(made.accel[0], made.curvature[0], float(made.start[0, 3])))
    trace: torch.Tensor = (closed.sum() + pointer.sum()) / max(asked, 1)
    return trace + 0.5 * (raw[0] - wanted).square().mean()


def test_gradients_by_hand_are_those_of_autograd(nano: Waytrace, batch: Samples) -> None:
    nano.double()
    parameters = {name: value.detach().numpy() for name, value in nano.state_dict().items()}
    one = Samples(*(SceneTokens(*(x[:1] for x in part)) if name == "tokens" else part[:1]
                    for name, part in batch._asdict().items()))  # fmt: skip
    slots = [(int(s), int(v)) for s, v in zip(one.slot[0, 0], one.value[0, 0], strict=True) if s >= 0]
    decisions = [pair for pair in slots if SLOTS[pair[0]].name in ("longitudinal", "lateral")]
    given = {"trace": slots, "decision_only": decisions, "fast": []}
    examples = [
        Example(
            mode, tuple(s for s, _ in pairs), tuple(v for _, v in pairs), one.accel[0, 0], one.curvature[0, 0],
            float(one.speed[0]),
        )
        for mode, pairs in given.items()
    ]  # fmt: skip
    expected, made = forward_pass(parameters, nano.config, one.tokens, 0, examples)
    losses = [loss_as_by_hand(nano, one, b) for b in (Branches(1, 0, 0, 0), Branches(0, 0, 1, 0), Branches(0, 0, 0, 1))]
    loss = torch.stack(losses).mean()
    assert loss.item() == pytest.approx(expected, rel=1e-6)
    loss.backward()
    by_hand = gradients(parameters, nano.config, made)
    for name, parameter in nano.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.numpy() == pytest.approx(by_hand[name], rel=1e-4, abs=1e-7), name
