"""The micro GPT in NumPy and Numba, without PyTorch: what it reads, its atoms, the session, the learned planner."""

from .backward import gradients
from .config import MODES, QUERIES, SIZES, GPTConfig
from .decode import Compiled
from .loss import Example, forward_pass
from .parameters import count, initial, shapes
from .planner import Learned
from .prefix import Model, Prefix, StaleSceneError
from .reference import Reference
from .sampling import GREEDY, Rule
from .session import Session, Snapshot, Written
from .tokens import FEATURES, PLACES, TOKENS, SceneTokens, empty_tokens, feature_hash, scene_tokens, stack_tokens
from .update import Adam

__all__ = [
    "FEATURES",
    "GREEDY",
    "MODES",
    "PLACES",
    "QUERIES",
    "SIZES",
    "TOKENS",
    "Adam",
    "Compiled",
    "Example",
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
    "forward_pass",
    "gradients",
    "initial",
    "scene_tokens",
    "shapes",
    "stack_tokens",
]
