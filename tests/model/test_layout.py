"""What a row holds, asks for and sees; and that packing many branches into one row changes nothing for any of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from waytrace.microgpt import QUERIES
from waytrace.model import EVERY, Branches, Packed, Waytrace, pack
from waytrace.model.branches import BEGIN_ROW, CLOSING, IGNORED, NO_SLOT, POINTED_ROW, QUERY_ROW
from waytrace.model.drawn import Samples
from waytrace.model.waytrace import Inputs
from waytrace.scenario import WaytraceError
from waytrace.trace import SLOTS
from waytrace.trace.slots import BY_NAME, END, NOTHING

ONE = {
    "choice": Branches(1, 0, 0, 0), "runner_up": Branches(0, 1, 0, 0), "fast": Branches(0, 0, 0, 1)
}  # fmt: skip
DECISIONS = [SLOTS.index(BY_NAME[name]) for name in ("longitudinal", "lateral")]


def packed(batch: Samples, branches: Branches = EVERY, seed: int = 0) -> Packed:
    return pack(batch, branches, np.random.default_rng(seed))


def hidden(model: Waytrace, given: Packed) -> tuple[torch.Tensor, torch.Tensor]:
    inputs = Inputs.of(given, model.device)
    with torch.no_grad():
        scene, cache = model.prefix(inputs)
        return scene, model.rows(inputs, scene, cache)


def test_a_trace_alone_is_its_values_shifted_by_one_and_a_closing_token(batch: Samples) -> None:
    made = packed(batch, ONE["choice"])
    length = (batch.slot[:, 0] >= 0).sum(1)
    assert len(made.real) == (length + 1 + QUERIES).sum()
    first = np.cumsum(length + 1 + QUERIES) - (length + 1 + QUERIES)
    for b, n in enumerate(length):
        row = slice(first[b], first[b] + n + 1 + QUERIES)
        assert made.row[row][0] == BEGIN_ROW
        assert made.slot[row].tolist() == [*batch.slot[b, 0, :n], CLOSING, *[NO_SLOT] * QUERIES]
        assert made.row[row][-QUERIES:].tolist() == list(range(QUERY_ROW, QUERY_ROW + QUERIES))
        assert made.position[b, : n + 1].tolist() == list(range(1, n + 2))
        assert not made.position[b, n + 1 :].any()


def test_pointers_go_to_the_token_of_their_row(batch: Samples) -> None:
    made = packed(batch, ONE["choice"])
    width = made.scene_valid.shape[1]
    rows = np.full(made.scene_valid.size, -1)
    b, t = np.nonzero(batch.tokens.valid)
    rows[made.scene_real] = batch.tokens.row[b, t]
    rows = rows.reshape(-1, width)
    assert ((rows >= 0) == made.pointable).all()
    answers = []
    for b in range(len(rows)):
        for at, answer in zip(made.pointer_at[b], made.pointer_value[b], strict=True):
            if answer != IGNORED:
                answers.append(NOTHING if answer == 0 else END if answer == 1 else rows[b, answer - 2])
                following = made.row[at + 1]
                if answer >= 2:
                    assert made.pointed[following - POINTED_ROW] == b * width + answer - 2
    pointer = np.isin(batch.slot[:, 0], [i for i, s in enumerate(SLOTS) if s.values.name == "ref"])
    assert answers == batch.value[:, 0][pointer].tolist()


def test_what_is_asked_is_what_the_samples_hold(batch: Samples) -> None:
    made = packed(batch)
    asked = len(made.closed_at) + int((made.pointer_value != IGNORED).sum())
    slot = batch.slot.astype(int)
    longest = slot.shape[2]
    expected = 0
    for b in range(len(slot)):
        expected += int((slot[b, 0] >= 0).sum()) + int(np.isin(DECISIONS, slot[b, 0]).sum())
        if batch.present[b, 1]:
            same = (slot[b, 0] == slot[b, 1]) & (batch.value[b, 0] == batch.value[b, 1])
            common = int(np.cumprod(same).sum())
            expected += sum(s >= 0 and s not in DECISIONS for s in slot[b, 1, common:longest])
    assert asked == expected


def test_the_runner_up_is_not_taught_as_what_to_decide(batch: Samples) -> None:
    made = packed(batch, ONE["runner_up"])
    assert not np.isin(made.closed_slot, DECISIONS).any()
    assert np.isin(DECISIONS, packed(batch, ONE["choice"]).closed_slot).all()


def test_a_row_without_a_token_is_left_out_and_counted(batch: Samples) -> None:
    whole = packed(batch, ONE["choice"])
    row = int(batch.value[0, 0][(batch.slot[0, 0] == SLOTS.index(BY_NAME["entities.ref"]))][0])
    batch.tokens.row[0][batch.tokens.row[0] == row], kept = -1, batch.tokens.row.copy()
    try:
        made = packed(batch, ONE["choice"])
    finally:
        batch.tokens.row[:] = kept
    fewer = int((whole.pointer_value != IGNORED).sum() - (made.pointer_value != IGNORED).sum())
    assert made.left_out == fewer >= 1
    assert (made.row < POINTED_ROW + len(made.pointed)).all()


@pytest.mark.parametrize("name", ["choice", "runner_up", "decisions", "fast"])
def test_one_row_of_many_branches_gives_each_what_it_gets_alone(batch: Samples, nano: Waytrace, name: str) -> None:
    together = packed(batch)
    together_hidden = hidden(nano, together)[1]
    alone = packed(batch, ONE.get(name, Branches(0, 0, 1, 0)))
    alone_hidden = hidden(nano, alone)[1]
    numbers = {"choice": [0], "runner_up": [1], "decisions": [2, 3], "fast": [4]}[name]
    width = (together.position.shape[1], alone.position.shape[1])
    for number in numbers:
        theirs = together.query_at[together.query_branch == number]
        mine = alone.query_at[alone.query_branch == number]
        assert len(theirs) == len(mine) > 0
        assert (together.real[theirs[:, 0]] // width[0] == alone.real[mine[:, 0]] // width[1]).all()
        torch.testing.assert_close(together_hidden[theirs], alone_hidden[mine], atol=1e-5, rtol=1e-5)


def test_what_is_common_is_in_the_row_once(batch: Samples) -> None:
    together = len(packed(batch, Branches(1, 1, 0, 0)).real)
    apart = len(packed(batch, ONE["choice"]).real) + len(packed(batch, Branches(0, 1, 0, 0)).real)
    fast_instead = QUERIES * int((~batch.present[:, 1]).sum())
    slot, value = batch.slot, batch.value
    same = (slot[:, 0] == slot[:, 1]) & (value[:, 0] == value[:, 1]) & (slot[:, 0] >= 0)
    common = (np.cumprod(same, 1).sum(1) + 1)[batch.present[:, 1]].sum()
    assert together == apart - fast_instead - common


def test_no_token_sees_another_branch_or_what_comes_after(batch: Samples, nano: Waytrace) -> None:
    """Changing the last value of the choice changes its closing token and queries alone."""
    before = packed(batch)
    last = (batch.slot[:, 0] >= 0).sum(1) - 1
    b = np.arange(len(last))
    batch.value[b, 0, last] = (batch.value[b, 0, last] + 1) % 7
    after = packed(batch)
    differs = (hidden(nano, before)[1] - hidden(nano, after)[1]).abs().amax(1).numpy() > 1e-5
    queries = before.query_at[before.query_branch == 0]
    expected = np.zeros(len(differs), np.bool_)
    expected[queries.ravel()] = True
    expected[queries[:, 0] - 1] = True
    assert (differs == expected).all()


def test_rates_draw_branches_and_a_sample_is_never_without_one(batch: Samples) -> None:
    random = np.random.default_rng(3)
    drawn = Branches(0.5, 0.3, 0.0, 0.0).draw(np.ones((4000, 2), np.bool_), random)
    assert drawn[:, :2].mean(0) == pytest.approx([0.5, 0.3], abs=0.03)
    assert (drawn[:, 4] == ~drawn[:, :2].any(1)).all()
    assert not Branches(runner_up=1.0).draw(np.tile([True, False], (50, 1)), random)[:, [1, 3]].any()
    with pytest.raises(WaytraceError, match="'fast' must lie within 0 and 1"):
        Branches(fast=1.5)
