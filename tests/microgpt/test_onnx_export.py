"""An ONNX export says and drives what the checkpoint does; one in 8 bits nearly."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.microgpt import Compiled, GPTConfig, Reference, scene_tokens
from waytrace.microgpt.onnx_export import BACKBONE, HEADS, SCENE, OnnxModel, agreement, export_onnx
from waytrace.microgpt.parameters import Parameters, drawn
from waytrace.scenario import WaytraceError
from waytrace.sim import World

NOTHING = np.full((1, 2), -1, np.int8)
CONFIG = GPTConfig(2)


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    return drawn(CONFIG, 3)


@pytest.fixture(scope="module")
def folder(parameters: Parameters, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnx", reason="onnx is not installed (pip install 'waytrace[onnx]')")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (pip install 'waytrace[onnx]')")
    out = tmp_path_factory.mktemp("onnx") / "planner"
    export_onnx(parameters, CONFIG, out)
    return out


def test_blocks_and_single_tokens_have_the_reference_s_hidden_states(folder: Path, parameters: Parameters) -> None:
    tokens = scene_tokens(World([generate("merge", 3)]).observe(), NOTHING)
    plain, export = Reference(parameters, CONFIG), OnnxModel(folder, parameters, CONFIG)
    (a, cache_a), (b, cache_b) = plain.prefill(tokens, 0, 16), export.prefill(tokens, 0, 16)
    np.testing.assert_allclose(a, b, atol=1e-4)
    random = np.random.default_rng(0)
    for new, mutual in ((1, 0), (1, 0), (5, 4)):
        x = random.normal(size=(new, CONFIG.width)).astype(np.float32)
        position = np.arange(new) + 1
        a, b = (m.extend(x, position, c, mutual=mutual) for m, c in ((plain, cache_a), (export, cache_b)))
        np.testing.assert_allclose(a, b, atol=1e-4)
    np.testing.assert_allclose(cache_a.keys, cache_b.keys, atol=1e-4)


def test_it_writes_the_same_traces_and_plans(folder: Path, parameters: Parameters) -> None:
    seen = World([generate(family, 5) for family in ("red-light", "cut-in")]).observe()
    found = agreement(Compiled(parameters, CONFIG), OnnxModel(folder, parameters, CONFIG), seen)
    assert found["moments"] == 2
    assert found["same_slots"] == found["slots"] > 40
    assert found["plans_m"] < 1e-2


def test_the_heads_are_in_the_export(folder: Path, parameters: Parameters) -> None:
    export = OnnxModel(folder, parameters, CONFIG)
    hidden = np.random.default_rng(1).normal(size=(3, CONFIG.width)).astype(np.float32)
    (controls, logits) = export.heads.run(["controls", "logits"], {"hidden": hidden})
    wanted = hidden @ parameters["head.control.out.weight"].T + parameters["head.control.out.bias"]
    np.testing.assert_allclose(controls, wanted, atol=1e-4)
    assert logits.shape == (3, len(parameters["head.trace.output.weight"]))


def test_eight_bits_are_smaller_and_still_run(folder: Path, parameters: Parameters, tmp_path: Path) -> None:
    export_onnx(parameters, CONFIG, tmp_path / "int8", int8=True)
    assert sorted(p.name for p in (tmp_path / "int8").iterdir()) == sorted((SCENE, BACKBONE, HEADS))
    assert (tmp_path / "int8" / BACKBONE).stat().st_size < 0.5 * (folder / BACKBONE).stat().st_size
    seen = World([generate("red-light", 5)]).observe()
    found = agreement(Compiled(parameters, CONFIG), OnnxModel(tmp_path / "int8", parameters, CONFIG), seen)
    assert found["slots"] > 20


def test_nothing_is_written_over(folder: Path, parameters: Parameters) -> None:
    with pytest.raises(WaytraceError, match="exists already"):
        export_onnx(parameters, CONFIG, folder)


def test_without_onnx_it_says_what_to_install(
    parameters: Parameters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(WaytraceError, match=r"waytrace\[onnx\]"):
        export_onnx(parameters, CONFIG, tmp_path / "planner")
    assert not (tmp_path / "planner").exists()
