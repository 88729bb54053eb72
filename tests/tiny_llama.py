"""A Llama small enough to be made anew for a test."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch


def save_llama(folder: Path, *, layers: int = 2, vocabulary: int = 64) -> Path:
    """A tiny Llama with random weights, saved to ``folder``. Skips where transformers or PEFT are not installed."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed ('waytrace[hf]')")
    pytest.importorskip("peft", reason="PEFT is not installed ('waytrace[hf]')")
    torch.manual_seed(0)
    config = transformers.AutoConfig.for_model(
        "llama", vocab_size=vocabulary, hidden_size=64, intermediate_size=96, num_hidden_layers=layers,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=1024,
    )  # fmt: skip
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder
