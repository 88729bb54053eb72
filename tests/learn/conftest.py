"""Samples of a few drives, made once."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest
import torch

from waytrace.catalogue import generate
from waytrace.learn import collect
from waytrace.learn.drives import drive_samples
from waytrace.learn.sample import Sample
from waytrace.learn.samples import SampleStore

from .drawn_samples import sample_store

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def samples() -> list[Sample]:
    """One drive of the expert, a sample each second."""
    return list(drive_samples(generate("ccrm", 7), "expert", tally=Counter(), every_s=1.0))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of four short drives in two shards. Tests that damage it take a copy."""
    out = tmp_path_factory.mktemp("samples") / "expert"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[collect.__module__], "SHARD_DRIVES", 2)
        collect(out, count=4, families=["ccrm", "cut-in"], first_seed=400_000, every_s=4.0, workers=1)
    return out


@pytest.fixture
def store(folder: Path) -> SampleStore:
    return SampleStore.open(folder)


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A store of split train with 96 samples, and one of split select with 24."""
    root = tmp_path_factory.mktemp("samples")
    sample_store(root / "train", 96)
    sample_store(root / "select", 24, seed=1, split="select")
    return {name: str(root / name) for name in ("train", "select")}


@pytest.fixture(scope="session")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of a tiny random Llama. Skips where transformers or PEFT are not installed."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed ('waytrace[hf]')")
    pytest.importorskip("peft", reason="PEFT is not installed ('waytrace[hf]')")
    torch.manual_seed(0)
    config = transformers.AutoConfig.for_model(
        "llama", vocab_size=64, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=1024,
    )  # fmt: skip
    out = tmp_path_factory.mktemp("llama")
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(out)
    return str(out)
