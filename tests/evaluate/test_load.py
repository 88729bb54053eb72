"""Planners from what a person types."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from waytrace.evaluate import PlannerError, evaluate, load_planner
from waytrace.evaluate.load import planner_digest, planner_label, planner_name
from waytrace.evaluate.task import Setup, run_task
from waytrace.microgpt import GPTConfig
from waytrace.microgpt.checkpoint import write_checkpoint
from waytrace.microgpt.parameters import drawn
from waytrace.microgpt.second_thoughts import TRIES
from waytrace.planners import NAMES
from waytrace.scenario.store import ScenarioStore
from waytrace.trace.file import read_traces


@pytest.mark.parametrize("name", NAMES)
def test_every_built_in_is_a_planner(name: str) -> None:
    planner = load_planner(name)
    assert planner.name == name
    assert planner is not load_planner(name)


def test_a_class_of_ones_own(own: str) -> None:
    assert type(load_planner(f"{own}:Delegating")).__name__ == "Delegating"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """One that steers at random."""
    config = GPTConfig(1)
    write_checkpoint(tmp_path / "step_000001", drawn(config), config)
    return tmp_path / "step_000001"


@pytest.mark.parametrize(
    ("ending", "name"),
    [("", "step_000001"), (":trace", "step_000001"), (":fast", "step_000001:fast"),
     (":decision_only", "step_000001:decision_only")],
)  # fmt: skip
def test_a_checkpoint_by_its_folder(checkpoint: Path, ending: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_planner(f"{checkpoint}{ending}").name == name
    monkeypatch.chdir(checkpoint.parent)
    assert load_planner(f"step_000001{ending}").name == name
    assert planner_digest(f"step_000001{ending}") == load_planner(str(checkpoint)).weights != ""


@pytest.mark.parametrize(
    ("ending", "tries", "suffix"),
    [("", TRIES, ""), (":once", 0, ":once"), (":trace:once", 0, ":once"), (":decision_only", TRIES, ":decision_only"),
     (":decision_only:once", 0, ":decision_only:once"), (":fast", 0, ":fast"), (":fast:once", 0, ":fast")],
)  # fmt: skip
def test_whether_it_thinks_twice_is_in_the_name(checkpoint: Path, ending: str, tries: int, suffix: str) -> None:
    for source in (str(checkpoint), "shipped"):
        spec = f"{source}{ending}"
        planner = load_planner(spec)
        assert planner.second_thoughts == tries
        assert planner_name(spec) == f"learned@{planner.weights[:12]}{suffix}"


def test_a_folder_never_stands_in_for_a_built_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "expert").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_planner("expert").name == "expert"


def test_a_damaged_checkpoint_is_named(checkpoint: Path) -> None:
    (checkpoint / "head" / "head.safetensors").write_bytes(b"")
    with pytest.raises(PlannerError, match=r"head\.safetensors is not the file of the manifest"):
        load_planner(str(checkpoint))


def test_a_checkpoint_that_writes_traces_is_quoted(checkpoint: Path, store: Path, tmp_path: Path) -> None:
    (task := tmp_path / "task").mkdir()
    scenarios = ScenarioStore.open(store)
    first = sorted(scenarios.ids)[:1]
    setup = Setup(str(checkpoint), "learned", str(store), str(task), traces=True)
    run_task(setup, scenarios, first, "one")
    lines = list(read_traces(task / "one" / "traces.jsonl"))
    assert lines
    assert {line.header.producer.weights for line in lines} == {load_planner(str(checkpoint)).weights}


def test_a_result_says_which_weights_drove_and_not_where_they_lay(
    checkpoint: Path, store: Path, tmp_path: Path
) -> None:
    moved = shutil.copytree(checkpoint, tmp_path / "elsewhere" / "checkpoints" / "best_of_all")
    results = [
        evaluate(f"{spec}:fast", store, out=tmp_path / f"out-{k}", limit=1, workers=1)
        for k, spec in enumerate((checkpoint, moved))
    ]
    assert results[0].meta["planner"] == f"learned@{planner_digest(str(checkpoint))[:12]}:fast"
    assert results[0].meta["result_hash"] == results[1].meta["result_hash"]
    assert results[1].meta["label"] == "elsewhere/best_of_all:fast"
    text = (tmp_path / "out-1" / "result.json").read_text()
    assert "checkpoints" not in text


@pytest.mark.parametrize(("spec", "label"), [("idm", "idm"), ("shipped:fast", "shipped:fast"), ("my:Own", "my:Own")])
def test_what_is_no_folder_is_called_as_it_was_typed(spec: str, label: str) -> None:
    assert planner_label(spec) == label


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("idn", "Known: "),
        ("idn", "A checkpoint: its folder"),
        ("nowhere/step_000001", "nowhere/step_000001 does not exist"),
        ("nowhere/step_000001:fast", "nowhere/step_000001 does not exist"),
        ("shipped:think", "there is no mode 'think'; there are trace"),
        ("no_such_module_here:Planner", "there is no module 'no_such_module_here'"),
        ("{own}:Absent", "has no 'Absent'"),
        ("{own}:not_callable", "no class or function"),
        ("{own}:NeedsArguments", "without arguments fails"),
        ("{own}:NoPlanner", "no method reset()"),
        ("broken:Planner", "importing 'broken' fails: SyntaxError"),
        ("needy:Planner", "needs 'a_module_nobody_has'"),
        (":Planner", "module:Class"),
    ],
)
def test_what_cannot_be_loaded_is_said_plainly(spec: str, said: str, own: str, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def (")
    (tmp_path / "needy.py").write_text("import a_module_nobody_has")
    with pytest.raises(PlannerError, match=said.replace("(", r"\(").replace(")", r"\)")):
        load_planner(spec.format(own=own))


def test_a_package_whose_planner_cannot_be_made_is_said_plainly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "their_planner.py").write_text(
        "class Broken:\n    def __init__(self):\n        raise OSError('no licence')\n"
    )
    info = tmp_path / "theirs-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1\n")
    points = "theirs = their_planner:Broken\nabsent = their_planner:Absent\n"
    (info / "entry_points.txt").write_text(f"[waytrace.planners]\n{points}")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PlannerError, match="'theirs': making it without arguments fails: OSError: no licence"):
        load_planner("theirs")
    with pytest.raises(PlannerError, match="'absent': loading 'their_planner:Absent' fails: AttributeError"):
        load_planner("absent")
