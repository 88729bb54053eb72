"""A run over a frozen base: what learns, what stays, what it writes, how it goes on, what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from waytrace.learn.config import ConfigError, SftConfig, with_settings
from waytrace.learn.optimiser import make_optimiser
from waytrace.learn.run_folder import read_metrics
from waytrace.learn.sft import train_sft
from waytrace.microgpt.checkpoint import read_checkpoint, read_parts
from waytrace.model import load_checkpoint
from waytrace.model.lora import Lora

from .dying import killed_at


@pytest.fixture(scope="module")
def base(stores: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("base") / "run"
    return str(train_sft(_config(stores), out).checkpoint)


def _config(stores: dict[str, str], **changed: Any) -> SftConfig:
    own: dict[str, Any] = {
        "samples": (stores["train"],), "select": (stores["select"],), "size": "nano", "steps": 8, "batch": 8,
        "warmup": 2, "eval_every": 4, "log_every": 4,
    }  # fmt: skip
    return SftConfig(**(own | changed))


WAYS = {
    "adapters": {"lora_rank": 4}, "dora": {"lora_rank": 2, "dora": True, "lora_targets": ("q_proj", "v_proj")},
    "average": {"lora_rank": 4, "rslora": True, "ema": 0.9, "lora_plus": 4.0}, "heads": {"freeze_backbone": True},
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_it_learns_over_a_base_that_stays(stores: dict[str, str], base: str, tmp_path: Path, way: str) -> None:
    done = train_sft(_config(stores, init=base, **WAYS[way]), tmp_path / "run")
    parts, begun = read_parts(done.checkpoint), read_checkpoint(base).parameters
    assert not parts.own_base
    assert (parts.adapter is not None) == (way != "heads")
    assert all(np.array_equal(parts.base[name], begun[name]) for name in parts.base)
    moved = [name for name, value in parts.head.items() if not np.array_equal(value, begun[name])]
    assert "head.control.out.weight" in moved
    assert not any("embedding" in name for name in moved)
    (table,) = [r for r in read_metrics(tmp_path / "run" / "metrics.jsonl") if r["kind"] == "trained"]
    assert table["backbone"]["trained"] == 0 < table["heads"]["trained"]


@pytest.mark.parametrize("way", WAYS)
def test_it_goes_on_with_the_same_bits(
    stores: dict[str, str], base: str, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _config(stores, init=base, **WAYS[way])
    whole = train_sft(config, tmp_path / "whole").checkpoint
    killed_at(6, monkeypatch, config, tmp_path / "cut")
    cut = train_sft(config, tmp_path / "cut").checkpoint
    for file in sorted(p.relative_to(whole) for p in whole.rglob("*") if p.suffix in (".safetensors", ".json")):
        assert (whole / file).read_bytes() == (cut / file).read_bytes(), file


def test_what_comes_back_may_be_trained_on(stores: dict[str, str], base: str, tmp_path: Path) -> None:
    config = _config(stores, init=base, lora_rank=4)
    model = load_checkpoint(train_sft(config, tmp_path / "run").checkpoint)
    assert model.lora == Lora(4)
    assert sum(p.requires_grad for p in model.parameters()) > 2 * 6 * 2
    rates = {g["factor"] for g in make_optimiser(model, _config(stores, init=base, lora_rank=4, lora_plus=16.0)).groups}
    assert rates == {1.0, 16.0}


def test_adapters_over_adapters_are_refused(stores: dict[str, str], base: str, tmp_path: Path) -> None:
    first = train_sft(_config(stores, init=base, lora_rank=4), tmp_path / "first").checkpoint
    with pytest.raises(ConfigError, match="merge them first"):
        train_sft(_config(stores, init=str(first), lora_rank=4), tmp_path / "second")


def test_settings_that_contradict(stores: dict[str, str], base: str) -> None:
    with pytest.raises(ConfigError, match="--init"):
        _config(stores, lora_rank=4)
    with pytest.raises(ConfigError, match="needs adapters"):
        _config(stores, init=base, freeze_backbone=True, dora=True)
    with pytest.raises(ConfigError, match="q_proj"):
        _config(stores, init=base, lora_rank=4, lora_targets=("lm_head",))
    with pytest.raises(ConfigError, match="true or false"):
        with_settings(_config(stores).to_json(), ("dora=perhaps",))


def test_runs_that_know_nothing_of_adapters_go_on(stores: dict[str, str], base: str) -> None:
    assert not any("lora" in name or name == "freeze_backbone" for name in _config(stores).identity())
    assert _config(stores, init=base, lora_rank=4).identity()["lora_rank"] == 4
