"""The micro GPT in NumPy: what it reads, its shape, and how it is run. No torch."""

from .config import MODES, QUERIES, SIZES, GPTConfig
from .tokens import FEATURES, PLACES, TOKENS, SceneTokens, empty_tokens, feature_hash, scene_tokens, stack_tokens

__all__ = [
    "FEATURES",
    "MODES",
    "PLACES",
    "QUERIES",
    "SIZES",
    "TOKENS",
    "GPTConfig",
    "SceneTokens",
    "empty_tokens",
    "feature_hash",
    "scene_tokens",
    "stack_tokens",
]
