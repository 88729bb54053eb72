"""Scene tokens: one moment, as the model reads it.

Everything a token holds comes from the observation (arrays and typed scene): the history up to now, the map, the frozen
route, the lights now. Who is hidden is in none of them. All of it is in the ego's frame or in path coordinates, so a
scene that lies elsewhere on the earth gives the same tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Observation
from waytrace.scenario.roads import RoadCache

from .columns import FEATURES, PLACES, TOKENS, feature_hash

F4 = NDArray[np.float32]

__all__ = ["FEATURES", "PLACES", "TOKENS", "SceneTokens", "empty_tokens", "feature_hash", "scene_tokens", "stack_tokens"]


class SceneTokens(NamedTuple):
    """The tokens of B moments. Padding is 0 and false in ``valid``; columns: ``docs/samples.md``."""

    ego: F4
    """[B, 1, F]."""
    path: F4
    """[B, 3, F] the own lane's, its left and its right neighbour's."""
    agent: F4
    """[B, 31, F] nearest first."""
    map: F4
    """[B, 40, F] pieces of lanes."""
    light: F4
    """[B, 8, F]."""
    crosswalk: F4
    """[B, 8, F]."""
    stop_line: F4
    """[B, 8, F]."""
    valid: NDArray[np.bool_]
    """[B, 99] over all kinds, in this order."""
    row: NDArray[np.int16]
    """[B, 99] row of the observation's reference table that a token stands for; -1 for ego, paths and padding."""


def empty_tokens(count: int) -> SceneTokens:
    """Tokens of ``count`` moments, all padding."""
    parts = [np.zeros((count, PLACES[kind], FEATURES[kind]), np.float32) for kind in PLACES]
    return SceneTokens(*parts, np.zeros((count, TOKENS), np.bool_), np.full((count, TOKENS), -1, np.int16))


def stack_tokens(parts: Sequence[SceneTokens]) -> SceneTokens:
    """The tokens of several batches as one batch, in their order."""
    return SceneTokens(*(np.concatenate(columns) for columns in zip(*parts, strict=True))) if parts else empty_tokens(0)


def scene_tokens(
    observation: Observation, before: NDArray[np.int8], roads: RoadCache | None = None
) -> SceneTokens:
    """The tokens of every row of an observation.

    ``before`` [B, 2] is the last decision of each row (longitudinal, lateral) as numbers in ``sets.LONGITUDINAL`` and
    ``sets.LATERAL``; -1 for none. ``roads`` keeps what is worked out once per map; give the same one every time.
    """
    raise NotImplementedError
