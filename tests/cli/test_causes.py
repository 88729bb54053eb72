"""`waytrace causes`: a planner that says why and one that does not, what is written, bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from waytrace.catalogue import generate
from waytrace.cli import main
from waytrace.evaluate.causes import read_records, summary
from waytrace.scenario.store import ScenarioWriter

BLIND = """
from dataclasses import replace

from waytrace.microgpt import Learned
from waytrace.observe import Reference
from waytrace.planners import ConstantVelocity
from waytrace.trace import Cause

class Blind(ConstantVelocity):
    pass

class Breaks(ConstantVelocity):
    def plan(self, observation, state):
        raise ValueError("no plan today")

class CitesNobody:
    privileged = False

    def __init__(self):
        self.of = Learned("shipped")

    def reset(self, ids, world=None):
        self.of.reset(ids, world)

    def plan(self, observation, state):
        plan, traces, state = self.of.plan(observation, state)
        nobody = Cause(Reference.parse("agent:9999"), "longitudinal", "proximate", "gap", 0, 0)
        return plan, [replace(t, decision=replace(t.decision, causes=(nobody,))) for t in traces], state
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three drives behind somebody."""
    path = tmp_path_factory.mktemp("causes") / "store"
    with ScenarioWriter(path) as writer:
        for family, seed in (("lead-braking", 40_000), ("ccrm", 40_000), ("lead-braking", 40_001)):
            writer.add(generate(family, seed, split="select"))
    return path


def last(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return record


def test_the_expert_is_its_own_ceiling(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, page = tmp_path / "out", tmp_path / "page.md"
    code = main(["causes", "expert", "--scenarios", str(store), "--out", str(out), "--page", str(page), "--closed", "1",
                 "--json"])  # fmt: skip
    record = last(capsys)
    assert code == (0 if record["sound"] else 1)
    assert record["way"] == "certificate"
    assert record["moments"] == 6
    voices = record["voices"]
    for part in ("necessity", "invariance", "sufficiency", "faithfulness"):
        assert voices["planner"][part] == voices["honest"][part]
    assert voices["honest"]["between"]["value"] == 1.0
    assert voices["random"]["between"]["value"] == 0.0
    assert voices["cite-everything"]["faithfulness"]["value"] < voices["honest"]["faithfulness"]["value"]
    figures = json.loads((out / "causes.json").read_text())
    assert figures["schema"] == "waytrace-causes/1"
    assert set(figures["at"]) == {"delta", "0.5 m", "1 m", "2 m"}
    about = {key: figures[key] for key in ("planner", "label", "suite", "traffic", "seed", "moments_a_scene")}
    assert summary(read_records(out), about) == figures, "the figures follow from the records alone"
    assert "# What moves a planner" in page.read_text()


def test_a_blind_black_box_claims_nothing_and_never_moves(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "blind_planner.py").write_text(BLIND)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    main(["causes", "blind_planner:Blind", "--scenarios", str(store), "--limit", "2", "--out", "out", "--json"])
    record = last(capsys)
    own = record["voices"]["planner"]
    assert record["way"] == "occlusion"
    assert own["abstains"]["value"] == 1.0
    assert own["invariance"]["value"] == 1.0
    assert own["necessity"]["value"] is None
    assert own["faithfulness"]["value"] == 0.0, "who never claims anything shows no faithfulness"


def test_bad_input_is_one_line_and_exit_code_two(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken_planner.py").write_text(BLIND)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for arguments, says in (
        (["expert"], "--suite NAME or --scenarios STORE"),
        (["nobody", "--suite", "smoke"], "No planner is called 'nobody'"),
        (["expert", "--suite", "none"], "There is no suite 'none'"),
        (["expert", "--scenarios", str(store), "--moments", "0"], "--moments and --limit are 1 or more"),
        (["broken_planner:Breaks", "--scenarios", str(store), "--limit", "1"], "fails in lead-braking/select/040000"),
        (
            ["broken_planner:CitesNobody", "--scenarios", str(store), "--limit", "1"],
            "cited that is not there: Scenario",
        ),
    ):
        assert main(["causes", *arguments]) == 2, arguments
        said = capsys.readouterr().err
        assert says in said
        assert "Traceback" not in said
