"""Checkpoints over a Hugging Face model by the command line: whole or refused, told, compared, exported, told equal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from waytrace.cli import main
from waytrace.microgpt.checkpoint_files import BASE_JSON, CheckpointError, weights_hash
from waytrace.microgpt.checkpoint_over import Merged, export_over, read_over
from waytrace.microgpt.language_model import SINGLE, read_language_model
from waytrace.model import Waytrace, load_checkpoint, save_checkpoint
from waytrace.model.huggingface import HuggingFace
from waytrace.model.lora import Lora

transformers = pytest.importorskip("transformers", reason="transformers is not installed (pip install 'waytrace[hf]')")
pytest.importorskip("peft", reason="PEFT is not installed (pip install 'waytrace[hf]')")

LLAMA = {
    "vocab_size": 64, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 1024,
}  # fmt: skip
GPT2 = {"vocab_size": 64, "n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 1024}
LORAS = {
    "plain": Lora(4, 8.0, ("q_proj", "v_proj", "gate_proj")), "dora": Lora(2, 4.0, ("q_proj", "down_proj"), dora=True),
    "rslora": Lora(4, 8.0, ("k_proj",), rslora=True), "none": None,
}  # fmt: skip


WITHOUT = """
import sys
from importlib.machinery import PathFinder

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name in ("torch", "transformers", "peft") else super().find_spec(name, path, target)

sys.meta_path[:] = [Without if finder is PathFinder else finder for finder in sys.meta_path]
"""


def _language_model(folder: Path, kind: str = "llama", **saving: Any) -> Path:
    torch.manual_seed(0)
    config = transformers.AutoConfig.for_model(kind, **(GPT2 if kind == "gpt2" else LLAMA))
    made = transformers.AutoModelForCausalLM.from_config(config)
    made.to(saving.pop("dtype", torch.float32)).save_pretrained(folder, **saving)
    return folder


def _checkpoint(folder: Path, kind: str) -> tuple[Path, Waytrace]:
    """A checkpoint with adapters that do something, beside its language model."""
    model = Waytrace.over(HuggingFace.load(_language_model(folder / "lm")), seed=2)
    cast(HuggingFace, model.backbone).freeze()
    lora = LORAS[kind]
    if lora:
        model.adapt(lora, seed=1)
    random = torch.Generator().manual_seed(3)
    for name, parameter in model.named_parameters():
        if "lora_B" in name or "magnitude" in name or name.startswith("head."):
            parameter.data += 0.1 * torch.randn(parameter.shape, generator=random)
    return save_checkpoint(folder / "step", model), model


@pytest.mark.parametrize(
    ("kind", "saving"),
    [("llama", {"max_shard_size": "60KB"}), ("llama", {"dtype": torch.bfloat16}), ("gpt2", {"dtype": torch.float16})],
    ids=["shards", "bf16", "gpt2"],
)
def test_its_weights_have_the_hash_that_pytorch_gives_them(tmp_path: Path, kind: str, saving: dict[str, Any]) -> None:
    folder = _language_model(tmp_path / "lm", kind, **saving)
    assert weights_hash(read_language_model(folder).decoder) == HuggingFace.load(folder).sha256()


@pytest.mark.parametrize("kind", LORAS)
def test_adapters_are_merged_as_peft_merges_them(tmp_path: Path, kind: str) -> None:
    saved, model = _checkpoint(tmp_path, kind)
    mine, theirs = Merged(read_over(saved)), cast(HuggingFace, model.backbone).merged()
    assert mine.keys() == theirs.keys()
    for name, value in theirs.items():
        np.testing.assert_allclose(mine[name], value.numpy(), atol=1e-6, rtol=1e-5, err_msg=name)


def test_without_pytorch_it_is_verified_shown_and_compared(tmp_path: Path) -> None:
    saved, model = _checkpoint(tmp_path, "plain")
    model.head.control.out.bias.data += 1.0
    other = save_checkpoint(tmp_path / "other", model)
    script = (
        f"{WITHOUT}\nfrom waytrace.cli import main\n"
        f"codes = [main(['checkpoint', *a, '--json']) for a in (['verify', {str(saved)!r}], ['show', {str(saved)!r}],"
        f"['diff', {str(saved)!r}, {str(other)!r}], ['export', {str(saved)!r}, '--out', {str(tmp_path / 'out')!r}])]\n"
        "print(codes)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *said, codes = done.stdout.splitlines()
    assert codes == "[0, 0, 1, 2]", done.stderr
    whole, shown, apart = [json.loads(line) for line in said if line.startswith("{")][:3]
    assert whole["checkpoints"] == {str(saved): None}
    assert shown["model"] == {"width": 64, "architecture": "llama"}
    assert shown["adapter"]["rank"] == 4
    assert shown["parameters"] == sum(p.numel() for n, p in model.named_parameters() if "lora_" not in n)
    assert list(apart["tensors"]) == ["head.control.out.bias"]
    assert "pip install 'waytrace[hf]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["plain", "none"])
def test_an_export_stands_alone_and_says_what_it_says(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    saved, model = _checkpoint(tmp_path, kind)
    assert main(["checkpoint", "export", str(saved), "--out", str(tmp_path / "out"), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["differing"] == 0
    assert figures["same_slots"] == figures["slots"] > 0
    assert figures["plans_m"] < 1e-3
    moved = (tmp_path / "out").rename(tmp_path / "elsewhere")
    (tmp_path / "lm").rename(tmp_path / "gone")
    again = load_checkpoint(moved / "planner")
    assert again.lora is None
    backbone = cast(HuggingFace, again.backbone)
    for name, value in cast(HuggingFace, model.backbone).merged().items():
        torch.testing.assert_close(backbone.own()[name], value, atol=1e-6, rtol=1e-5, msg=name)
    whole = transformers.AutoModelForCausalLM.from_pretrained(moved / "language_model")
    assert whole.dtype == torch.float32
    with pytest.raises(CheckpointError, match="exists already"):
        export_over(read_over(moved / "planner"), moved)


def test_what_is_damaged_or_another_is_refused(tmp_path: Path) -> None:
    saved, _ = _checkpoint(tmp_path, "plain")
    weights = tmp_path / "lm" / SINGLE
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    with pytest.raises(CheckpointError, match="even if its shapes are the same"):
        read_over(saved)
    weights.write_bytes(whole[:-9])
    with pytest.raises(CheckpointError, match="cut or damaged"):
        read_over(saved)
    weights.write_bytes(whole[: len(whole) // 3][:40])
    with pytest.raises(CheckpointError, match="no safetensors file"):
        read_over(saved)
    weights.unlink()
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_over(saved)
    with pytest.raises(CheckpointError, match="was looked for at"):
        read_over(saved, base=tmp_path)
    (saved / BASE_JSON).write_text("{}")
    with pytest.raises(CheckpointError, match=BASE_JSON):
        read_over(saved)
