"""Disks that take nothing, and folders that are not there: what the real command says, and what is left.

A full and a read-only disk are real ones, small file systems in memory, where mounting is allowed (root on Linux).
Elsewhere a full disk is a limit on the size of a file (the kernel refuses the write), and no disk is read-only.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from torture_children import start
from torture_runs import BEFORE, ONE_SAVE, Outcome, Reference, Subject, one_line

FILLED = (0.0, 0.3, 0.6, 0.9)
"""Room on a full disk, as shares of what a save takes."""


class Case(NamedTuple):
    """One thing that was wrong."""

    name: str
    code: int
    line: str
    """The last line on standard error."""
    told: bool
    """Exit code 2, and one line that names what it is about."""
    survived: bool
    """The checkpoint of before was there, whole; and where the cause could be taken away, the command went on."""


def cases(subject: Subject, reference: Reference) -> list[Case]:
    """All of them."""
    return [*_disks(subject, reference), *_folders(subject, reference)]


def _disks(subject: Subject, reference: Reference) -> Iterator[Case]:
    ready = subject.ready()
    one = sum(p.stat().st_blocks * 512 for p in (ready / "checkpoints" / "step_0000003").rglob("*"))
    used = sum(p.stat().st_blocks * 512 for p in ready.rglob("*"))
    disk = subject.work / "disk"
    for share in FILLED:
        size = used + int(share * one)
        name = f"disk full, room for {share:.0%} of a save"
        with _small_disk(disk) as resize:
            shutil.copytree(ready, disk, dirs_exist_ok=True)
            if resize is None:
                yield _case(subject, reference, disk, name, limit=int(share * 50_000))
                continue
            resize(f"size={size}")
            more = lambda resize=resize, size=size: resize(f"size={4 * size}")  # noqa: E731
            yield _case(subject, reference, disk, name, then=more, alone=share == FILLED[-1])
    with _small_disk(disk) as resize:
        if resize is not None:
            shutil.copytree(ready, disk, dirs_exist_ok=True)
            resize("ro")
            yield _case(subject, reference, disk, "disk read-only", then=lambda: resize("rw"), alone=True)
            resize("ro")
            yield _case(subject, reference, disk / "new", "disk read-only, a new run", steps=0)


def _folders(subject: Subject, reference: Reference) -> Iterator[Case]:
    def copied(name: str) -> Path:
        return Path(shutil.copytree(subject.ready(), subject.work / name.replace(" ", "-").replace("`", "")))

    (subject.work / "file").write_text("a file")
    for name, out in (("the run's place is a file", "file"), ("the run's place lies in a file", "file/run")):
        yield _case(subject, reference, subject.work / out, name, steps=0)
    name = "the samples' folder is not there"
    yield _case(subject.changed("samples", "nowhere"), reference, copied(name), name)
    name = "the checkpoint to begin from is not there"
    yield _case(subject.changed("--init", "nowhere/step_0000001"), reference, copied(name), name)
    run = copied(name := "the newest checkpoint is gone")
    aside = (run / "checkpoints" / "step_0000003").rename(run / "aside")
    back = run / "checkpoints" / "step_0000003"
    yield _case(subject, reference, run, name, then=lambda: aside.rename(back), steps=None)
    for name, file in (("a bit of the trainer's state flipped", "checkpoints/step_0000003/trainer.safetensors"),
                       ("`latest` is empty", "checkpoints/latest"), ("run.json is cut", "run.json"),
                       ("a line of metrics is damaged", "metrics.jsonl")):  # fmt: skip
        run = copied(name)
        whole = (run / file).read_bytes()
        bad = {"latest": b"", "run.json": whole[:100], "metrics.jsonl": b"{" + whole[2:]}
        (run / file).write_bytes(bad.get(Path(file).name, whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]))
        mend = lambda run=run, file=file, whole=whole: (run / file).write_bytes(whole)  # noqa: E731
        yield _case(subject, reference, run, name, then=mend, steps=None)


def _case(
    subject: Subject, reference: Reference, run: Path, name: str, *, then: Callable[[], object] | None = None,
    limit: int | None = None, steps: int | None = BEFORE, alone: bool = False,
) -> Case:  # fmt: skip
    """The command on a run, and what it left; ``steps`` is where the run stood, None where it is damaged as it is.

    ``then`` takes the cause away, after which the same command has to go on.
    """
    code, said = _run(subject, run, limit, alone=alone)
    found = Outcome()
    if steps:
        found.look(run, reference, steps, name)
    survived = not steps or bool(found.exact and not found.older)
    if then or limit is not None:
        if then:
            then()
        again, _ = _run(subject, run)
        later = Outcome()
        survived &= again == 0 and later.look(run, reference, BEFORE + 1, name) == BEFORE + 1 and later.exact == 1
    line = said.rstrip("\n").rpartition("\n")[2]
    told = code == 2 and one_line(said) and bool(re.search(r"[\w.-]*/[\w./-]+|nowhere", line))
    return Case(name, code, line, told, survived)


def _run(subject: Subject, run: Path, limit: int | None = None, *, alone: bool = False) -> tuple[int, str]:
    """The command on a run: exit code, and what it printed. ``alone`` in a process of its own, not in a child."""
    if alone:
        command = [sys.executable, "-m", "waytrace", *subject.command(run, ONE_SAVE)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr
    child = start(subject.command(run, ONE_SAVE), subject.work / "case.said", limit=limit)
    return child.wait(), child.printed.read_text()


@contextlib.contextmanager
def _small_disk(place: Path) -> Iterator[Callable[[str], object] | None]:
    """A file system in memory at ``place``; what changes its options, or None where mounting is not allowed."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "waytrace-torture", str(place)]
    allowed = bool(shutil.which("mount")) and not subprocess.run(command, capture_output=True, check=False).returncode
    try:
        yield (lambda o: subprocess.run(["mount", "-o", f"remount,{o}", str(place)], check=True)) if allowed else None
    finally:
        if allowed:
            subprocess.run(["umount", str(place)], check=True)
        shutil.rmtree(place)
