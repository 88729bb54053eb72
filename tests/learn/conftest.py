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

from ..tiny_llama import save_llama
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
    return str(save_llama(tmp_path_factory.mktemp("llama")))
