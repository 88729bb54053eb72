"""How code of a model can be run on this machine without harm: bubblewrap, namespaces by ``unshare``, or not at all."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from functools import lru_cache
from pathlib import Path

from waytrace.scenario import WaytraceError

FIRST_UID = 200_000
"""Run by root, each run is made the only process of a user of its own: limits on processes are counted by user."""
_numbers = itertools.count(os.getpid() % 1000 * 50)


class IsolationError(WaytraceError):
    """Code of a model cannot be run here without harm. The message says what is missing."""


def library() -> list[str]:
    """Folders that a bare Python reads: its standard library and the C libraries."""
    found = [str(Path(os.__file__).resolve().parent)]
    found += [p for p in ("/lib", "/lib64", "/usr/lib", "/usr/lib64") if Path(p).is_dir()]
    outer = [p for p in found if not any(p != q and p.startswith(q + "/") for q in found)]
    return sorted(outer)


def bare_python() -> list[str]:
    """A Python without environment, site packages and current folder. Its code is the argument that follows."""
    return [str(Path(sys.executable).resolve()), "-I", "-S", "-c"]


def bubblewrap(disk_bytes: int) -> list[str]:
    """The command that runs what follows under bubblewrap, with a memory disk of a size."""
    command = [
        "bwrap",
        "--unshare-all",
        "--unshare-user",
        "--disable-userns",
        "--die-with-parent",
        "--new-session",
        "--clearenv",
        "--cap-drop",
        "ALL",
    ]
    for path in (*library(), bare_python()[0]):
        command += ["--ro-bind", path, path]
    disk = ["--size", str(disk_bytes), "--tmpfs", "/repository", "--chdir", "/repository"]
    return [*command, "--dev", "/dev", *disk, "--remount-ro", "/", "--remount-ro", "/dev", "--"]


def namespaces() -> list[str]:
    """The command that runs what follows in namespaces of its own; it has to put up the walls itself."""
    as_user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *as_user, "--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--"]


def uid() -> int:
    """Whom the code is run as: a number of nobody where this is root, else 0 for the one who asks."""
    return FIRST_UID + next(_numbers) % 50_000 if os.geteuid() == 0 else 0


@lru_cache(maxsize=1)
def installed() -> tuple[str, ...]:
    """The means that are installed, best first; whether they hold has to be tried."""
    tools = (("bubblewrap", "bwrap"), ("unshare", "unshare"))
    return tuple(name for name, tool in tools if shutil.which(tool) is not None)
