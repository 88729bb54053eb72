"""``waytrace eval``, ``report``, ``doctor``, ``demo``: what they print and leave behind."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from waytrace.cli import main
from waytrace.microgpt import GPTConfig
from waytrace.microgpt.checkpoint import write_checkpoint
from waytrace.microgpt.parameters import drawn

ROOT = Path(__file__).resolve().parents[2]
DRIVES = Path(os.environ.get("WAYTRACE_DRIVES", ROOT.parent / "shared" / "data"))
EVAL_KEYS = {
    "result", "result_hash", "planner", "suite", "scenarios", "errors", "score", "score_interval",
    "at_fault_collision_rate", "families", "report",
}  # fmt: skip


def _json(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == code
    (line,) = capsys.readouterr().out.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("eval") / "store"
    assert main(["scenarios", "generate", "--out", str(path), "--count", "2"]) == 0
    return str(path)


def test_eval_and_report(store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    found = _json(capsys, "eval", "idm", "--scenarios", store, "--workers", "1", "--out", str(tmp_path / "idm"))
    assert found.keys() >= EVAL_KEYS
    assert found["planner"] == "idm"
    assert found["scenarios"] == 2
    assert found["errors"] == []
    assert 0.0 <= found["score"] <= 1.0
    assert set(found["families"]) == {"cut-in", "lead-braking"}
    assert Path(found["result"]).name == "result.json"
    assert Path(found["report"]).read_text().startswith("<!")
    assert re.fullmatch("[0-9a-f]{64}", found["result_hash"])
    assert {name: part["scenes"] for name, part in found["quality"].items()} == {
        "plans_apart_2s_m": 2, "plans_apart_4s_m": 2
    }  # fmt: skip

    assert main(["eval", "idm", "--scenarios", store, "--out", str(tmp_path / "idm"), "--no-report"]) == 0
    out = capsys.readouterr().out
    assert "idm" in out
    assert found["result_hash"][:16] in out

    page = _json(capsys, "report", str(tmp_path / "idm"), "--out", str(tmp_path / "page"))
    assert Path(page["report"]).exists()
    assert main(["report", str(tmp_path / "idm"), "--out", str(tmp_path / "page"), "--counterfactuals", "1"]) == 2
    assert "no result holds traces" in capsys.readouterr().err


def test_the_example_planner_drives(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example = (ROOT / "examples" / "my_planner.py").read_text()
    assert len(example.splitlines()) <= 30
    (tmp_path / "my_planner.py").write_text(example)
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    arguments = ["eval", "my_planner:Cautious", "--scenarios", store, "--workers", "1", "--no-report"]
    found = _json(capsys, *arguments)
    assert found["errors"] == []
    assert found["scenarios"] == 2
    assert found["report"] is None
    assert (tmp_path / "out" / "eval") in Path(found["result"]).parents


@pytest.mark.parametrize("mode", ["", ":fast", ":decision_only"])
def test_a_checkpoint_drives(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], mode: str
) -> None:
    write_checkpoint(tmp_path / "run" / "step_000001", drawn(GPTConfig(1)), GPTConfig(1))
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    arguments = ["eval", f"run/step_000001{mode}", "--scenarios", store, "--workers", "1", "--traces"]
    assert main([*arguments, "--json"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert found["errors"] == []
    assert "a plan from the next one, after 2 s" in said.err
    assert ("flips" in found["quality"]) == ("steps that change the decision" in said.err) == (not mode)
    assert "Traces and plans, 95 % intervals" in Path(found["report"]).read_text()
    assert found["planner"] == f"run/step_000001{mode}"
    assert found["scenarios"] == 2
    assert Path(found["report"]).exists()
    if not mode:
        assert main(["trace", "explain", found["traces"]]) == 0


def test_a_damaged_checkpoint_is_named(store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_checkpoint(tmp_path / "step", drawn(GPTConfig(1)), GPTConfig(1))
    (tmp_path / "step" / "base.json").write_text("{}")
    assert main(["eval", str(tmp_path / "step"), "--scenarios", store]) == 2
    said = capsys.readouterr().err
    assert "base.json is not the file of the manifest" in " ".join(said.split())
    assert "Traceback" not in said


def test_a_planner_that_fails_fails_the_command(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.py").write_text(
        "class Bad:\n    def reset(self, ids, world=None): pass\n    def plan(self, o, s): raise OSError('no road')\n"
    )
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    found = _json(capsys, "eval", "bad:Bad", "--scenarios", store, "--workers", "1", "--out", "r", code=1)
    assert found["score"] is None
    assert found["scenarios"] == 0
    assert [("no road" in e["message"], Path("r", e["log"]).exists()) for e in found["errors"]] == [(True, True)] * 2


def test_doctor_finds_nothing_wrong_here(capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "doctor")
    assert found["problems"] == []
    assert found["next"] == "waytrace demo"


@pytest.mark.slow
def test_the_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "demo", "--out", str(tmp_path / "demo"), "--limit", "7")
    assert set(found["scores"]) == {"constant-velocity", "idm", "shipped", "expert"}
    assert found["scenarios"] == 7
    assert (tmp_path / "demo" / "shipped" / "traces.jsonl").stat().st_size > 0, "the learned planner says why"
    assert not any(found["errors"].values())
    assert Path(found["report"]).exists()


@pytest.mark.slow
def test_the_smoke_suite_orders_the_planners(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = {
        name: _json(capsys, "eval", name, "--suite", "smoke", "--no-report", "--out", str(tmp_path / name))["score"]
        for name in ("constant-velocity", "idm", "expert")
    }
    assert scores["expert"] > scores["idm"] > scores["constant-velocity"]
    assert scores["expert"] >= 0.85


@pytest.mark.slow
@pytest.mark.drives
@pytest.mark.skipif(not (DRIVES / "av2").exists(), reason=f"no recorded drives in {DRIVES} (set WAYTRACE_DRIVES)")
def test_recorded_drives_from_file_to_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = str(tmp_path / "store")
    found = _json(capsys, "scenarios", "import", str(DRIVES / "av2"), "--out", store, "--workers", "2")
    assert found["imported"] == 4
    assert [r for r in found["refused"] if r["kind"] != "document"] == []
    result = _json(capsys, "eval", "expert", "--scenarios", store, "--workers", "2", "--out", str(tmp_path / "r"))
    assert result["scenarios"] == 4
    assert result["errors"] == []
    assert set(result["sources"]) == {"av2-forecasting", "av2-sensor"}
