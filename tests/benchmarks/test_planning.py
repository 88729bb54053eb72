"""The benchmark of planning compares equal things and ends with its figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "planning.py"


@pytest.mark.slow
def test_its_last_line_has_every_figure_and_its_arms_agree() -> None:
    for needed in ("onnx", "onnxruntime", "transformers", "torch"):
        pytest.importorskip(needed, reason=f"{needed} is not installed: pip install waytrace[bench]")
    command = [sys.executable, str(BENCHMARK), "--quick", "--repeat", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    keys = {"plan_trace_ms_p50", "plan_trace_ms_p99", "plan_fast_ms_p50", "ratio_onnx", "ratio_hf_generate"}
    assert keys <= figures.keys()
    assert figures["apart"] < 1e-3
    assert figures["decisions_s_fast"] > figures["decisions_s_trace"] > 0.0
