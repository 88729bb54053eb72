"""Stands for waytrace.model's checkpoint until it is there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from waytrace.model import Waytrace


def save_checkpoint(path: Path, model: Waytrace, trainer: tuple[dict[str, Any], dict[str, Tensor]]) -> None:
    temporary = path.with_name(path.name + ".unfinished")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, temporary / "model.safetensors")
    (temporary / "trainer.json").write_text(json.dumps(trainer[0]))
    save_file({k: v.contiguous() for k, v in trainer[1].items()}, temporary / "trainer.safetensors")
    shutil.rmtree(path, ignore_errors=True)
    temporary.replace(path)


def load_weights(path: Path, model: Waytrace) -> None:
    model.load_state_dict(load_file(path / "model.safetensors"))


def load_trainer(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    return json.loads((path / "trainer.json").read_text()), load_file(path / "trainer.safetensors")
