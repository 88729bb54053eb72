"""Run code of a model behind walls, within limits, and hear what it did."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from . import means
from .means import IsolationError

MOST_OUTPUT_BYTES = 1 << 20
MOST_ENDING_S = 5.0
MOST_ATTEMPTS = 20

TRIAL = {
    "files come in": "import a; a.x == 41",
    "processes are counted": """
import os, time
started = 0
try:
    for _ in range(100):
        if os.fork() == 0:
            time.sleep(1)
            os._exit(0)
        started += 1
except OSError:
    pass
started < 50
""",
    "files of the machine are out of reach": (
        "import os; not any(os.path.exists(p) for p in ('/etc/passwd', '/home', '/proc/1/environ', '/sys', '/var'))"
    ),
    "the network is out of reach": """
import socket
try:
    socket.create_connection(("192.0.2.1", 9), 0.2)
    closed = False
except OSError as error:
    closed = not isinstance(error, TimeoutError)
closed
""",
    "memory is counted": """
import os
try:
    os.memfd_create("x")
    refused = False
except OSError:
    refused = True
refused
""",
    "no rights are to be had by a user namespace": (
        "import ctypes; ctypes.CDLL(None).unshare(0x10000000 | 0x20000) == -1"  # CLONE_NEWUSER | CLONE_NEWNS
    ),
}
"""What has to hold before any code of a model is run (192.0.2.1 is an address for documentation, RFC 5737)."""


@dataclass(frozen=True)
class Limits:
    """What a run may use."""

    wall_s: float = 10.0
    cpu_s: int = 5
    memory_bytes: int = 256 << 20
    """Of each process."""
    processes: int = 8
    disk_bytes: int = 16 << 20


@dataclass(frozen=True)
class Ran:
    """What was heard of a run."""

    values: Mapping[int, Any]
    """JSON value of each probe that gave one, by the probe's number."""
    errors: Mapping[int, str]
    attempts: tuple[str, ...]
    """What the code tried that no planner needs: ``network: socket.connect``. It did not get through."""
    ended: str
    """``done``, or what ended the run: ``cpu limit``, ``wall limit``, ``output limit``, ``signal 9``, ``exit 1``."""
    means: str


@lru_cache(maxsize=1)
def available() -> str:
    """The means that works on this machine: ``bubblewrap`` or ``unshare``. Raises :class:`IsolationError`."""
    why = "neither bwrap (bubblewrap) nor unshare (util-linux) is installed"
    for name in means.installed():
        tried = _run(name, {"a.py": "x = 41"}, list(TRIAL.values()), Limits())
        failed = [what for k, what in enumerate(TRIAL) if tried.values.get(k) is not True]
        if not failed and tried.ended == "done":
            return name
        why = f"{name} is installed and does not hold here (not so: {', '.join(failed)}; it ended with: {tried.ended})"
    raise IsolationError(
        f"Code of a model is not run without isolation, and {why}. Install bubblewrap, allow user namespaces, "
        "or leave the family out."
    )


def run(repository: Mapping[str, str], probes: Sequence[str], limits: Limits | None = None) -> Ran:
    """Evaluate ``probes`` (Python whose last expression gives a JSON value) over the files of a repository.

    No network, no environment, no file of this machine but Python's own library (read-only), a small memory disk, and
    nothing left afterwards. Raises :class:`IsolationError` where this machine has no means for that.
    """
    return _run(available(), repository, probes, limits or Limits())


def _run(name: str, repository: Mapping[str, str], probes: Sequence[str], limits: Limits) -> Ran:
    walls = name == "unshare"
    task = {
        "files": dict(repository), "probes": list(probes), "limits": asdict(limits), "walls": walls,
        "uid": means.uid() if walls else 0, "library": means.library(),
    }  # fmt: skip
    inside = files("waytrace.providers.isolation").joinpath("inside.py").read_text()
    command = [*(means.namespaces() if walls else means.bubblewrap(limits.disk_bytes)), *means.bare_python(), inside]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", close_fds=True,
        env={"PATH": os.environ.get("PATH", os.defpath)} if not walls else {}, start_new_session=True,
    )  # fmt: skip
    try:
        heard, stopped = _talk(process, json.dumps(task).encode(), limits.wall_s)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        _wait_for_all(process)
    return _heard(heard, stopped, code, name)


def _talk(process: subprocess.Popen[bytes], task: bytes, wall_s: float) -> tuple[bytes, str]:
    """(what came out, why it was stopped or nothing)."""
    assert process.stdin is not None
    assert process.stdout is not None
    until, heard, sent = time.monotonic() + wall_s, bytearray(), 0
    os.set_blocking(process.stdin.fileno(), False)
    out = process.stdout
    with process.stdin as into, selectors.DefaultSelector() as ready:
        ready.register(into, selectors.EVENT_WRITE)
        ready.register(out, selectors.EVENT_READ)
        while (left := until - time.monotonic()) > 0:
            for key, _ in ready.select(left):
                if key.fileobj is into:
                    try:
                        sent += os.write(into.fileno(), task[sent : sent + 65536])
                    except BrokenPipeError:
                        sent = len(task)
                    if sent >= len(task):
                        ready.unregister(into)
                        into.close()
                else:
                    chunk = os.read(out.fileno(), 65536)
                    if not chunk:
                        return bytes(heard), ""
                    heard += chunk
                    if len(heard) > MOST_OUTPUT_BYTES:
                        return bytes(heard), "output limit"
    return bytes(heard), "wall limit"


def _wait_for_all(process: subprocess.Popen[bytes]) -> None:
    """Until nothing of a killed run is left: whatever it started holds the pipe, and the kernel is ending it."""
    assert process.stdout is not None
    until = time.monotonic() + MOST_ENDING_S
    with process.stdout as out, selectors.DefaultSelector() as ready:
        ready.register(out, selectors.EVENT_READ)
        while ready.select(max(until - time.monotonic(), 0.0)) and os.read(out.fileno(), 65536):
            pass


def _heard(heard: bytes, stopped: str, code: int, name: str) -> Ran:
    values: dict[int, Any] = {}
    errors: dict[int, str] = {}
    attempts: list[str] = []
    ended = stopped or (f"signal {-code}" if code < 0 else f"exit {code}")
    for line in heard.splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(record, dict):
            continue
        if isinstance(record.get("attempt"), str) and len(attempts) < MOST_ATTEMPTS:
            attempts.append(record["attempt"][:200])
        elif type(record.get("probe")) is int and "value" in record:
            values[record["probe"]] = record["value"]
        elif type(record.get("probe")) is int:
            errors[record["probe"]] = str(record.get("error"))
        elif record.get("stop") == "cpu limit" and not stopped:
            ended = "cpu limit"
        elif record.get("end") is True and not stopped:
            ended = "done"
    return Ran(values, errors, tuple(attempts), ended, name)
