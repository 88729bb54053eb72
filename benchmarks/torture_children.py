"""Trainings in forked children, which can be killed, made to fail at a write, and asked how far they had come.

The parent has imported everything and computed nothing, so a child is a real training after a few milliseconds. It says
through a pipe when a save begins and when ``latest`` names what was saved; what it prints goes to a file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
import tyro

from waytrace.cli import main
from waytrace.cli.commands import train_sft
from waytrace.learn import sft
from waytrace.learn.reproducible import reproducible
from waytrace.learn.run_folder import LATEST, RunFolder
from waytrace.report import training

CALLS = {"open": ("open",), "mkdir": ("mkdir",), "write": ("write",), "fsync": ("fsync",),
         "rename": ("rename", "replace")}  # fmt: skip
"""What a disk can refuse, and the functions of :mod:`os` that ask it."""
REASON = {"fsync": errno.EIO, "rename": errno.EIO}
ONCE, ON, HALF = "once", "from then on", "after half of it"
"""Manners of failing: one call; it and all that follow; a write that takes half and none after it."""

LOADED = (training,)
"""What a command imports late, besides what :func:`warm` does."""

_write = os.write


class Said(NamedTuple):
    """What a child reports: ``begin`` or ``saved``, the step, the clock (CLOCK_MONOTONIC, s)."""

    what: str
    step: int
    at_s: float
    more: str


@dataclass(frozen=True)
class Fault:
    """The ``number``-th call of a kind fails (from 1; 0 for none, to count)."""

    call: str
    number: int
    manner: str = ONCE


@dataclass
class Child:
    """A child that trains."""

    pid: int
    pipe: int
    printed: Path
    said: list[Said] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    code: int | None = None
    """Exit code, negative for a signal; None while it lives."""
    _rest: bytes = b""

    def hear(self, seconds: float) -> bool:
        """Wait so long for a report; whether the child still has its end of the pipe."""
        if not select.select([self.pipe], [], [], max(seconds, 0.0))[0]:
            return True
        data = os.read(self.pipe, 1 << 16)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            what, number, at_s, more = line.decode().split(" ")
            if what in ("begin", "saved"):
                self.said.append(Said(what, int(number), float(at_s), more))
            else:
                self.counts[what] = int(number)
        return bool(data)

    def kill(self) -> None:
        """SIGKILL, and what was still in the pipe."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """Until it has ended; the exit code."""
        while self.hear(60.0):
            pass
        os.close(self.pipe)
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    @property
    def saved(self) -> int:
        """The last step whose save was complete, 0 for none."""
        return max((s.step for s in self.said if s.what == "saved"), default=0)

    @property
    def saving(self) -> bool:
        """Whether a save was begun and not complete."""
        return bool(self.said) and self.said[-1].what == "begin"


def warm() -> None:
    """Import what a command imports late, so that no child has to: it would cost more than all else a child does.

    From here on PyTorch keeps to one thread in this process too: a child has no other thread of its parent's.
    """
    torch.set_num_threads(1)
    tyro.cli(train_sft.Options, args=["samples", "--out", "run"])
    with reproducible(1):
        pass
    if threading.active_count() > 1:
        raise RuntimeError("more than one thread: a forked child could hang")


def start(
    arguments: Sequence[str], printed: Path, *, fault: Fault | None = None,
    about: Callable[[Path], str] | None = None, limit: int | None = None,
) -> Child:  # fmt: skip
    """Fork a child that runs ``waytrace`` with these arguments.

    ``about`` says more of a checkpoint that was saved; ``limit`` is how many bytes the kernel lets a file have.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Child(pid, reading, printed)
    code = 70
    try:
        os.close(reading)
        sys.stdout = sys.stderr = printed.open("w", buffering=1)
        _report(writing, about)
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        hook = _Faults(fault) if fault else None
        code = main(arguments)
        if hook:
            for call, count in hook.counts.items():
                _tell(writing, call, count)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _tell(pipe: int, what: str, number: int, more: str = "-") -> None:
    _write(pipe, f"{what} {number} {time.monotonic():.6f} {more}\n".encode())


def _report(pipe: int, about: Callable[[Path], str] | None) -> None:
    """Let this process say when it saves."""
    save, point = sft.save, RunFolder.point

    def saves(*given: Any) -> Path:
        _tell(pipe, "begin", given[4].step)
        return save(*given)

    def points(self: RunFolder, name: str, checkpoint: Path) -> None:
        point(self, name, checkpoint)
        if name == LATEST:
            _tell(pipe, "saved", int(checkpoint.name[5:]), about(checkpoint) if about else "-")

    sft.save = saves
    RunFolder.point = points  # type: ignore[method-assign]


class _Faults:
    """This process's calls that change the disk, counted, and one of them failing."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.counts = dict.fromkeys(CALLS, 0)
        for call, names in CALLS.items():
            for name in names:
                setattr(os, name, self._hooked(call, getattr(os, name)))

    def _hooked(self, call: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def hooked(*given: Any, **more: Any) -> Any:
            if call == "open" and not given[1] & os.O_CREAT:
                return real(*given, **more)
            self.counts[call] += 1
            past = self.counts[call] - self.fault.number
            if call != self.fault.call or self.fault.number == 0 or past < 0:
                return real(*given, **more)
            if self.fault.manner == HALF and past == 0:
                return real(given[0], memoryview(given[1])[: (len(given[1]) + 1) // 2])
            if self.fault.manner == ONCE and past:
                return real(*given, **more)
            reason = REASON.get(call, errno.ENOSPC)
            raise OSError(reason, os.strerror(reason), None if call in ("write", "fsync") else os.fspath(given[0]))

        return hooked
