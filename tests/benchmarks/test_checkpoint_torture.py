"""The torture of checkpoints, a little of it: what is damaged is named, what is killed or fails goes on bit for bit.

In a process of its own: it forks, and whoever forks must not have threads, as this process may.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ..learn.drawn_samples import sample_store

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "checkpoint_torture.py"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A store of split train and one of split select."""
    work = tmp_path_factory.mktemp("torture")
    made = sample_store(work / "train", 24), sample_store(work / "select", 8, seed=1, split="select")
    return list(map(str, made))


def _tortured(samples: list[str], *options: str) -> dict[str, Any]:
    """The figures, if everything held."""
    command = [sys.executable, str(SCRIPT), "--samples", *samples, "--steps", "6", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WRONG" not in done.stdout
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def test_a_few_kills_and_damages_of_both_trainings(samples: list[str], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    figures = _tortured(
        samples, "--flips", "8", "--kills", "2", "--every", "0", "--no-disks", "--page", str(page)
    )  # fmt: skip
    assert (figures["flips"], figures["truncations"], figures["detected"], figures["named"]) == (8, 8, 16, 16)
    assert (figures["kills"], figures["resumed_bit_exact"], figures["unreadable"]) == (2, 2, 0)
    assert figures["runs_to_the_end"] == figures["runs_bit_exact"] >= 2
    assert figures["table_as_ours"] == figures["table_rows"] == 8
    assert "| SIGKILL: every checkpoint that bears a name readable | 2 | 2 |" in page.read_text()


@pytest.mark.slow
def test_many_kills_calls_that_fail_and_disks_that_refuse(samples: list[str]) -> None:
    figures = _tortured(samples, "--flips", "60", "--kills", "24", "--every", "6")
    assert figures["kills"] == figures["resumed_bit_exact"] == 24
    assert figures["failures"] == figures["failures_told"] == figures["failures_resumed_bit_exact"] > 20
    assert figures["disk_cases"] == figures["disk_told"] == figures["disk_survived"] > 20
