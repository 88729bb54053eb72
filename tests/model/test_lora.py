"""Adapters begin as nothing, learn over a base that stays, and come back with what may be trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from waytrace.microgpt import FEATURES, GPTConfig
from waytrace.microgpt import checkpoint_files as files
from waytrace.microgpt.checkpoint import read_checkpoint, read_parts
from waytrace.microgpt.checkpoint_files import CheckpointError
from waytrace.model import Waytrace, load_checkpoint, pack, save_checkpoint
from waytrace.model.branches import EVERY
from waytrace.model.drawn import samples
from waytrace.model.lora import (
    SCENE_TARGETS,
    TARGETS,
    Lora,
    adapter_tensors,
    adapters,
    freeze,
    frozen,
    plain_state,
    shares,
)
from waytrace.scenario import WaytraceError

KINDS = {
    "plain": Lora(4, 8.0), "rank-stabilised": Lora(4, 8.0, rslora=True), "dora": Lora(2, 4.0, dora=True),
    "queries alone": Lora(1, 1.0, ("q_proj",)), "scene encoder too": Lora(2, 4.0, (*TARGETS, *SCENE_TARGETS)),
}  # fmt: skip


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A model that has learned a little: new ones have maps of zeros, through which nothing flows back."""
    return save_checkpoint(tmp_path / "base", _stirred(Waytrace(GPTConfig(2), seed=4)))


def _adapted(base: Path, lora: Lora) -> Waytrace:
    model = load_checkpoint(base)
    model.adapt(lora, seed=1)
    return model


def _stirred(model: Waytrace) -> Waytrace:
    """After some steps, so that adapters and heads are where nothing begins."""
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    packed = pack(samples(4), EVERY, np.random.default_rng(0))
    for _ in range(3):
        optimiser.zero_grad()
        model.loss(packed)[0].backward()
        optimiser.step()
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_a_fresh_adapter_adds_nothing(base: Path, kind: str) -> None:
    before, after = load_checkpoint(base).parameters_numpy(), _adapted(base, KINDS[kind]).parameters_numpy()
    assert before.keys() == after.keys()
    for name, value in before.items():
        np.testing.assert_allclose(after[name], value, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_the_base_stays_and_everything_that_may_learns(base: Path, kind: str) -> None:
    model = _adapted(base, KINDS[kind])
    begun = {name: value.detach().clone() for name, value in model.named_parameters()}
    _stirred(model)
    for name, value in model.named_parameters():
        assert torch.equal(value, begun[name]) != value.requires_grad, name
    kept, original = plain_state(model, merged=False), load_checkpoint(base).state_dict()
    assert all(torch.equal(kept[name], original[name]) for name in original if name.startswith(("scene.", "backbone.")))
    of_layers, of_scene = set(KINDS[kind].targets) - set(SCENE_TARGETS), set(KINDS[kind].targets) & set(SCENE_TARGETS)
    assert len(list(adapters(model))) == 2 * len(of_layers) + len(FEATURES) * len(of_scene)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_saved_drives_as_what_was_trained(base: Path, tmp_path: Path, kind: str) -> None:
    model = _stirred(_adapted(base, KINDS[kind]))
    saved = save_checkpoint(tmp_path / "adapted", model, base=base)
    assert not (saved / files.BASE).exists()
    merged, mine = read_checkpoint(saved).parameters, model.parameters_numpy()
    assert merged.keys() == mine.keys()
    for name, value in mine.items():
        np.testing.assert_allclose(merged[name], value, atol=2e-7, rtol=2e-6, err_msg=name)


def test_it_comes_back_with_what_may_be_trained(base: Path, tmp_path: Path) -> None:
    model = _stirred(_adapted(base, KINDS["dora"]))
    again = load_checkpoint(save_checkpoint(tmp_path / "adapted", model, base=base))
    assert again.lora == model.lora
    assert [(n, p.requires_grad) for n, p in again.named_parameters()] == [
        (n, p.requires_grad) for n, p in model.named_parameters()
    ]
    mine, theirs = adapter_tensors(model), adapter_tensors(again)
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_heads_alone_over_a_frozen_base(base: Path, tmp_path: Path) -> None:
    model = load_checkpoint(base)
    freeze(model)
    _stirred(model)
    saved = save_checkpoint(tmp_path / "heads", model, base=base)
    assert not (saved / files.ADAPTER).exists()
    again = load_checkpoint(saved)
    assert frozen(again)
    assert all(np.array_equal(v, again.parameters_numpy()[k]) for k, v in model.parameters_numpy().items())


def test_another_base_of_the_same_shapes_is_refused(base: Path, tmp_path: Path) -> None:
    saved = save_checkpoint(tmp_path / "adapted", _adapted(base, KINDS["plain"]), base=base)
    other = save_checkpoint(tmp_path / "other", Waytrace(GPTConfig(2), seed=5))
    with pytest.raises(CheckpointError, match="even if its shapes are the same"):
        load_checkpoint(saved, base=other)


def test_a_base_that_moved_is_asked_for_and_a_pair_that_moved_is_found(base: Path, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "pair" / "adapted", _adapted(base, KINDS["plain"]), base=base)
    moved = tmp_path / "elsewhere"
    base.rename(moved)
    with pytest.raises(CheckpointError, match=r"was looked for at .*base"):
        load_checkpoint(tmp_path / "pair" / "adapted")
    assert load_checkpoint(tmp_path / "pair" / "adapted", base=moved).lora == KINDS["plain"]
    (tmp_path / "both").mkdir()
    moved.rename(tmp_path / "both" / "base")
    (tmp_path / "pair").rename(tmp_path / "both" / "pair")
    assert read_parts(tmp_path / "both" / "pair" / "adapted").adapter is not None


def test_a_frozen_base_has_to_be_named(base: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="say which checkpoint"):
        save_checkpoint(tmp_path / "adapted", _adapted(base, KINDS["plain"]))


def test_adapters_do_not_stand_on_adapters(base: Path) -> None:
    model = _adapted(base, KINDS["plain"])
    with pytest.raises(WaytraceError, match="adapters already"):
        model.adapt(KINDS["plain"])


def test_settings_that_cannot_be() -> None:
    with pytest.raises(WaytraceError, match="at least 1"):
        Lora(0)
    with pytest.raises(WaytraceError, match="no linear map is called 'lm_head'"):
        Lora(4, targets=("q_proj", "lm_head"))
    with pytest.raises(WaytraceError, match="the model has no linear map 'gate_proj'"):
        Waytrace(GPTConfig(1)).adapt(Lora(4, targets=("q_proj", "gate_proj")))
    assert Lora.from_peft(Lora(4, 8.0, dora=True).to_peft()) == Lora(4, 8.0, dora=True)
    assert Lora.from_peft(Lora(4).to_peft() | {"target_modules": "all-linear"}).targets == TARGETS


def test_the_table_counts_everything_once(base: Path) -> None:
    model = _adapted(base, Lora(4, targets=("q_proj", "v_proj")))
    table = {share.part: share for share in shares(model)}
    width = model.config.width
    assert table["adapters"].all == table["adapters"].trained == 2 * 2 * 4 * 2 * width
    assert table["all"].all == sum(p.numel() for p in model.parameters())
    assert table["all"].trained == table["adapters"].trained + table["heads"].trained
    assert table["heads"].trained == table["heads"].all > 0
    assert table["backbone"].trained == table["scene encoder"].trained == table["embeddings"].trained == 0
