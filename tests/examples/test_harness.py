"""The harness in one file: short, and the same statistics as the gate's."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from waytrace.evaluate.gate.clusters import design, estimate
from waytrace.evaluate.gate.exact import mcnemar

FILE = Path(__file__).resolve().parents[2] / "examples" / "harness.py"


@pytest.fixture(scope="module")
def harness() -> ModuleType:
    spec = importlib.util.spec_from_file_location("harness_example", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its dataclass looks its own module up by name.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, "harness_example", module)
        spec.loader.exec_module(module)
    return module


def test_it_is_short() -> None:
    assert len(FILE.read_text().splitlines()) <= 150


def test_its_mean_and_error_are_the_gates(harness: ModuleType) -> None:
    rng = np.random.default_rng(0)
    families, layouts = rng.integers(3, size=90).astype(str), rng.integers(7, size=90).astype(str)
    values = rng.normal(size=90)
    found = estimate(design(families.tolist(), layouts.tolist()), values)
    mean, error, df = harness.mean_and_error(values, families, layouts)
    assert mean == pytest.approx(float(found.mean))
    assert error == pytest.approx(float(found.se))
    assert df == pytest.approx(float(found.df))


def test_its_exact_test_is_mcnemars(harness: ModuleType) -> None:
    def rows(*hits: int) -> list[SimpleNamespace]:
        return [SimpleNamespace(collision=bool(hit)) for hit in hits]

    new, gone, p = harness.flipped(rows(1, 1, 1, 1, 0, 0, 1), rows(0, 0, 0, 0, 1, 0, 1))
    assert (new, gone) == (4, 1)
    assert p == pytest.approx(mcnemar(4, 1))


def test_it_gives_all_four_verdicts_and_refuses_a_missing_scene(harness: ModuleType) -> None:
    families, layouts = np.repeat(["a", "b"], 20), np.tile(np.arange(10).astype(str), 4)
    noise = np.where(np.arange(40) % 2, 0.01, -0.01)
    before = np.full(40, 0.5)
    for shift, scale, verdict in (
        (0.1, 1, "improved"), (-0.1, 1, "regressed"), (0.0, 1, "equivalent"), (0.0, 40, "inconclusive")
    ):  # fmt: skip
        assert harness.gate(before + shift + scale * noise, before, families, layouts, 0.05)[0] == verdict
    with pytest.raises(SystemExit):
        harness.gate(before[1:], before, families, layouts, 0.05)


@pytest.mark.slow
def test_it_drives_and_gates(harness: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert harness.main("constant-velocity", "idm", 36) == 1
    out = capsys.readouterr().out
    assert "verdict: regressed" in out
    assert "smallest detectable effect: " in out
