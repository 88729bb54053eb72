"""The recipe of the shipped planner, in small: from nothing to an exported planner and its card, in pieces."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from waytrace.evaluate import load_planner

RECIPE = Path(__file__).parent.parent / "recipes" / "shipped.py"


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
    for text in ("driven and labelled", "round-1", "| policy-1 | policy | 4 |", "decision_only", "split train alone"):
        assert text in card, text
    assert not list((tmp_path / "exported").glob("trainer*"))
    assert load_planner(f"{tmp_path / 'exported'}:fast")
