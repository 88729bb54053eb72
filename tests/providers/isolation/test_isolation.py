"""Code of a model runs behind walls: what it tries does no harm, and is reported."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from waytrace.providers import isolation
from waytrace.providers.isolation import IsolationError, Limits, Ran, means, sandbox

QUICK = Limits(wall_s=6.0, cpu_s=2)


@pytest.fixture(params=["unshare", "bubblewrap"])
def walls(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Each means that holds on this machine, alone."""
    if request.param not in means.installed():
        pytest.skip(f"{request.param} is not installed")
    monkeypatch.setattr(means, "installed", lambda: (request.param,))
    isolation.available.cache_clear()
    try:
        yield isolation.available()
    except IsolationError as error:
        pytest.skip(str(error))
    finally:
        isolation.available.cache_clear()


def run(probe: str, limits: Limits = QUICK, code: str = "x = 1\n") -> Ran:
    return isolation.run({"planner/a.py": code}, [probe], limits)


def test_probes_give_values_and_errors(walls: str) -> None:
    probes = ["from planner import a\na.x + 1", "1 / 0", "[1, 2.5, None, {'a': 'ü'}]", "object()", "x = 1", "1"]
    ran = isolation.run({"planner/a.py": "x = 1\n"}, probes)
    assert ran.values == {0: 2, 2: [1, 2.5, None, {"a": "ü"}], 5: 1}
    assert {k: text.split(":")[0] for k, text in ran.errors.items()} == {
        1: "ZeroDivisionError", 3: "TypeError", 4: "SyntaxError",
    }  # fmt: skip
    assert (ran.attempts, ran.ended, ran.means) == ((), "done", walls)


def test_the_environment_is_empty_and_looking_is_reported(walls: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZAI_API_KEY", "sk-secret")
    ran = run("import os\n[dict(os.environ), os.environ.get('ZAI_API_KEY')]")
    assert ran.values[0] == [{}, None]
    assert ran.attempts == ("environment: read",)
    ran = run("open('/proc/self/environ').read() + open('/proc/1/environ').read()")
    assert not ran.values
    assert ran.attempts == ("read: /proc/self/environ",)


@pytest.mark.parametrize("probe", ["os.fsencode('')", "os.cpu_count() > 0"])
def test_the_library_may_do_what_it_needs(walls: str, probe: str) -> None:
    ran = run(f"import os, decimal, statistics, heapq, dataclasses, random, json, re\n{probe}")
    assert 0 in ran.values or "JSON" in ran.errors[0]
    assert ran.attempts == ()


def test_no_socket_gets_through(walls: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        ran = run(f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 1).sendall(b'x')")
        with pytest.raises(TimeoutError):
            server.accept()
    assert "Operation not permitted" in ran.errors[0]
    assert "network: socket.__new__" in ran.attempts


def test_a_full_disk_is_its_own(walls: str) -> None:
    folders = ("/repository/", "/", "/tmp/", "/dev/shm/")
    fill = "f = open('{}big', 'wb', buffering=0)\nsum(f.write(bytes(1 << 20)) for _ in range(400))"
    ran = isolation.run({}, [fill.format(folder) for folder in folders], QUICK)
    assert not ran.values
    assert ran.attempts == tuple(f"write: {folder}big" for folder in folders)
    assert not any(Path(f"{folder}big").exists() for folder in folders)


def test_many_files_are_too_many(walls: str) -> None:
    ran = run("for k in range(200_000):\n    open(f'/repository/{k}', 'w').write('x' * 4096)\n1")
    assert 0 not in ran.values
    assert ran.attempts


def test_forks_are_counted_and_die_with_the_run(walls: str) -> None:
    ran = run("import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n1", Limits(2.0))
    assert ran.ended != "done"
    assert "process: os.fork" in ran.attempts
    assert not left_behind()


def test_what_was_started_in_the_background_ends(walls: str) -> None:
    ran = run("import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\n    os._exit(0)\n7")
    assert ran.values == {0: 7}
    assert ran.attempts == ("process: os.fork",)
    assert not left_behind()


def left_behind() -> list[str]:
    """Processes that still run what runs behind the walls."""
    mark = b"What runs behind the walls."
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark in (entry / "cmdline").read_bytes():
                    found.append(entry.name)
            except OSError:
                continue
    return found


def test_nothing_of_the_machine_is_read_or_written(walls: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("sk-secret")
    tried = (
        (f"open({str(secret)!r}).read()", f"read: {secret}"),
        (f"open({str(secret)!r}, 'w').write('gone')", f"write: {secret}"),
        (f"import os\nos.remove({str(secret)!r})", f"write: os.remove {str(secret)[:80]}"),
        ("open('/etc/passwd').read()", "read: /etc/passwd"),
        ("open('../etc/passwd').read()", "read: ../etc/passwd"),
        ("import os\nopen(os.__file__, 'a').write('import evil')", f"write: {os.__file__}"),
    )
    ran = isolation.run({}, [probe for probe, _ in tried], QUICK)
    assert not ran.values
    assert ran.attempts == tuple(attempt[:200] for _, attempt in tried)
    assert secret.read_text() == "sk-secret"
    assert "import evil" not in Path(os.__file__).read_text()


def test_no_right_is_left(walls: str) -> None:
    acts = (
        "mount(b'tmpfs', b'/repository', b'tmpfs', 0, None)", "umount2(b'/repository', 2)", "chroot(b'/repository')",
        "sethostname(b'x', 1)", "mount(None, b'/usr/lib', None, 4096 | 32, None)", "setgroups(0, None)",
        "unshare(0x10000000)", "unshare(0x20000)", "shmget(0, 1 << 20, 0o1600)", "ptrace(16, 1, 0, 0)",
        "socket(1, 1, 0)", "syscall(435, 0, 0)", "syscall(425, 8, 0)",
    )  # fmt: skip
    ran = isolation.run({}, [f"import ctypes\nc = ctypes.CDLL(None)\nc.setuid(0)\nc.{act}" for act in acts], QUICK)
    assert ran.values == dict.fromkeys(range(len(acts)), -1)
    assert "other: ctypes.dlopen" in ran.attempts


def test_programs_are_not_there(walls: str) -> None:
    ran = run("import subprocess\nsubprocess.run(['/bin/sh', '-c', 'true'])")
    assert "FileNotFoundError" in ran.errors[0]
    assert "process: subprocess.Popen" in ran.attempts


@pytest.mark.parametrize(
    ("probe", "ended"),
    [
        ("while True: pass\n1", {"cpu limit"}),
        ("import time\ntime.sleep(60)\n1", {"wall limit"}),
        ("import os\nos._exit(0)", {"exit 0"}),
        ("import os\nwhile True:\n    for fd in range(3, 9):\n        try:\n            os.write(fd, b'x' * 65536)\n"
         "        except OSError:\n            pass\n1", {"output limit"}),
    ],
)  # fmt: skip
def test_limits_end_a_run(walls: str, probe: str, ended: set[str]) -> None:
    ran = run(probe, Limits(wall_s=2.0 if "sleep" in probe else 60.0, cpu_s=1))
    assert not ran.values
    assert ran.ended in ended


def test_memory_is_limited(walls: str) -> None:
    assert "MemoryError" in run("len(bytearray(10**10))").errors[0]


def test_a_value_that_is_no_json_is_an_error(walls: str) -> None:
    ran = run("float('nan')")
    assert 0 in ran.errors or ran.values[0] != ran.values[0]


def test_without_means_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(means, "installed", tuple)
    isolation.available.cache_clear()
    with pytest.raises(IsolationError, match=r"neither bwrap .* is installed.*Install bubblewrap"):
        run("1")
    isolation.available.cache_clear()


@pytest.mark.parametrize("leak", range(len(sandbox.TRIAL)))
def test_walls_with_a_hole_are_not_used(monkeypatch: pytest.MonkeyPatch, leak: int) -> None:
    found = dict.fromkeys(range(len(sandbox.TRIAL)), True) | {leak: False}
    monkeypatch.setattr(means, "installed", lambda: ("unshare",))
    monkeypatch.setattr(sandbox, "_run", lambda *_: Ran(found, {}, (), "done", "unshare"))
    isolation.available.cache_clear()
    with pytest.raises(IsolationError, match=f"does not hold here .not so: {list(sandbox.TRIAL)[leak]}"):
        run("1")
    isolation.available.cache_clear()


def test_the_means_are_looked_for_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    means.installed.cache_clear()
    monkeypatch.setattr(shutil, "which", lambda tool: "/usr/bin/bwrap" if tool == "bwrap" else None)
    assert means.installed() == ("bubblewrap",)
    means.installed.cache_clear()
