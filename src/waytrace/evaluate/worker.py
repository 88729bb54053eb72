"""A worker process: ``python -m waytrace.evaluate.worker``.

It speaks JSON, one object a line, over standard input and output: first the :class:`~.task.Setup`, then tasks
``{"name": ..., "ids": [...]}``; it answers ``{"ready": true}`` once, and per task ``{"driven": true}`` when the
planner's part is over and ``{"name": ..., "error": null | {...}}`` at its end. Whatever a planner prints goes to
standard error, which the parent keeps as the worker's log. A process rather than ``multiprocessing``: no pickle, no
re-import of the caller's main module, and one that hangs can be ended.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import traceback
from typing import Any, TextIO

from waytrace.scenario.store import ScenarioStore

from .load import load_planner
from .task import Setup, run_task


def main() -> int:
    """Serve tasks until standard input closes."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # a planner's print() must not end up among the answers
    faulthandler.enable()
    if hasattr(signal, "SIGUSR1"):
        faulthandler.register(signal.SIGUSR1)  # how the parent asks a worker that hangs where it stands
    setup = Setup(**json.loads(sys.stdin.readline()))
    store = ScenarioStore.open(setup.store)
    load_planner(setup.planner)
    _say(answers, {"ready": True})
    for line in sys.stdin:
        task = json.loads(line)
        error = None
        try:
            run_task(setup, store, task["ids"], task["name"], driven=lambda: _say(answers, {"driven": True}))
        except Exception as problem:
            error = {"message": f"{type(problem).__name__}: {problem}", "traceback": traceback.format_exc()}
        _say(answers, {"name": task["name"], "error": error})
    return 0


def _say(answers: TextIO, record: dict[str, Any]) -> None:
    answers.write(json.dumps(record) + "\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
