"""The micro GPT in NumPy and Numba, without PyTorch: its atoms, the stepwise session, and the planner that drives."""

from .config import MODES, QUERIES, SIZES, GPTConfig
from .decode import Compiled
from .forward import Reference
from .parameters import count, initial, shapes
from .planner import Learned
from .prefix import Model, Prefix, StaleSceneError
from .sampling import GREEDY, Rule
from .session import Session, Snapshot, Written

__all__ = [
    "GREEDY",
    "MODES",
    "QUERIES",
    "SIZES",
    "Compiled",
    "GPTConfig",
    "Learned",
    "Model",
    "Prefix",
    "Reference",
    "Rule",
    "Session",
    "Snapshot",
    "StaleSceneError",
    "Written",
    "count",
    "initial",
    "shapes",
]
