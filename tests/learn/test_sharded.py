"""A Hugging Face backbone in pieces over two processes: the run that it is in one piece, to the bit."""

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
from waytrace.model import load_checkpoint

transformers = pytest.importorskip("transformers", reason="transformers is not installed (pip install 'waytrace[hf]')")
pytest.importorskip("peft", reason="PEFT is not installed (pip install 'waytrace[hf]')")

SCRIPT = """
import json, sys
from contextlib import nullcontext
from dataclasses import replace
from waytrace.learn import sft
from waytrace.learn.config import SftConfig
from waytrace.learn.distributed import crew

asked, out = json.loads(sys.argv[1]), sys.argv[2]
config = SftConfig(**{k: tuple(v) if isinstance(v, list) else v for k, v in asked.items()})

def train(name, **more):
    return sft.train_sft(replace(config, **more), f"{out}/{name}", note=lambda text: print(text, flush=True))

with crew() as group:
    sft.crew = lambda: nullcontext(group)  # one group for all runs: gloo does not meet twice
    train("whole")
    train("pieces", sharded=True)
    train("again", sharded=True, gradient_checkpointing=True)
    while not train("cut", sharded=True, minutes=1e-5).finished:
        pass
"""


def _config(stores: dict[str, str], language_model: str, **more: Any) -> SftConfig:
    return SftConfig(
        samples=(stores["train"],), select=(stores["select"],), backbone=language_model, lora_rank=4, steps=6, batch=8,
        warmup=2, eval_every=3, log_every=1, accumulate=2, ema=0.9, **more,
    )  # fmt: skip


def _losses(run: Path, kind: str) -> list[float]:
    return [r["loss"] for r in read_metrics(run / "metrics.jsonl") if r["kind"] == kind]


@pytest.mark.slow
def test_in_pieces_it_learns_saves_and_goes_on_as_in_one(
    stores: dict[str, str], language_model: str, tmp_path: Path
) -> None:
    config = _config(stores, language_model)
    (tmp_path / "runs.py").write_text(SCRIPT)
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        str(tmp_path / "runs.py"), json.dumps(config.to_json()), str(tmp_path),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    own = sum(p.numel() for p in transformers.AutoModel.from_pretrained(language_model).parameters())
    assert f"  {own // 2:,} of {own:,} frozen parameters" in done.stdout

    train_sft(config, tmp_path / "alone")
    for kind in ("train", "select"):
        alone, whole = (_losses(tmp_path / name, kind) for name in ("alone", "whole"))
        assert len(alone) > 1
        assert whole == pytest.approx(alone, rel=2e-4)
    newest = tmp_path / "whole" / "checkpoints" / "step_0000006"
    for name in ("pieces", "again", "cut"):
        for kind in ("train", "select"):
            assert _losses(tmp_path / name, kind) == _losses(tmp_path / "whole", kind), (name, kind)
        for file in sorted(p.relative_to(newest) for p in newest.rglob("*.safetensors")):
            mine = tmp_path / name / "checkpoints" / newest.name / file
            assert mine.read_bytes() == (newest / file).read_bytes(), (name, file)
    assert load_checkpoint(tmp_path / "pieces" / "checkpoints" / newest.name).lora is not None


def test_what_cannot_be_in_pieces(stores: dict[str, str], language_model: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs a Hugging Face model"):
        SftConfig((stores["train"],), sharded=True)
    with pytest.raises(ConfigError, match="start them by torchrun"):
        train_sft(_config(stores, language_model, sharded=True), tmp_path / "run")
