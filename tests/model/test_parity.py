"""PyTorch, NumPy and Numba are one model: the same logits at every slot, the same waypoints, in every mode."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from waytrace.microgpt import Compiled, Prefix, Reference, Session
from waytrace.microgpt.heads import squash, waypoints
from waytrace.microgpt.vocabulary import is_pointer, rows_of
from waytrace.model import EVERY, Waytrace, pack
from waytrace.model.drawn import Samples
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
        controls = bounded(nano.head.control(hidden[inputs.query_at]), inputs.start[:, 3])
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
