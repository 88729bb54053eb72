"""``waytrace label``: what it prints and leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from waytrace.cli import main
from waytrace.label import LabelStore


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("label") / "store"
    assert main(["scenarios", "generate", "--out", str(path), "--count", "1", "--families", "ccrm"]) == 0
    return str(path)


def test_labels_are_written_counted_and_continued(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    command = ["label", store, "--out", str(tmp_path / "labels"), "--workers", "1", "--every", "5"]
    command += ["--verify", "--json"]
    assert main(command) == 0
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert found["scenarios"] == 1
    assert found["decisions"] == len(LabelStore.open(found["labels"])) == found["verified"] + found["rejected"]
    assert found["families"].keys() == {"ccrm"}
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == found


def test_a_person_reads_a_table_and_where_the_labels_lie(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "labels"
    assert main(["label", store, "--out", str(out), "--workers", "1", "--every", "10"]) == 0
    said = capsys.readouterr().out
    assert "ccrm" in said
    assert f"Labels: {out}" in said


def test_bad_input_is_told_in_a_sentence(store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["label", str(tmp_path / "none"), "--out", str(tmp_path / "labels")]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert main(["scenarios", "generate", "--out", str(tmp_path / "s"), "--count", "1", "--split", "select"]) == 0
    assert main(["label", str(tmp_path / "s"), "--out", str(tmp_path / "labels")]) == 2
    assert "split 'select'" in capsys.readouterr().err
