"""``waytrace gate`` and ``waytrace baseline``: exit codes, what is printed and what is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from waytrace.cli import main

from ..evaluate.gate.conftest import row

SCORES = {f"{family}/{k:03d}": 0.6 + 0.03 * (k % 7) for family in ("cut-in", "merge") for k in range(40)}


def _result(folder: Path, scores: dict[str, float], **meta: Any) -> str:
    folder.mkdir()
    record = {
        "schema": "waytrace.result/1", "planner": folder.name, "label": folder.name, "suite": "made-up",
        "suite_hash": "5" * 64, "store": "", "store_hash": "6" * 64, "traffic": "mixed", "style": "normal", "seed": 0,
        "replan_ticks": 5, "admitted_only": True, "code": "7" * 64, "environment": {"hash": "8" * 64},
        "result_hash": f"{folder.name:0<64}", "score": 0.5, "errors": [],
        "scenarios": [row(scene, score) for scene, score in scores.items()], **meta,
    }  # fmt: skip
    (folder / "result.json").write_text(json.dumps(record))
    return str(folder)


@pytest.fixture
def base(tmp_path: Path) -> str:
    return _result(tmp_path / "base", SCORES)


def _json(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*arguments, "--json"]) == code
    (line,) = capsys.readouterr().out.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.mark.parametrize(
    ("shift", "noise", "verdict", "code"),
    [
        (0.0, 0.02, "equivalent", 0),
        (0.2, 0.02, "improved", 0),
        (-0.2, 0.02, "regressed", 1),
        (0.0, 0.5, "inconclusive", 1),
    ],
)
def test_four_verdicts_and_their_exit_codes(
    base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], shift: float, noise: float, verdict: str, code: int
) -> None:
    moved = {
        s: min(1.0, max(0.0, v + shift + noise * (-1) ** (k // 2 + k // 3))) for k, (s, v) in enumerate(SCORES.items())
    }
    after = _result(tmp_path / "after", moved)
    found = _json(capsys, code, "gate", after, "--baseline", base)
    assert found["verdict"] == verdict
    assert found["detectable_effect"] > 0
    assert [gate["gate"] for gate in found["gates"]] == [f"G{k}" for k in range(8)]
    assert main(["gate", after, "--baseline", base]) == code
    out = capsys.readouterr().out
    assert "Smallest detectable effect: " in out
    assert f"Verdict: {verdict}" in out


def test_bad_input_ends_with_two_and_says_what(base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = _result(tmp_path / "other", SCORES, traffic="replay")
    (tmp_path / "policy.toml").write_text("[scores]\nmargn = 0.1\n")
    (tmp_path / "tail.toml").write_text("[alpha]\nscores = 0.0004\n")
    (tmp_path / "deep.toml").write_text("a = " + "[" * 5000)
    damaged, deep, rowless = (_result(tmp_path / name, SCORES) for name in ("damaged", "deep", "rowless"))
    Path(damaged, "result.json").write_text("{")
    Path(deep, "result.json").write_text("[" * 100_000)
    Path(rowless, "result.json").write_text(
        json.dumps(json.loads(Path(base, "result.json").read_text()) | {"scenarios": None})
    )
    for arguments, said in (
        ([other, "--baseline", base], "traffic"),
        ([base, "--baseline", str(tmp_path / "nowhere")], "No result at"),
        ([base, "--baseline", base, "--policy", str(tmp_path / "policy.toml")], "scores.margn: there is no such key"),
        ([base, "--baseline", base, "--policy", str(tmp_path / "none.toml")], "cannot be read"),
        ([base, "--baseline", base, "--policy", str(tmp_path / "tail.toml")], "alpha.scores: Input should be greater"),
        ([base, "--baseline", base, "--policy", str(tmp_path / "deep.toml")], "is no TOML"),
        ([damaged, "--baseline", base], "cannot be read as JSON"),
        ([deep, "--baseline", base], "cannot be read as JSON"),
        ([rowless, "--baseline", base], "scenarios is no list of records"),
        ([base, "--baseline", base, "--markdown", str(tmp_path)], "could not be written"),
    ):
        assert main(["gate", *arguments]) == 2
        message = capsys.readouterr().err
        assert said in message
        assert "Traceback" not in message


def test_an_error_of_ours_ends_with_three(
    base: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("waytrace.evaluate.gate.gate", broken)
    assert main(["gate", base, "--baseline", base]) == 3
    assert "internal error, ZeroDivisionError" in capsys.readouterr().err


def test_the_policy_lets_the_inconclusive_pass(base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shaken = _result(tmp_path / "shaken", {s: float(k // 2 % 2) for k, s in enumerate(SCORES)})
    policy = tmp_path / "gate.toml"
    policy.write_text('allow = ["inconclusive"]\n[scores]\nmargin = 0.01\n')
    base = _result(tmp_path / "half", dict.fromkeys(SCORES, 0.5))
    assert main(["gate", shaken, "--baseline", base]) == 1
    assert main(["gate", shaken, "--baseline", base, "--policy", str(policy)]) == 0
    assert "inconclusive, which the policy allows" in capsys.readouterr().out


def test_the_summary_is_appended(base: str, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    assert main(["gate", base, "--baseline", base, "--markdown", str(summary)]) == 0
    text = summary.read_text()
    assert text.startswith("before\n## Waytrace gate: equivalent")


def test_a_baseline_changes_by_command_with_a_reason(
    base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "baselines" / "pr"
    assert main(["baseline", "set", base, "--reason", " ", "--out", str(folder)]) == 2
    assert not folder.exists()
    found = _json(capsys, 0, "baseline", "set", base, "--reason", "the first", "--out", str(folder))
    assert (found["before"], found["reason"]) == (None, "the first")
    better = _result(tmp_path / "better", {s: v + 0.1 for s, v in SCORES.items()})
    again = _json(capsys, 0, "baseline", "set", better, "--reason", "10 points better", "--out", str(folder))
    assert again["before"] == found["result_hash"]
    log = _json(capsys, 0, "baseline", "log", str(folder))
    assert [line["reason"] for line in log["changes"]] == ["the first", "10 points better"]
    assert main(["gate", better, "--baseline", str(folder)]) == 0

    file = folder / "result.json"
    file.write_text(file.read_text().replace("0.7", "0.6"))
    for command in (
        ["gate", better, "--baseline", str(folder)],
        ["gate", better, "--baseline", str(file)],
        ["baseline", "log", str(folder)],
        ["baseline", "set", better, "--reason", "again", "--out", str(folder)],
    ):
        assert main(command) == 2
        assert "changed by other means" in " ".join(capsys.readouterr().err.split())


def test_a_result_with_failures_is_no_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fallen = _result(tmp_path / "fallen", SCORES, errors=[{"id": "merge/999", "message": "no", "log": "l"}])
    assert main(["baseline", "set", fallen, "--reason", "why not", "--out", str(tmp_path / "b")]) == 2
    assert "that is no baseline" in capsys.readouterr().err


def test_a_suite_that_names_no_folder_makes_no_baseline_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    away = _result(tmp_path / "away", SCORES, suite="../../away")
    assert main(["baseline", "set", away, "--reason", "first"]) == 2
    assert "names no folder" in capsys.readouterr().err
    assert not (tmp_path.parent / "away").exists()
