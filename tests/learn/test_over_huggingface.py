"""A run over a Hugging Face model: LoRA, heads and encoder learn, it goes on, it drives in another process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from waytrace.learn.config import ConfigError, SftConfig
from waytrace.learn.run_folder import read_metrics
from waytrace.learn.sft import train_sft
from waytrace.microgpt import checkpoint_files as files

from .dying import killed_at

pytest.importorskip("transformers", reason="transformers is not installed (pip install 'waytrace[hf]')")
pytest.importorskip("peft", reason="PEFT is not installed (pip install 'waytrace[hf]')")


def _config(stores: dict[str, str], language_model: str, **changed: Any) -> SftConfig:
    own: dict[str, Any] = {
        "samples": (stores["train"],), "select": (stores["select"],), "backbone": language_model, "lora_rank": 4,
        "steps": 8, "batch": 8, "warmup": 2, "eval_every": 4, "log_every": 4,
    }  # fmt: skip
    return SftConfig(**(own | changed))


def test_adapters_heads_and_encoder_learn(stores: dict[str, str], language_model: str, tmp_path: Path) -> None:
    done = train_sft(_config(stores, language_model, steps=24, eval_every=12), tmp_path / "run")
    lines = list(read_metrics(tmp_path / "run" / "metrics.jsonl"))
    (table,) = [r for r in lines if r["kind"] == "trained"]
    assert table["backbone"]["trained"] == 0 < table["adapters"]["trained"]
    assert table["scene encoder"]["trained"] == table["scene encoder"]["all"] > 0
    losses = [r["loss"] for r in lines if r["kind"] == "select"]
    assert losses[-1] < losses[0]
    assert json.loads((done.checkpoint / files.BASE_JSON).read_text())["kind"] == "hf"


@pytest.mark.parametrize("extra", [{}, {"ema": 0.9, "dora": True}], ids=["plain", "average"])
def test_it_goes_on_with_the_same_bits(
    stores: dict[str, str], language_model: str, tmp_path: Path, extra: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _config(stores, language_model, **extra)
    whole = train_sft(config, tmp_path / "whole").checkpoint
    killed_at(6, monkeypatch, config, tmp_path / "cut")
    cut = train_sft(config, tmp_path / "cut").checkpoint
    for file in sorted(p.relative_to(whole) for p in whole.rglob("*.safetensors")):
        assert (whole / file).read_bytes() == (cut / file).read_bytes(), file


@pytest.mark.slow
def test_it_drives_in_another_process(stores: dict[str, str], language_model: str, tmp_path: Path) -> None:
    checkpoint = train_sft(_config(stores, language_model), tmp_path / "run").checkpoint
    command = [
        sys.executable, "-m", "waytrace", "eval", str(checkpoint), "--suite", "smoke", "--limit", "1", "--workers", "1",
        "--no-report", "--out", str(tmp_path / "result"), "--json",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["scenarios"] == 1
    assert not found["errors"]
    assert json.loads(Path(found["result"]).read_text())["planner"].startswith("learned@")


def test_what_cannot_be(stores: dict[str, str], language_model: str) -> None:
    with pytest.raises(ConfigError, match="adapt it"):
        _config(stores, language_model, lora_rank=0)
    with pytest.raises(ConfigError, match="backbone is given too"):
        _config(stores, language_model, init="shipped")
