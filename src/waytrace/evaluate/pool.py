"""A pool of worker processes that outlives a planner that crashes or hangs."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waytrace.scenario import WaytraceError

from .task import Setup

START_TIMEOUT_S = 600.0
"""Time for a worker to import and, on a fresh machine, to compile the kernels."""

DUMP_S = 0.3
"""Time for a worker that hangs to write its traceback before it is ended."""

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Task:
    """Scenarios to drive together, and the name of the folder their results go to."""

    name: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """A task that has come to an end. ``message`` is empty if its folder was written."""

    task: Task
    message: str = ""
    detail: str = ""
    """Traceback or the tail of the worker's log."""


class _Worker:
    """One worker process, its task, and the moment by which it must have answered."""

    def __init__(self, setup: Setup, log: Path) -> None:
        environment = os.environ | dict.fromkeys(THREAD_VARIABLES, "1")
        self.log = log
        with log.open("ab") as file:
            # A session of its own: Ctrl-C reaches the parent, which ends its workers in order.
            self.process = subprocess.Popen(
                [sys.executable, "-m", "waytrace.evaluate.worker"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file, env=environment, start_new_session=True,
            )  # fmt: skip
        self.task: Task | None = None
        self.ready = False
        self.deadline = time.monotonic() + START_TIMEOUT_S
        self._buffer = b""
        self.send(setup.to_json())

    def send(self, record: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has died; the pool sees its output close
            self.process.stdin.write(json.dumps(record).encode() + b"\n")
            self.process.stdin.flush()

    def read(self) -> list[dict[str, Any]] | None:
        """Answers that have arrived; ``None`` when the process has ended."""
        assert self.process.stdout is not None
        data = os.read(self.process.stdout.fileno(), 65536)
        if not data:
            return None
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [json.loads(line) for line in lines if line]

    def dump(self) -> None:
        """Have a worker that hangs write to its log where it stands."""
        if hasattr(signal, "SIGUSR1") and self.ready:
            self.process.send_signal(signal.SIGUSR1)
            time.sleep(DUMP_S)

    def end(self) -> None:
        self.process.kill()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # unsent bytes for a process that is gone
                    stream.close()
        self.process.wait()

    def tail(self, characters: int = 4000) -> str:
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""


def run_tasks(setup: Setup, tasks: list[Task], *, workers: int, timeout_s: float, logs: Path) -> Iterator[Outcome]:
    """Outcomes of ``tasks`` in the order they end. A task that fails is taken apart: each of its scenarios is tried
    alone, so that one bad scenario costs no other its result.

    ``timeout_s`` is the time one scenario may take; a worker past it is ended and replaced. Raises
    :class:`WaytraceError` where no worker can start at all.
    """
    logs.mkdir(parents=True, exist_ok=True)
    waiting = deque(tasks)
    started = 0
    pool: list[_Worker] = []
    selector = selectors.DefaultSelector()

    def start() -> None:
        nonlocal started
        worker = _Worker(setup, logs / f"worker-{started}.log")
        started += 1
        pool.append(worker)
        assert worker.process.stdout is not None
        selector.register(worker.process.stdout, selectors.EVENT_READ, worker)

    def drop(worker: _Worker) -> None:
        assert worker.process.stdout is not None
        selector.unregister(worker.process.stdout)
        pool.remove(worker)
        worker.end()

    def settle(worker: _Worker, message: str, detail: str) -> Outcome | None:
        """The outcome of a worker's task, or none yet where its scenarios are still to be tried alone."""
        task, worker.task = worker.task, None
        assert task is not None
        if message and len(task.ids) > 1:
            waiting.extend(Task(f"{task.name}-{k}", (one,)) for k, one in enumerate(task.ids))
            return None
        return Outcome(task, message, detail)

    try:
        while waiting or any(w.task for w in pool):
            while len(pool) < min(workers, len(waiting) + sum(w.task is not None for w in pool)):
                start()
            for worker in pool:
                if worker.ready and worker.task is None and waiting:
                    worker.task = waiting.popleft()
                    worker.deadline = time.monotonic() + timeout_s * len(worker.task.ids)
                    worker.send({"name": worker.task.name, "ids": worker.task.ids})
            for key, _ in selector.select(timeout=0.5):
                worker = key.data
                answers = worker.read()
                if answers is None:
                    if not worker.ready:
                        raise WaytraceError(f"A worker could not start. Its last words:\n{worker.tail()}")
                    drop(worker)
                    if worker.task is not None:
                        status = worker.process.returncode
                        ended = settle(worker, f"the planner's process died (status {status})", worker.tail())
                        if ended:
                            yield ended
                    continue
                for answer in answers:
                    if "ready" in answer:
                        worker.ready, worker.deadline = True, float("inf")
                        continue
                    if "driven" in answer:  # the planner's time is over; oracle and score have theirs
                        worker.deadline = time.monotonic() + START_TIMEOUT_S
                        continue
                    error = answer["error"] or {"message": "", "traceback": ""}
                    worker.deadline = float("inf")
                    ended = settle(worker, error["message"], error["traceback"])
                    if ended:
                        yield ended
            for worker in [w for w in pool if time.monotonic() > w.deadline]:
                worker.dump()
                drop(worker)
                if not worker.ready:
                    raise WaytraceError(f"A worker did not start in {START_TIMEOUT_S:.0f} s; see {worker.log}.")
                ended = settle(worker, f"took longer than {timeout_s:g} s", worker.tail())
                if ended:
                    yield ended
    finally:
        selector.close()
        for worker in pool:
            worker.end()
