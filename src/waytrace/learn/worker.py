"""A worker process: ``python -m waytrace.learn.worker``."""

from __future__ import annotations

import sys
from typing import Any

from waytrace.label.crew import Run, serve

from .collect import Setup, runner


def begin(record: dict[str, Any]) -> Run:
    """What makes the shards of a collection."""
    return runner(Setup(**record))


if __name__ == "__main__":
    sys.exit(serve(begin))
