"""Planners of other people's in an evaluation: behind HTTP, in nuPlan's form, in a package of their own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from waytrace.cli import main
from waytrace.evaluate import PlannerError, evaluate, load_planner
from waytrace.evaluate.gate import Policy, gate
from waytrace.evaluate.load import planner_digest, planner_label, planner_name
from waytrace.planners.remote import RemoteError
from waytrace.scenario.store import ScenarioStore

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


class _Server(ThreadingHTTPServer):
    """Straight on, except in scenes whose id begins with one of ``fails``."""

    daemon_threads = True
    version = "1"
    fails: tuple[str, ...] = ()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._say({"schema": "waytrace.planner/1", "name": "straight", "version": self.server.version})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked["scenario_id"].startswith(self.server.fails):
            self.send_error(500, "no pedestrians please")
            return
        self._say({"schema": "waytrace.plan/1", "controls": [[0.0, 0.0]] * 16})

    def _say(self, record: dict[str, Any]) -> None:
        body = json.dumps(record).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[_Server]:
    found = _Server(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


@pytest.fixture
def url(server: _Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/plan"


def test_results_are_named_after_what_the_server_says(server: _Server, url: str) -> None:
    assert planner_name(url) == "http:straight@1"
    assert planner_label(url) == url
    before = planner_digest(url)
    server.version = "2"
    assert planner_name(url) == "http:straight@2"
    assert planner_digest(url) != before


def test_a_server_that_is_not_there_is_named_before_anything_is_driven(store: Path, tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match=r"http://127\.0\.0\.1:1/plan gave no answer"):
        evaluate("http://127.0.0.1:1/plan", store, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(PlannerError, match="has a user, a query or a fragment"):
        load_planner("http://me:secret@127.0.0.1:1/plan")


def test_the_command_line_says_so_in_one_line(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "http://127.0.0.1:1/plan", "--scenarios", str(store)]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "http://127.0.0.1:1/plan gave no answer: " in said
    assert "Traceback" not in said


def test_a_planner_over_http_is_the_planner(store: Path, url: str, tmp_path: Path) -> None:
    """Straight on over HTTP drives as straight on in the process does, to the last bit, and twice the same."""
    there, again = (evaluate(url, store, out=tmp_path / name, limit=2) for name in ("there", "again"))
    here = evaluate("constant-velocity", store, out=tmp_path / "here", limit=2)
    assert there.meta["planner"] == "http:straight@1"
    assert there.meta["result_hash"] == again.meta["result_hash"]
    assert not there.errors
    digests = [[row["digest"] for row in result.meta["scenarios"]] for result in (there, here)]
    assert digests[0] == digests[1]
    assert url not in json.dumps({k: v for k, v in there.meta.items() if k != "label"})


def test_g0_says_on_which_scene_the_server_failed(store: Path, server: _Server, url: str, tmp_path: Path) -> None:
    (failing,) = [i for i in ScenarioStore.open(store).ids if i.startswith("pedestrian-near")]
    whole = evaluate(url, store, out=tmp_path / "whole")
    server.fails = ("pedestrian-near",)
    result = evaluate(url, store, out=tmp_path / "failing")
    (error,) = result.errors
    assert error["id"] == failing
    assert error["message"] == f"RemoteError: {url} answered 500 no pedestrians please, not 200"
    assert len(result.ids) == len(whole.ids) - 1
    outcomes = {o.gate: o for o in gate(result, whole, policy=Policy(partial=True)).outcomes}
    assert outcomes["G0"].state == "failed"
    assert outcomes["G0"].details[0].startswith(f"planner failed: {failing}: RemoteError: ")


def test_the_example_server_drives(store: Path, tmp_path: Path) -> None:
    file = EXAMPLES / "http_planner.py"
    assert len(file.read_text().splitlines()) < 100
    process = subprocess.Popen([sys.executable, "-I", file, "0"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        result = evaluate(url, store, out=tmp_path / "out")
    finally:
        process.kill()
        process.communicate()
    assert not result.errors
    assert result.meta["planner"] == "http:cautious@1"
    straight = evaluate("constant-velocity", store, out=tmp_path / "straight")
    assert result.meta["score"] > straight.meta["score"]


def test_the_example_for_nuplan_drives(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = (EXAMPLES / "nuplan_planner.py").read_bytes()
    (tmp_path / "nuplan_planner.py").write_bytes(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    result = evaluate("nuplan_planner:Adapted", store, out=tmp_path / "out")
    assert not result.errors
    assert result.meta["planner_digest"] == hashlib.sha256(source).hexdigest()
    straight = evaluate("constant-velocity", store, out=tmp_path / "straight")
    assert result.meta["score"] > straight.meta["score"]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example package as an installer leaves it: its module and the metadata of its ``pyproject.toml``."""
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((EXAMPLES / "planner_package" / "pyproject.toml").read_text())["project"]
    site = tmp_path / "site"
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = project["entry-points"]["waytrace.planners"]
    lines = "\n".join(f"{name} = {target}" for name, target in points.items())
    (info / "entry_points.txt").write_text(f"[waytrace.planners]\n{lines}\n")
    (site / "planner_package").symlink_to(EXAMPLES / "planner_package" / "src" / "planner_package")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]))
    return site


def test_the_example_package_drives(store: Path, installed: Path, tmp_path: Path) -> None:
    result = evaluate("steady", store, out=tmp_path / "out", limit=2)
    assert not result.errors
    assert result.meta["planner"] == "steady"
    source = EXAMPLES / "planner_package" / "src" / "planner_package" / "steady.py"
    assert result.meta["planner_digest"] == hashlib.sha256(source.read_bytes()).hexdigest()
    with pytest.raises(PlannerError, match=r"Known: .*steady"):
        load_planner("steddy")
