"""The oracle: the best drive that a search in forked worlds finds. It says what a scenario can give.

Privileged: whoever forks the world knows what the traffic will do.
"""

from .planner import Oracle
from .reference import oracle_reference
from .result import OracleResult

__all__ = ["Oracle", "OracleResult", "oracle_reference"]
