"""A few moments of the catalogue (train seeds), their scene tokens, and small models with random weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.microgpt import Compiled, GPTConfig, Model, Reference
from waytrace.microgpt.parameters import drawn
from waytrace.microgpt.tokens import SceneTokens, scene_tokens
from waytrace.observe import Observation
from waytrace.sim import World
from waytrace.trace import Present

FAMILIES = ("unprotected-left", "work-zone", "red-light")


@dataclass(frozen=True)
class Moments:
    """A batch of moments in every form that a test needs."""

    observation: Observation
    tokens: SceneTokens

    def present(self, b: int = 0) -> Present:
        return Present.of(self.observation, b)


@cache
def _moments() -> Moments:
    observation = World([generate(family, seed=3) for family in FAMILIES]).observe()
    before = np.full((len(FAMILIES), 2), -1, np.int8)
    return Moments(observation, scene_tokens(observation, before))


@pytest.fixture
def moments() -> Moments:
    return _moments()


@cache
def _parameters(depth: int, seed: int) -> dict[str, np.ndarray]:
    return drawn(GPTConfig(depth), seed)


@pytest.fixture(params=[Reference, Compiled], ids=["plain", "compiled"])
def nano(request: pytest.FixtureRequest) -> Model:
    """Two layers of random weights, none of them zero, in both forms."""
    model: Model = request.param(_parameters(2, 7), GPTConfig(2))
    return model
