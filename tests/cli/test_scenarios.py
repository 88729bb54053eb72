"""``waytrace scenarios``: generate, list, show, validate, import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from waytrace.cli import main


def _json(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    """The object that a command prints with --json; nothing else may be on standard output."""
    assert main([*arguments, "--json"]) == code
    (line,) = capsys.readouterr().out.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenarios") / "store"
    assert main(["scenarios", "generate", "--out", str(path), "--count", "7"]) == 0
    return path


def test_generating_twice_gives_the_same_scenarios(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _json(capsys, "scenarios", "generate", "--out", str(tmp_path / "again"), "--count", "7")
    hashes = [
        [entry["hash"] for entry in _json(capsys, "scenarios", "list", str(path))["scenarios"]]
        for path in (store, tmp_path / "again")
    ]
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 7


def test_one_family_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["scenarios", "generate", "--out", str(tmp_path / "s"), "--count", "2", "--families", "cut-in"]
    assert _json(capsys, *arguments)["families"] == {"cut-in": 2}


def test_a_store_in_the_way_is_kept(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "scenarios", "generate", "--out", str(store), "--count", "1", code=2)
    assert str(store) in found["error"]
    assert len(_json(capsys, "scenarios", "list", str(store))["scenarios"]) == 7


def test_listing_can_be_narrowed(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "scenarios", "list", str(store), "--family", "cut-in")["scenarios"]
    assert [entry["family"] for entry in found] == ["cut-in"]
    assert main(["scenarios", "list", str(store), "--limit", "2"]) == 0
    assert "5 more" in capsys.readouterr().out


def test_showing_one(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (first, *_) = _json(capsys, "scenarios", "list", str(store))["scenarios"]
    shown = _json(capsys, "scenarios", "show", str(store), first["id"])
    assert shown["family"] == first["family"]
    assert shown["route_groups"]
    assert "Did you mean" in _json(capsys, "scenarios", "show", str(store), first["id"] + "x", code=2)["error"]


def test_a_sound_store_is_valid_and_a_flipped_byte_is_found(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _json(capsys, "scenarios", "validate", str(store))["problems"] == {}
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in store.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    shard = next(copy.glob("scenarios-*.safetensors"))
    data = bytearray(shard.read_bytes())
    data[-5] ^= 1
    shard.write_bytes(data)
    assert shard.name in _json(capsys, "scenarios", "validate", str(copy), code=2)["error"]


def test_importing_what_is_no_drive_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "broken.xml"
    bad.write_text("<commonRoad><lanelet>")
    found = _json(capsys, "scenarios", "import", str(bad), "--out", str(tmp_path / "s"), "--workers", "1", code=2)
    assert "broken.xml" in found["error"]
    assert not (tmp_path / "s").exists()
