"""``waytrace trace annotate`` and ``agreement``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from waytrace.cli import main
from waytrace.evaluate.agreement import SCHEMA


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trace") / "store"
    families = ["--families", "cut-in", "red-light"]
    assert main(["scenarios", "generate", "--out", str(path), "--count", "4", *families]) == 0
    return path


def test_annotate_writes_a_page_and_says_which_moments(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["trace", "annotate", str(store), "--out", str(tmp_path / "a"), "--count", "3", "--planner", "idm"]
    assert main([*arguments, "--pictures", "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["moments"] == 3
    assert Path(found["page"]).read_text().count('<template class="scene">') == 3
    moments = [json.loads(line) for line in Path(found["list"]).read_text().splitlines()]
    assert all(set(m) == {"scenario", "tick", "scenario_hash", "planner", "traffic", "seed"} for m in moments)
    assert sorted(p.name for p in (tmp_path / "a" / "pictures").iterdir()) == ["000.svg", "001.svg", "002.svg"]


def test_asking_for_more_moments_than_there_are_is_bad_input(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", "annotate", str(store), "--out", str(tmp_path / "a"), "--count", "9"]) == 2
    assert "holds 4 scenarios of split train" in capsys.readouterr().err


def test_agreement_prints_every_slot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2):
        lines = [
            {
                "schema": SCHEMA, "scenario": f"s{k}", "tick": 5,
                "producer": {"kind": "human", "who": "ab", "pass": number},
                "longitudinal": "yield" if k < 2 * number else "follow", "lateral": "keep", "cause": "agent:1",
                "relation": "lead", "remark": "",
            }
            for k in range(8)
        ]  # fmt: skip
        (tmp_path / f"{number}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main(["trace", "agreement", str(tmp_path / "1.jsonl"), str(tmp_path / "2.jsonl"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    slots = {one["slot"]: one for one in found["slots"]}
    assert (found["moments"], slots["longitudinal"]["raw"], slots["longitudinal"]["kappa"]) == (8, 0.75, 0.5)
    assert slots["lateral"]["kappa"] is None
    assert main(["trace", "agreement", str(tmp_path / "1.jsonl"), str(tmp_path / "none.jsonl")]) == 2
    assert "cannot be read" in capsys.readouterr().err
