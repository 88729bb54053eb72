"""The micro GPT in NumPy and Numba, without PyTorch: what it reads, its atoms, the session, the learned planner."""

from .config import MODES, QUERIES, SIZES, GPTConfig
from .decode import Compiled
from .forward import Reference
from .parameters import count, initial, shapes
from .planner import Learned
from .prefix import Model, Prefix, StaleSceneError
from .sampling import GREEDY, Rule
from .session import Session, Snapshot, Written
from .tokens import FEATURES, PLACES, TOKENS, SceneTokens, empty_tokens, feature_hash, scene_tokens, stack_tokens

__all__ = [
    "FEATURES",
    "GREEDY",
    "MODES",
    "PLACES",
    "QUERIES",
    "SIZES",
    "TOKENS",
    "Compiled",
    "GPTConfig",
    "Learned",
    "Model",
    "Prefix",
    "Reference",
    "Rule",
    "SceneTokens",
    "Session",
    "Snapshot",
    "StaleSceneError",
    "Written",
    "count",
    "empty_tokens",
    "feature_hash",
    "initial",
    "scene_tokens",
    "shapes",
    "stack_tokens",
]
