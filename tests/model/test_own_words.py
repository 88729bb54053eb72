"""A trace in the model's own words: which values are replaced, by what, and what stays as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from waytrace.microgpt.vocabulary import VALUE_AT, VALUES
from waytrace.model import EVERY, Branches, Packed, Waytrace, own_words, pack
from waytrace.model.branches import DECISION_SLOTS
from waytrace.model.drawn import Samples
from waytrace.model.huggingface import HuggingFace
from waytrace.model.own_words import drawn_rows
from waytrace.model.waytrace import Inputs
from waytrace.trace import SLOTS
from waytrace.trace.slots import BY_NAME

from ..tiny_llama import save_llama


def packed(batch: Samples, branches: Branches = EVERY, own: bool = True) -> Packed:
    draws = np.random.default_rng(3).random((len(batch.slot), own_words.DRAWS)).astype(np.float32)
    return pack(batch, branches, np.random.default_rng(0), draws if own else None)


def test_the_values_of_traces_are_replaced_and_decisions_and_pointers_are_not(batch: Samples) -> None:
    made = packed(batch)
    asked = made.closed_slot[made.own_answer]
    assert not np.isin(asked, DECISION_SLOTS).any()
    # What is taken in is the answer to what was asked: of the same trace, one token later.
    np.testing.assert_array_equal(made.row[made.own_at], made.closed_value[made.own_answer])
    choice = packed(batch, Branches(1, 0, 0, 0))
    said = int((~np.isin(choice.closed_slot, DECISION_SLOTS)).sum())
    assert len(choice.own_at) == said > 100
    assert len(packed(batch, Branches(0, 0, 1, 1)).own_at) == 0
    assert len(np.unique(made.own_at)) == len(made.own_at) > said


def test_without_draws_nothing_is_replaced_and_all_else_is_the_same(batch: Samples) -> None:
    plain, own = packed(batch, own=False), packed(batch)
    assert len(plain.own_at) == len(plain.own_answer) == len(plain.own_draw) == 0
    for name in set(Packed._fields) - {"own_answer", "own_at", "own_draw", "features"}:
        np.testing.assert_array_equal(getattr(plain, name), getattr(own, name), err_msg=name)


@pytest.fixture(params=["micro", "recomputed", "llama"])
def model(request: pytest.FixtureRequest, nano: Waytrace, tmp_path: Path) -> Waytrace:
    if request.param == "llama":
        return Waytrace.over(HuggingFace.load(save_llama(tmp_path)))
    if request.param == "recomputed":
        nano.recompute()
    return nano


def test_plans_go_on_behind_what_the_model_drew_and_no_gradient_flows_through_the_draw(
    model: Waytrace, batch: Samples
) -> None:
    made = packed(batch)
    loss, _ = model.loss(made)
    with torch.no_grad():
        inputs = Inputs.of(made, model.device)
        scene, cache = model.prefix(inputs)
        hidden = model.rows(inputs, scene, cache)
        logits = model.head.trace.closed(hidden[inputs.closed_at[inputs.own_answer]])
        said = drawn_rows(logits, inputs.closed_slot[inputs.own_answer], inputs.own_draw)
    row = made.row.copy()
    row[made.own_at] = said.numpy()
    assert (row != made.row).mean() > 0.2
    none = np.zeros(0, np.int64)
    by_hand = made._replace(row=row, own_answer=none, own_at=none, own_draw=np.zeros(0, np.float32))
    expected, _ = model.loss(by_hand)
    assert float(loss.detach()) == float(expected.detach())
    loss.backward()
    gradient = model.head.trace.value_embedding.weight.grad
    assert gradient is not None
    own = gradient.clone()
    model.zero_grad()
    expected.backward()
    torch.testing.assert_close(model.head.trace.value_embedding.weight.grad, own, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["ego_speed_bin", "causes.role", "segments.lat"])
def test_values_are_drawn_from_their_own_set_as_often_as_is_likely(name: str) -> None:
    slot = SLOTS.index(BY_NAME[name])
    first, count = VALUE_AT[SLOTS[slot].values.name], len(SLOTS[slot].values)
    logits = torch.from_numpy(np.random.default_rng(0).normal(0, 1, VALUES).astype(np.float32))
    logits[:first] += 9.0  # values of other sets are likelier, and are not drawn
    logits[first + count - 1] = -torch.inf
    draws = torch.linspace(0, 1, 4001)
    rows = drawn_rows(logits.expand(4001, -1), torch.full((4001,), slot), draws).numpy()
    assert rows.min() >= first
    assert rows.max() < first + count - 1, "a draw of 1 is the last value that has a chance"
    share = np.bincount(rows - first, minlength=count) / 4001
    np.testing.assert_allclose(share, torch.softmax(logits[first : first + count], 0).numpy(), atol=1e-3)
