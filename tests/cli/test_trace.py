"""`waytrace trace`: from a file, the scenarios and the rollouts alone."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from waytrace.catalogue import generate
from waytrace.cli import main
from waytrace.planners import make
from waytrace.scenario.rollouts import write_rollouts
from waytrace.scenario.store import ScenarioWriter
from waytrace.sim import World
from waytrace.trace import (
    Decision,
    Header,
    PlanClaim,
    Producer,
    Segment,
    Trace,
    scene_hash,
    sets,
    vocabulary_hash,
)
from waytrace.trace.file import TraceLine, read_traces, write_traces
from waytrace.trace.measure import measure, summary


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store, the rollouts of a driver model, and what it would say of its decisions."""
    path = tmp_path_factory.mktemp("traces")
    scenario = generate("cut-in", 4)
    world, planner, state = World([scenario]), make("idm"), None
    planner.reset([scenario.id])
    lines = []
    for _ in range(4):
        observation = world.observe()
        scene, tick = observation.scenes[0], int(observation.tick[0])
        plan, _, state = planner.plan(observation, state)
        steady = plan[0].waypoints[-1, 3]
        trace = Trace(
            summary(measure(scene)), (), (), Decision("set_speed", "keep", "no", (), (), 3),
            PlanClaim(sets.TARGET_SPEED.number(float(steady)), 13, None, (Segment("8", "maintain", "keep_lane"),)),
        )  # fmt: skip
        header = Header(scene_hash(scene), tick * 100_000, 1.0, 0.1, Producer("human", vocabulary=vocabulary_hash()))
        lines.append(TraceLine(scenario.id, tick, header, trace, plan[0]))
        world.step_plans(plan)
    with ScenarioWriter(path / "store") as writer:
        writer.add(scenario)
    write_rollouts(path / "result" / "rollouts", world.rollouts())
    write_traces(path / "t.jsonl", lines)
    wrong = [replace(line, trace=replace(line.trace, decision=replace(line.trace.decision, longitudinal="hold")))
             for line in lines]  # fmt: skip
    write_traces(path / "wrong.jsonl", wrong)
    other = [replace(line, header=replace(line.header, scene_hash="0" * 64)) for line in lines]
    write_traces(path / "other.jsonl", other)
    return path


def run(folder: Path, *arguments: str) -> list[str]:
    places = ("--scenarios", str(folder / "store"), "--rollouts", str(folder / "result"))
    return ["trace", "check", *arguments, *places]


def last(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return record


def test_a_false_claim_ends_with_1_and_is_shown_with_slack_and_evidence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(run(folder, str(folder / "wrong.jsonl"))) == 1
    out = capsys.readouterr().out
    assert "decision.longitudinal" in out
    assert "slack -" in out
    assert "moves_m" in out
    assert "longitudinal.hold" in out


def test_the_json_counts_and_lists(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(run(folder, str(folder / "t.jsonl"), "--json"))
    record = last(capsys)
    assert code == (1 if record["false"] else 0)
    assert record["decisions"] == 4
    assert record["true"] > 30
    assert record["not_judged"] == 4
    assert len(record["false_claims"]) == record["false"]
    assert sum(rule["true"] for rule in record["rules"].values()) == record["true"]
    assert all(claim["claim"] and "evidence" in claim for claim in record["false_claims"])


def test_verdicts_are_written_where_asked(folder: Path, tmp_path: Path) -> None:
    main(run(folder, str(folder / "t.jsonl"), "--out", str(tmp_path / "out.jsonl"), "--limit", "2"))
    lines = list(read_traces(tmp_path / "out.jsonl"))
    assert len(lines) == 2
    assert all(line.verdicts for line in lines)


@pytest.mark.parametrize("arguments", [("other.jsonl",), ("none.jsonl",)])
def test_a_file_of_another_moment_or_none_at_all_ends_with_2(
    folder: Path, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(run(folder, *(str(folder / a) for a in arguments))) == 2
    said = capsys.readouterr().err
    assert "scene_hash" in said or "does not exist" in said
    assert "Traceback" not in said


def test_without_the_rollouts_a_generated_drive_cannot_be_rebuilt(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", "check", str(folder / "t.jsonl"), "--scenarios", str(folder / "store")]) == 2
    assert "rollout" in capsys.readouterr().err


def test_explain_says_it_short_and_long(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "explain", str(folder / "t.jsonl")]) == 0
    short = capsys.readouterr().out.splitlines()
    assert len(short) == 4
    assert all("The ego drives at the speed it wants." in line for line in short)
    assert main(["trace", "explain", str(folder / "t.jsonl"), "--long", "--tick", "5"]) == 0
    assert "Until 8 s: maintain, keep lane." in capsys.readouterr().out
    assert main(["trace", "explain", str(folder / "t.jsonl"), "--tick", "7"]) == 2


def test_diff_names_what_differs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = str(folder / "t.jsonl"), str(folder / "wrong.jsonl")
    assert main(["trace", "diff", one, one]) == 0
    assert main(["trace", "diff", one, other, "--json"]) == 1
    record = last(capsys)
    assert record["fields"] == {"decision.longitudinal": 4}
    assert record["differences"][0]["left"] == "set_speed"


def test_checking_needs_neither_torch_nor_the_simulator() -> None:
    code = (
        "import sys, waytrace.trace, waytrace.trace.check, waytrace.trace.file, waytrace.trace.diff\n"
        "found = [m for m in sys.modules if m.split('.')[0] == 'torch' or m.startswith(('waytrace.sim', "
        "'waytrace.planners'))]\nassert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
