"""Drawn samples to learn from, made once."""

from __future__ import annotations

import pytest
import torch

from .drawn_samples import sample_store

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A store of split train with 96 samples, and one of split select with 24."""
    root = tmp_path_factory.mktemp("samples")
    sample_store(root / "train", 96)
    sample_store(root / "select", 24, seed=1, split="select")
    return {name: str(root / name) for name in ("train", "select")}
