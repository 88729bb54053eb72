"""What a person sees, and what a script gets, when something is wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from waytrace.cli import main
from waytrace.cli.commands import scenarios_list


def _waytrace(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "waytrace", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["evaluate"], "did you mean `eval`"),
        (["scenarios", "imprt"], "has no command 'imprt'"),
        (["scenarios", "list", "no-such-store"], "no-such-store"),
        (["report", "no-such-result"], "no-such-result"),
        (["report", "no-such-result", "--gate", "no-such-gate.json"], "no-such-gate.json cannot be read"),
        (["report", "no-such-result", "--counterfactuals", "-1"], "0 or more"),
        (["compare", "no-such-result", "another", "--gate", "gate.json"], "--report FOLDER"),
        (["eval", "idm"], "--scenarios"),
        (["eval", "idm", "--suite", "nope"], "smoke"),
    ],
)
def test_a_usage_error_is_one_message_and_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    streams = capsys.readouterr()
    assert said in streams.err
    assert "Traceback" not in streams.err + streams.out


def test_an_unknown_option_is_exit_code_2() -> None:
    done = _waytrace("scenarios", "list", "store", "--nonsense")
    assert done.returncode == 2
    assert "nonsense" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_with_json_an_error_is_one_object_on_standard_output(tmp_path: Path) -> None:
    done = _waytrace("scenarios", "list", "nowhere", "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert "nowhere" in json.loads(done.stdout)["error"]
    assert "nowhere" in done.stderr


def test_an_error_of_ours_is_exit_code_3_and_leaves_its_traceback_in_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object) -> int:
        raise RuntimeError("the wheel came off")

    monkeypatch.setattr(scenarios_list, "run", run)
    assert main(["scenarios", "list", "store"]) == 3
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "the wheel came off" in said
    path = re.search(r"traceback is in (\S+);", said)
    assert path is not None
    log = Path(path.group(1))
    assert "Traceback" in log.read_text()
    log.unlink()


def test_ctrl_c_ends_quietly(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(scenarios_list, "run", run)
    assert main(["scenarios", "list", "store"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_the_first_use_says_that_it_compiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(scenarios_list, "run", lambda *_: 0)
    assert main(["scenarios", "list", "store"]) == 0
    assert "compiling" in capsys.readouterr().err
    (tmp_path / "kernel.nbc").write_bytes(b"")
    assert main(["scenarios", "list", "store"]) == 0
    assert capsys.readouterr().err == ""


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """`waytrace --help | head -1`: the pipe is closed before all of it is written."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "waytrace", "--help"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
