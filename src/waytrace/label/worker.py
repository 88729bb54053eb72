"""A worker process: ``python -m waytrace.label.worker``.

It speaks JSON, one object a line, over standard input and output: first the :class:`~.task.Setup`, then tasks
``{"name": ..., "ids": [...]}``, each answered by ``{"entry": ...}`` or ``{"error": ...}``.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any

from waytrace.scenario import WaytraceError
from waytrace.scenario.store import ScenarioStore

from .task import Setup, run_task


def main() -> int:
    """Serve tasks until standard input closes."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    setup = Setup(**json.loads(sys.stdin.readline()))
    store = ScenarioStore.open(setup.store)
    for line in sys.stdin:
        task = json.loads(line)
        answer: dict[str, Any]
        try:
            answer = {"entry": run_task(setup, store, task["ids"], task["name"])}
        except WaytraceError as problem:
            answer = {"error": str(problem), "expected": True}
        except Exception as problem:
            answer = {"error": f"{type(problem).__name__}: {problem}\n{traceback.format_exc()}", "expected": False}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
