"""`waytrace trace audit`: counts, everything false with its evidence, exit codes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from waytrace.catalogue import generate
from waytrace.cli import main
from waytrace.label import header_of, label_drive, line_of
from waytrace.observe import Reference, ReferenceKind
from waytrace.scenario import scenario_hash
from waytrace.scenario.rollouts import write_rollouts
from waytrace.scenario.store import ScenarioWriter
from waytrace.trace.file import TraceLine, read_traces, write_traces

NOBODY = Reference(ReferenceKind.AGENT, 9999)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store, the drive in which the expert was labelled, its labels, and files with something wrong."""
    path = tmp_path_factory.mktemp("audited")
    scenario = generate("ccrm", 0)
    content, lines, world = scenario_hash(scenario), [], None
    for moment in label_drive(scenario, ticks=range(0, 60, 20), traffic="mixed"):
        world = moment.world
        lines.append(line_of(scenario.id, moment.tick, header_of(moment.label, moment.at, content), moment.label))
    assert world is not None
    with ScenarioWriter(path / "store") as writer:
        writer.add(scenario)
    write_rollouts(path / "result" / "rollouts", world.rollouts())
    write_traces(path / "honest.jsonl", lines)
    write_traces(path / "lying.jsonl", [_blaming_nobody(line) for line in lines])
    write_traces(path / "other.jsonl", [replace(v, header=replace(v.header, scene_hash="0" * 64)) for v in lines])
    call = {"name": "guess", "args": {}, "result": {}, "ms": 1}
    write_traces(path / "tools.jsonl", [replace(line, more={"tools": [call]}) for line in lines])
    return path


def _blaming_nobody(line: TraceLine) -> TraceLine:
    d = line.trace.decision
    causes = tuple(replace(cause, ref=NOBODY) for cause in d.causes)
    return replace(line, trace=replace(line.trace, decision=replace(d, causes=causes)))


def audited(folder: Path, name: str, *more: str) -> int:
    places = ("--scenarios", str(folder / "store"), "--rollouts", str(folder / "result"))
    return main(["trace", "audit", str(folder / name), *places, *more])


def last(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return record


def test_what_the_labeller_wrote_is_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = audited(folder, "honest.jsonl", "--json")
    record = last(capsys)
    assert record["decisions"] == 3
    assert code == (1 if record["false"] else 0)
    assert record["rules"]["rejected"]["true"] > 0
    assert record["rules"]["rejected"]["false"] == 0
    for value in ("true", "false", "undetermined"):
        assert sum(tally[value] for tally in record["rules"].values()) == record[value]


def test_what_is_false_ends_with_1_and_is_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audited(folder, "lying.jsonl") == 1
    seen = capsys.readouterr()
    assert "decision.causes[0]: There is no agent:9999 in the scene" in seen.out
    assert "ref agent:9999" in seen.out
    assert "which is not cited" in seen.out
    assert "auditing: 3 of 3" in seen.err
    assert audited(folder, "lying.jsonl", "--json") == 1
    record = last(capsys)
    assert len(record["false_claims"]) == record["false"] > 0
    assert {"scenario", "tick", "claim", "evidence", "why"} <= set(record["false_claims"][0])


def test_lines_are_written_with_what_was_found(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    audited(folder, "honest.jsonl", "--out", str(out), "--limit", "2")
    lines = list(read_traces(out))
    assert [line.tick for line in lines] == [0, 20]
    assert all(entry["kind"] == "interventional" for line in lines for entry in line.audit)
    assert all(line.audit for line in lines)


@pytest.mark.parametrize(
    ("name", "said"),
    [("none.jsonl", "does not exist"), ("other.jsonl", "scene_hash"), ("tools.jsonl", "known are gap, predict")],
)
def test_bad_input_ends_with_2(folder: Path, name: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert audited(folder, name) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_without_the_rollouts_a_generated_drive_cannot_be_rebuilt(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", "audit", str(folder / "honest.jsonl"), "--scenarios", str(folder / "store")]) == 2
    assert "rollout" in capsys.readouterr().err
