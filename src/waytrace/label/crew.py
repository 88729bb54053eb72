"""A crew of worker processes that make shards: both ends of the pipe.

They speak JSON, one object a line, over standard input and output: first the setup, then tasks ``{"name": ...,
"ids": [...]}``, each answered by ``{"entry": ...}`` or ``{"error": ...}``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from waytrace.scenario import WaytraceError

from .drive import LabelError

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

Run = Callable[[str, list[str]], dict[str, Any]]
"""Does a task (name, ids) and gives its shard's entry for the manifest."""


def work(
    module: str, setup: dict[str, Any], tasks: Mapping[str, list[str]], run: Run, logs: Path, workers: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, entry) of each task in the order they end: by ``workers`` processes that run ``module``, or here by
    ``run`` where one is enough. Raises :class:`LabelError` where a worker fails.
    """
    if workers <= 1 or len(tasks) <= 1:
        for name, ids in tasks.items():
            yield name, run(name, ids)
        return
    crew = [_Worker(module, setup, logs / f"worker-{k}.log") for k in range(min(workers, len(tasks)))]
    waiting = list(tasks.items())[::-1]
    try:
        with ThreadPoolExecutor(len(crew)) as pool:
            busy: dict[Future[dict[str, Any]], tuple[_Worker, str]] = {}
            for worker in crew:
                name, ids = waiting.pop()
                busy[pool.submit(worker.ask, name, ids)] = worker, name
            while busy:
                ended, _ = wait(busy, return_when=FIRST_COMPLETED)
                for future in ended:
                    worker, name = busy.pop(future)
                    yield name, future.result()
                    if waiting:
                        following, ids = waiting.pop()
                        busy[pool.submit(worker.ask, following, ids)] = worker, following
    finally:
        for worker in crew:
            worker.end()


class _Worker:
    """One worker process; :meth:`ask` blocks until it has answered."""

    def __init__(self, module: str, setup: dict[str, Any], log: Path) -> None:
        self.log = log
        environment = os.environ | dict.fromkeys(THREAD_VARIABLES, "1")
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=file, env=environment, text=True, start_new_session=True,
            )  # fmt: skip
        self._send(setup)

    def _send(self, record: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(record) + "\n")
        self.process.stdin.flush()

    def ask(self, name: str, ids: list[str]) -> dict[str, Any]:
        """The manifest entry of a task. Raises :class:`LabelError` where the worker fails."""
        assert self.process.stdout is not None
        try:
            self._send({"name": name, "ids": ids})
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            tail = self.log.read_text(errors="replace")[-2000:]
            raise LabelError(f"A worker died over shard {name}. Its last words ({self.log}):\n{tail}")
        answer = json.loads(line)
        if "error" in answer:
            if answer["expected"]:
                raise LabelError(answer["error"])
            raise RuntimeError(answer["error"])
        entry: dict[str, Any] = answer["entry"]
        return entry

    def end(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


def serve(begin: Callable[[dict[str, Any]], Run]) -> int:
    """A worker's main: do tasks until standard input closes. ``begin`` makes of the setup what does them."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    run = begin(json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        task = json.loads(line)
        answer: dict[str, Any]
        try:
            answer = {"entry": run(task["name"], task["ids"])}
        except WaytraceError as problem:
            answer = {"error": str(problem), "expected": True}
        except Exception as problem:
            answer = {"error": f"{type(problem).__name__}: {problem}\n{traceback.format_exc()}", "expected": False}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    return 0
