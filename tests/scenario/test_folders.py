"""A folder is claimed by its settings once; the same settings go on with it, others are refused in words."""

import os

import pytest

from waytrace.scenario import StoreError
from waytrace.scenario.folders import claim, claimed, write_text

WORDS = {"holds": "labels", "again": "Give another folder."}


def test_the_same_settings_go_on_and_others_are_refused_line_by_line(tmp_path):
    folder = tmp_path / "new" / "labels"
    assert not claimed(folder, {"seed": 1}, **WORDS)
    claim(folder, {"seed": 1, "every_s": 0.5}, **WORDS)
    claim(folder, {"every_s": 0.5, "seed": 1}, **WORDS)
    with pytest.raises(
        StoreError, match=r"labels with other settings:\n  seed: 1 -> 2\n  split: None -> 'train'\nGive"
    ):
        claim(folder, {"seed": 2, "every_s": 0.5, "split": "train"}, error=StoreError, **WORDS)


@pytest.mark.parametrize("text", ["{", "[1]", ""])
def test_a_damaged_record_is_named(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(StoreError, match=r"run\.json is damaged: .* Give another folder"):
        claimed(tmp_path, {}, error=StoreError, **WORDS)


def test_what_somebody_else_left_is_not_taken_and_what_a_crash_left_is(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match="no collection of labels"):
        claim(tmp_path, {}, error=StoreError, **WORDS)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]
    torn = tmp_path / "torn"
    torn.mkdir()
    (torn / ".run.json.part").write_text('{"se')
    claim(torn, {"seed": 1}, **WORDS)
    assert claimed(torn, {"seed": 1}, **WORDS)


@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
def test_a_write_that_fails_leaves_what_was_there_and_says_what_to_do(tmp_path, monkeypatch, call):
    file = tmp_path / "result.json"
    write_text(file, "before")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(StoreError, match=r"result\.json could not be written: No space .* Make room and repeat"):
            write_text(file, "after")
    assert file.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(StoreError, match=r"thesis\.tex.labels could not be written: Not a directory"):
        claim(tmp_path / "thesis.tex" / "labels", {}, **WORDS)
    with pytest.raises(StoreError, match=r"thesis\.tex holds something that is no collection"):
        claim(tmp_path / "thesis.tex", {}, error=StoreError, **WORDS)
