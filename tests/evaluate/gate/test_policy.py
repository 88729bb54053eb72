"""Policies: what may stand in them, and what is said of what may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from waytrace.evaluate.gate import GateError, Policy, load_policy

ROOT = Path(__file__).resolve().parents[3]


def _load(tmp_path: Path, text: str) -> Policy:
    (tmp_path / "gate.toml").write_text(text)
    return load_policy(tmp_path / "gate.toml")


def test_the_example_is_the_default() -> None:
    assert load_policy(ROOT / "examples" / "github" / "gate.toml") == Policy()


def test_together_the_gates_err_as_is_documented() -> None:
    assert Policy().alpha.total == pytest.approx(0.05)


def test_paths_are_from_the_file(tmp_path: Path) -> None:
    policy = _load(tmp_path, 'release = "r"\n[traces]\nceiling = "c"\n[metrics]\norder = ["a", "b"]\ncauses = "d"\n')
    assert policy.release == tmp_path / "r"
    assert policy.traces.ceiling == tmp_path / "c"
    assert policy.metrics.order == (tmp_path / "a", tmp_path / "b")
    assert policy.metrics.causes == tmp_path / "d"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing = 1", "nothing: there is no such key; there are allow, never_fail"),
        ("[scores]\nmargn = 0.1", "scores.margn: there is no such key; there are margin"),
        ("[scores]\nmargin = -1.0", "scores.margin"),
        ('allow = ["everything"]', "allow.0"),
        ("[alpha]\nscores = 0.49\nfamilies = 0.49", "add up to"),
        ("[alpha", "is no TOML"),
    ],
)
def test_what_cannot_be_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(GateError, match=said):
        _load(tmp_path, text)
