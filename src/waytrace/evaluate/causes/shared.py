"""Scenes of an audit shared out to worker processes; what comes back is in the order of the scenes."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from typing import Any, Protocol

from waytrace.evaluate.load import PlannerError
from waytrace.evaluate.pool import THREAD_VARIABLES
from waytrace.scenario import Scenario

Records = list[dict[str, Any]]
SceneRecords = tuple[Records, dict[str, Any] | None]
"""Of one scene: a record a moment, and that of its closed loop, None for none."""

AHEAD = 2
"""Scenes waiting for each worker."""


class Auditor(Protocol):
    """What is sent to each process."""

    def ready(self) -> None:
        """Load what is needed, once in each process."""

    def __call__(self, scenario: Scenario, closed: bool) -> SceneRecords:
        """Audit a scene."""


def shared(
    audit: Auditor, tasks: Iterable[tuple[Scenario, bool]], workers: int
) -> Iterator[tuple[str, Records, dict[str, Any] | None]]:  # fmt: skip
    """(scene's id, its records, its closed loop) of each task, in order; ``tasks`` are drawn as they are given out.

    One worker is a process too: how many threads add up a product shows in its last digits, and here they may be many.
    With no worker (0) the work is done here. Raises what the auditor raises, and :class:`PlannerError` where a process
    ends by itself.
    """
    if workers <= 0:
        audit.ready()
        for scenario, closed in tasks:
            yield scenario.id, *audit(scenario, closed)
        return
    waiting: deque[tuple[str, Future[SceneRecords]]] = deque()
    with _processes(audit, workers) as pool:
        for scenario, closed in tasks:
            waiting.append((scenario.id, pool.submit(_audited, scenario, closed)))
            if len(waiting) >= AHEAD * workers:
                yield _next(waiting, workers)
        while waiting:
            yield _next(waiting, workers)


def _next(
    waiting: deque[tuple[str, Future[SceneRecords]]], workers: int
) -> tuple[str, Records, dict[str, Any] | None]:  # fmt: skip
    scene, answer = waiting.popleft()
    try:
        return scene, *answer.result()
    except BrokenProcessPool as error:
        at, hint = (scene, "") if workers == 1 else (f"or shortly after {scene}", " --workers 1 shows where.")
        raise PlannerError(
            f"A worker process ended by itself at {at}: the planner crashed it, or memory ran out.{hint}"
        ) from error


@contextmanager
def _processes(audit: Auditor, workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes of one thread each; ended at once where the work is broken off."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))  # read by libraries when a new process imports them
    others = set(active_children())
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _start, (audit,))
    try:
        yield pool
    except BaseException:
        for process in set(active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


_auditor: Auditor
"""Of a worker process."""


def _start(audit: Auditor) -> None:
    global _auditor
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    os.dup2(2, 1)  # nor does what a planner prints belong among the parent's answers
    audit.ready()
    _auditor = audit


def _audited(scenario: Scenario, closed: bool) -> SceneRecords:
    return _auditor(scenario, closed)
