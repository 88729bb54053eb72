"""Layers whose activations are computed again: the same gradients to the bit, and less that is kept for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from waytrace.microgpt import GPTConfig
from waytrace.microgpt.parameters import drawn
from waytrace.model import Branches, Waytrace, pack
from waytrace.model.drawn import samples
from waytrace.model.huggingface import HuggingFace
from waytrace.model.lora import Lora

from ..tiny_llama import save_llama

DEEP = GPTConfig(6)


def _micro(adapted: bool) -> Waytrace:
    model = Waytrace(DEEP)
    model.set(drawn(DEEP, 7))
    if adapted:
        model.adapt(Lora(2))
    return model


@pytest.fixture(scope="module")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_llama(tmp_path_factory.mktemp("llama"), layers=6, vocabulary=8)


def _learned(make: Callable[[], Waytrace], precision: torch.dtype | None, again: bool) -> tuple[Waytrace, int]:
    """A model with its gradients, and the bytes that were kept for them."""
    model, kept = make(), {}
    if again:
        model.recompute()

    def keep(x: torch.Tensor) -> torch.Tensor:
        kept[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes(), x  # held, so that no place is used twice
        return x

    packed = pack(samples(4, 1, most=2), Branches(), np.random.default_rng(3))
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
        with torch.autocast("cpu", precision or torch.bfloat16, enabled=precision is not None):
            loss, _ = model.loss(packed)
        loss.backward()
    return model, sum(size for size, _ in kept.values())


def _compare(make: Callable[[], Waytrace], precision: torch.dtype | None) -> None:
    (own, kept), (again, less) = (_learned(make, precision, again) for again in (False, True))
    gradients = {n: p.grad for n, p in own.named_parameters() if p.grad is not None}
    assert any(n.startswith("backbone.") for n in gradients)
    for name, parameter in again.named_parameters():
        assert (parameter.grad is None) == (name not in gradients), name
        assert parameter.grad is None or torch.equal(parameter.grad, gradients[name]), name
    assert less < 0.6 * kept


@pytest.mark.parametrize("adapted", [False, True], ids=["whole", "adapted"])
@pytest.mark.parametrize("precision", [None, torch.bfloat16], ids=["fp32", "bf16"])
def test_a_micro_gpt(precision: torch.dtype | None, adapted: bool) -> None:
    _compare(lambda: _micro(adapted), precision)


def test_a_hugging_face_model(language_model: Path) -> None:
    def make() -> Waytrace:
        model = Waytrace.over(HuggingFace.load(language_model), seed=2)
        model.adapt(Lora(4, targets=("q_proj", "v_proj", "up_proj")), seed=1)
        for name, parameter in model.named_parameters():
            if "lora_B" in name or name.startswith("head."):  # both begin at zero, where gradients would be too
                parameter.data += 0.1
        return model

    _compare(make, None)
