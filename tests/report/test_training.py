"""The page of a training run: curves of what there is, nothing of what there is not, no script."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from waytrace.learn.config import ConfigError
from waytrace.learn.run_folder import RunFolder
from waytrace.report.curves import Chart, Series, chart, number, ticks
from waytrace.report.training import write_training_report


def _select(loss: float) -> dict[str, Any]:
    classes = {"stop": {"f1": 0.5, "support": 4, "guessed": 3}, "<i>odd</i>": {"f1": None, "support": 0, "guessed": 1}}
    axis = {"macro_f1": 0.5, "accuracy": 0.6, "support": 4, "classes": classes}
    return {
        "loss": loss, "parts": {"trace": loss / 2, "plan": loss / 2}, "slots": {"longitudinal": {"loss": 1.0}},
        "legal_mass": {"mean": 0.99, "least": 0.4}, "decision": {"longitudinal": axis, "lateral": axis},
        "cause_top1": 0.7, "waypoint_m": {"trace": {"1": 0.1, "2": 0.2, "4": 0.41234, "8": 1.6}},
        "accel_mps2": {"trace": 0.3}, "curvature_1pm": {"trace": 0.001},
    }  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder.claim(tmp_path / "my run", "sft", {"steps": 40, "lr": 0.1}, {"lr": 0.1})
    for step in range(1, 41):
        figures = {"loss": 10.0 / step, "parts": {"trace": 1.0}, "lr": 0.1, "grad_norm": 1.0, "samples_per_s": 90.0}
        folder.metrics.write("train", step, figures)
    return folder


def test_a_run_that_has_just_begun_has_a_page(tmp_path: Path) -> None:
    folder = RunFolder.claim(tmp_path / "run", "sft", {"steps": 40}, {})
    page = write_training_report(folder.path).read_text()
    assert "step 0 of 40" in page
    assert "<svg" not in page


def test_the_page_holds_every_curve_and_the_last_figures(run: RunFolder) -> None:
    run.metrics.write("select", 20, _select(3.0))
    run.metrics.write("select", 40, _select(2.0))
    run.metrics.write("drive", 40, {"score": 0.71, "oracle_score": 1.0, "at_fault": 0.0, "families": {"merge": 0.9}})
    run.metrics.write("end", 40, {"reason": "all steps made"})
    page = write_training_report(run.path).read_text()
    for text in ("0.4123", "0.71", "merge", "all steps made", "Learning rate", "longitudinal", "Waypoint error, trace"):
        assert text in page, text
    assert "&lt;i&gt;odd&lt;/i&gt;" in page
    assert "<script" not in page
    assert not re.search(r"(src|href)=", page)
    # A point of select says its value on hover.
    assert "<title>select, step 40: 2</title>" in page


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no run"):
        write_training_report(tmp_path)


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (3.2, 3.3), (-5.0, 1e6), (0.0, 0.0), (7.0, 7.0), (1e-9, 2e-9), (-2.0, -1.0)]
)
def test_ticks_are_few_and_span_what_they_are_for(low: float, high: float) -> None:
    found = ticks(low, high, 5)
    assert 2 <= len(found) <= 8
    assert found == sorted(set(found))
    assert found[0] <= low + 1e-12
    assert found[-1] >= high - 1e-9 * abs(high)


def test_long_lines_are_thinned_and_numbers_that_are_none_left_out() -> None:
    points = [(float(k), float("nan") if k % 7 == 0 else 1.0) for k in range(20_000)]
    drawn = chart(Chart("many", [Series("a", points)]))
    assert len(drawn) < 20_000
    assert "nan" not in drawn
    assert chart(Chart("none", [Series("a", []), Series("b", [(1.0, float("inf"))])])) == ""


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (12_345.0, "12.35k"), (0.031, "0.031"), (2e-5, "2e-05")])
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text
