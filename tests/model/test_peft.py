"""What we write PEFT reads, and what it writes we read: the same names, the same numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from waytrace.microgpt import FEATURES, GPTConfig
from waytrace.microgpt import checkpoint_files as files
from waytrace.model import Waytrace, load_checkpoint, save_checkpoint
from waytrace.model.lora import SCENE_TARGETS, TARGETS, Lora, adapter_tensors, adapters, plain_state, set_adapters

peft = pytest.importorskip("peft", reason="PEFT is not installed (pip install 'waytrace[hf]')")

KINDS = {
    "plain": Lora(4, 8.0),
    "rank-stabilised": Lora(4, 8.0, rslora=True),
    "dora": Lora(2, 6.0, dora=True),
    "scene encoder too": Lora(2, 4.0, (*TARGETS, *SCENE_TARGETS)),
}


class Bare(torch.nn.Module):
    """The same maps under the same names, without what PEFT would take for a language model's configuration."""

    def __init__(self, model: Waytrace) -> None:
        super().__init__()
        self.scene, self.backbone, self.head = model.scene, model.backbone, model.head


@pytest.fixture
def base(tmp_path: Path) -> Path:
    model = Waytrace(GPTConfig(2), seed=4)
    drawn = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=drawn)
    return save_checkpoint(tmp_path / "base", model)


def _stirred(model: Waytrace) -> Waytrace:
    drawn = torch.Generator().manual_seed(2)
    for _, module in adapters(model):
        for parameter in (module.lora_A, module.lora_B, module.magnitude):
            if parameter is not None:
                parameter.data += 0.1 * torch.rand(parameter.shape, generator=drawn)
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_peft_reads_ours(base: Path, tmp_path: Path, kind: str) -> None:
    model = load_checkpoint(base)
    model.adapt(KINDS[kind])
    saved = save_checkpoint(tmp_path / "ours", _stirred(model), base=base)
    theirs = peft.PeftModel.from_pretrained(Bare(load_checkpoint(base)), str((saved / files.ADAPTER).parent))
    merged = theirs.merge_and_unload().state_dict()
    mine = plain_state(model, merged=True)
    for name, _ in adapters(model):
        np.testing.assert_allclose(merged[f"{name}.weight"], mine[f"{name}.weight"], atol=2e-6, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_we_read_peft_s(base: Path, tmp_path: Path, kind: str) -> None:
    lora = KINDS[kind]
    settings = peft.LoraConfig(
        r=lora.rank, lora_alpha=lora.alpha, target_modules=list(lora.targets), use_rslora=lora.rslora,
        use_dora=lora.dora, init_lora_weights=False,
    )  # fmt: skip
    theirs = peft.get_peft_model(Bare(load_checkpoint(base)), settings)
    theirs.save_pretrained(tmp_path / "peft")
    record = json.loads((tmp_path / "peft" / "adapter_config.json").read_text())
    model = load_checkpoint(base)
    model.adapt(Lora.from_peft(record))
    set_adapters(model, safetensors.torch.load_file(tmp_path / "peft" / "adapter_model.safetensors"))
    assert model.lora == Lora.from_peft(lora.to_peft())
    merged, mine = theirs.merge_and_unload().state_dict(), plain_state(model, merged=True)
    maps = 12 + (2 * len(FEATURES) if "up" in lora.targets else 0)
    assert len(adapter_tensors(model)) == (3 if lora.dora else 2) * maps
    for name, _ in adapters(model):
        np.testing.assert_allclose(merged[f"{name}.weight"], mine[f"{name}.weight"], atol=2e-6, err_msg=name)
