"""The example runs as it stands and learns what it is shown."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "micro_gpt.py"


@pytest.mark.slow
def test_the_example_learns_its_moments_by_heart() -> None:
    done = subprocess.run([sys.executable, "-W", "error", EXAMPLE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    losses = [float(found) for found in re.findall(r"loss +([0-9.]+)", done.stdout)]
    assert losses[-1] < 0.15 * losses[0]
    said = re.findall(r"expert: (.+)\n  model:  (.+)", done.stdout)
    assert len(said) == 4
    assert sum(expert == model for expert, model in said) >= 3
