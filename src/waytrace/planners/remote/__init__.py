"""Planners that live behind an HTTP address: JSON observation in, plan out. See ``docs/bring-your-own.md``."""

from .answer import PLAN_SCHEMA, PLANNER_SCHEMA, Described, Planned, read_described, read_planned
from .exchange import ANSWER_S, MOST_BYTES, RemoteError, exchange
from .message import OBSERVATION_SCHEMA, observation_message
from .planner import HttpPlanner, is_address

__all__ = [
    "ANSWER_S",
    "MOST_BYTES",
    "OBSERVATION_SCHEMA",
    "PLANNER_SCHEMA",
    "PLAN_SCHEMA",
    "Described",
    "HttpPlanner",
    "Planned",
    "RemoteError",
    "exchange",
    "is_address",
    "observation_message",
    "read_described",
    "read_planned",
]
