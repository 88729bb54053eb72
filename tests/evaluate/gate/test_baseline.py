"""Baselines and their history: what was changed by other means than the command is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from waytrace.evaluate import load_result
from waytrace.evaluate.gate import GateError, history, load_baseline, set_baseline

from .conftest import Make

Lines = list[dict[str, Any]]


@pytest.fixture
def kept(make: Make, scores: dict[str, float], tmp_path: Path) -> Path:
    """A baseline that was changed twice."""
    folder = tmp_path / "baselines" / "pr"
    for name in ("first", "second", "third"):
        set_baseline(load_result(make(name, scores).path), f"the {name} one", folder)
    return folder


def test_every_change_is_kept_with_its_reason(kept: Path) -> None:
    assert [line["reason"] for line in history(kept)] == ["the first one", "the second one", "the third one"]
    assert load_baseline(kept).meta["result_hash"] == history(kept)[-1]["result_hash"]


def _reworded(lines: Lines) -> Lines:
    return [lines[0] | {"reason": "a better one"}, *lines[1:]]


def _reworded_last(lines: Lines) -> Lines:
    return [*lines[:-1], lines[-1] | {"reason": "a better one"}]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_reworded, "line 1 was rewritten"),
        (_reworded_last, "line 3 was rewritten"),
        (lambda lines: [lines[0], lines[2]], "line 2 was rewritten, or one before it is gone"),
        (lambda lines: lines[1:], "line 1 was rewritten, or one before it is gone"),
        (lambda lines: [lines[1], lines[0], lines[2]], "line 1 was rewritten"),
        (lambda lines: [{k: v for k, v in line.items() if k != "chain"} for line in lines], "lacks"),
    ],
)  # fmt: skip
def test_a_history_that_was_rewritten_is_refused(kept: Path, change: Callable[[Lines], Lines], says: str) -> None:
    file = kept / "history.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(line) + "\n" for line in change(lines)))
    with pytest.raises(GateError, match=says):
        load_baseline(kept)


def test_without_its_last_line_the_file_is_not_what_the_history_says(kept: Path) -> None:
    file = kept / "history.jsonl"
    file.write_text("".join(line + "\n" for line in file.read_text().splitlines()[:-1]))
    (kept / "result.json").write_text((kept / "result.json").read_text().replace("0.", "0.0", 1))
    with pytest.raises(GateError, match="changed by other means"):
        load_baseline(kept)
