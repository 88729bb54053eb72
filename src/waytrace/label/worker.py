"""A worker process: ``python -m waytrace.label.worker``."""

from __future__ import annotations

import sys
from typing import Any

from waytrace.scenario.store import ScenarioStore

from .crew import Run, serve
from .task import Setup, run_task


def begin(record: dict[str, Any]) -> Run:
    """What labels the scenarios of a store."""
    setup = Setup(**record)
    store = ScenarioStore.open(setup.store)
    return lambda name, ids: run_task(setup, store, ids, name)


if __name__ == "__main__":
    sys.exit(serve(begin))
