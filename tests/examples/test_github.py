"""The workflow for GitHub Actions, run without GitHub: its steps as written, in a clone, as its runner would run them.

What stands for the runner: ``uses`` steps are known by name; a ``run`` step is a script for ``bash -e`` (the runner's
default on Linux) with no input, the job's ``env`` and the variables and files that a pull request's job has, a summary
of its own for every step; the first that fails ends the job, except for steps with ``if: always()``. The package is
installed here already, so the installing step's ``pip`` only notes what it was asked for, and the suite is a part of
``smoke`` instead of ``pr``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
WORKFLOW = EXAMPLES / "github" / "waytrace-gate.yml"
SCENES = 12
SMALLER = {"--suite pr": f"--suite smoke --limit {SCENES}", "baselines/pr": "baselines/smoke"}
PINNED = "lead-braking/select/000000@1"
POLICY = {"partial = false": "partial = true", "never_fail = []": f'never_fail = ["{PINNED}"]'}
"""The team's policy: a part of a suite will do, and one scene is pinned, since twelve scenes show little."""
KNOWN_ACTIONS = ("actions/checkout", "actions/setup-python", "actions/upload-artifact")


@dataclass
class Job:
    """How a job went: exit codes of its ``run`` steps, the summary on the run's page, what was uploaded."""

    codes: list[int] = field(default_factory=list)
    said: str = ""
    summary: str = ""
    uploaded: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not any(self.codes)


def _job() -> dict[str, Any]:
    (job,) = yaml.safe_load(WORKFLOW.read_text())["jobs"].values()
    found: dict[str, Any] = job
    return found


def _environment(home: Path, clone: Path, folder: Path) -> dict[str, str]:
    """What the runner sets for one step of a pull request's job; the step's own files are in a new ``folder``."""
    folder.mkdir()
    files = {f"GITHUB_{name}": folder / name.lower() for name in ("STEP_SUMMARY", "OUTPUT", "ENV", "PATH", "STATE")}
    for file in files.values():
        file.touch()
    event = folder / "event.json"
    event.write_text(json.dumps({"action": "synchronize", "number": 1, "pull_request": {"head": {"ref": "change"}}}))
    return {
        **{name: str(file) for name, file in files.items()},
        "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(clone), "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(event), "GITHUB_REF": "refs/pull/1/merge", "GITHUB_HEAD_REF": "change",
        "GITHUB_BASE_REF": "main", "GITHUB_SHA": _git(clone, "rev-parse", "HEAD"), "RUNNER_OS": "Linux",
        "RUNNER_TEMP": str(folder), "HOME": str(home), "LANG": "C.UTF-8",
        "PATH": f"{home / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT / "src"),
        **{name: os.environ[name] for name in ("WAYTRACE_CACHE", "NUMBA_CACHE_DIR") if name in os.environ},
    }  # fmt: skip


def run_job(home: Path, clone: Path) -> Job:
    """Every step of the workflow's job, in order."""
    job, out, files = _job(), Job(), clone.parent / "runner-files"
    files.mkdir()
    for number, step in enumerate(job["steps"]):
        condition = step.get("if")
        assert condition in (None, "always()"), f"the runner of this test knows no `if: {condition}`"
        if not out.passed and condition is None:
            continue
        if "uses" in step:
            assert step["uses"].rpartition("@")[0] in KNOWN_ACTIONS
            if "upload-artifact" in step["uses"]:
                out.uploaded = [path for path in step["with"]["path"].split() if (clone / path).exists()]
            continue
        script = step["run"]
        for whole, part in SMALLER.items():
            script = script.replace(whole, part)
        file = files / f"step-{number}.sh"
        file.write_text(script)
        environment = _environment(home, clone, files / str(number)) | {k: str(v) for k, v in job["env"].items()}
        done = subprocess.run(
            ["bash", "-e", file], cwd=clone, env=environment, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        out.codes.append(done.returncode)
        out.said += done.stdout
        out.summary += Path(environment["GITHUB_STEP_SUMMARY"]).read_text()
    return out


def _git(folder: Path, *arguments: str) -> str:
    named = ["-c", "user.name=A Team", "-c", "user.email=team@example.org", "-c", "init.defaultBranch=main"]
    command = ["git", "-C", str(folder), *named, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _waytrace(home: Path, folder: Path, *arguments: str) -> None:
    environment = _environment(home, folder, home / arguments[0])
    done = subprocess.run(["waytrace", *arguments], cwd=folder, env=environment, check=False, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runner's home: ``waytrace`` as its installer leaves it, ``pip`` that only notes what it is asked for."""
    home = tmp_path_factory.mktemp("runner")
    (home / "bin").mkdir()
    command = f"#!{sys.executable}\nimport sys\nfrom waytrace.cli import main\nsys.exit(main())\n"
    for name, text in (("waytrace", command), ("pip", f'#!/bin/sh\necho "$@" >> {home / "pip-was-asked"}\n')):
        (home / "bin" / name).write_text(text)
        (home / "bin" / name).chmod(0o755)
    return home


@pytest.fixture(scope="module")
def team(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A team's repository with a planner, the workflow, its policy and the planner's own baseline."""
    folder = tmp_path_factory.mktemp("team")
    _git(folder, "init", "--quiet")
    shutil.copy(EXAMPLES / "my_planner.py", folder)
    policy = (EXAMPLES / "github" / "gate.toml").read_text()
    for default, own in POLICY.items():
        assert default in policy
        policy = policy.replace(default, own)
    (folder / "gate.toml").write_text(policy)
    (folder / ".gitignore").write_text("out/\n")
    (folder / ".github" / "workflows").mkdir(parents=True)
    shutil.copy(WORKFLOW, folder / ".github" / "workflows")
    _git(folder, "add", ".")
    _git(folder, "commit", "--quiet", "-m", "A planner and its gate")
    suite = SMALLER["--suite pr"].split()
    _waytrace(home, folder, "eval", "my_planner:Cautious", *suite, "--no-report", "--out", "out/first")
    _waytrace(home, folder, "baseline", "set", "out/first", "--reason", "the planner that drives now")
    _git(folder, "add", ".")
    _git(folder, "commit", "--quiet", "-m", "The planner that drives now is the baseline")
    return folder


def _pull_request(team: Path, clone: Path, before: str, after: str) -> None:
    """A clone in which the planner's source has changed, committed."""
    _git(team, "clone", "--quiet", str(team), str(clone))
    planner = clone / "my_planner.py"
    source = planner.read_text()
    assert before in source
    planner.write_text(source.replace(before, after))
    _git(clone, "commit", "--quiet", "-am", "A change of the planner")


def _tables(markdown: str) -> list[list[str]]:
    """The header of every table that GitHub's Markdown makes of the text."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown)
    at = [i for i, token in enumerate(tokens) if token.type == "thead_open"]
    ends = [i for i, token in enumerate(tokens) if token.type == "thead_close"]
    return [[t.content for t in tokens[start:end] if t.type == "inline"] for start, end in zip(at, ends, strict=True)]


def test_the_workflow_says_what_its_runner_needs() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text())
    assert "pull_request" in workflow[True]  # YAML reads the key `on` as true
    job = _job()
    assert job["permissions"] == {"contents": "read"}
    assert all(("uses" in step) != ("run" in step) for step in job["steps"])
    assert job["steps"][0]["uses"].startswith("actions/checkout@")
    assert "${{" not in WORKFLOW.read_text()  # nothing of a pull request is put into a script
    commands = " ".join(step.get("run", "") for step in job["steps"])
    assert all(command in commands for command in SMALLER)


@pytest.mark.slow
def test_a_planner_that_does_as_well_passes(home: Path, team: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    _pull_request(team, clone, "A planner of one's own", "The team's planner")
    job = run_job(home, clone)
    assert job.passed, job.said
    assert "## Waytrace gate: equivalent\n" in job.summary
    assert "| G1 | the same again | passed |" in job.summary
    assert job.uploaded == ["out/candidate/result.json", "out/candidate/report", "out/candidate/logs"]
    assert (home / "pip-was-asked").read_text().splitlines()[0] == "install waytrace"


@pytest.mark.slow
def test_a_planner_that_no_longer_brakes_fails_the_job(home: Path, team: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    _pull_request(team, clone, "np.where(gap < 8 + 2 * speed, -4.0,", "np.where(gap < 0, -4.0,")
    job = run_job(home, clone)
    assert job.codes == [0, 0, 0, 1], job.said
    assert "## Waytrace gate: regressed ❌" in job.summary
    assert PINNED in job.summary
    assert _tables(job.summary)[0] == ["gate", "", "", "says"]
    assert "out/candidate/report" in job.uploaded


@pytest.mark.slow
def test_a_planner_that_raises_fails_the_gate_and_not_the_evaluation(home: Path, team: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    _pull_request(
        team, clone, "        pass  #", "        assert not any('cut-in' in i for i in ids), 'no cut-ins'\n        #"
    )
    job = run_job(home, clone)
    assert job.codes == [0, 0, 0, 1], job.said
    assert "planner failed: cut-in/select/000000@1: AssertionError: no cut-ins" in job.summary
    assert "| G1 | the same again | passed |" in job.summary
    assert "out/candidate/logs" in job.uploaded
