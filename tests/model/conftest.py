"""Small models with random weights none of which is zero, and random samples."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from waytrace.microgpt import GPTConfig
from waytrace.microgpt.parameters import drawn
from waytrace.model import Waytrace
from waytrace.model.drawn import Samples, samples
from waytrace.trace import Present
from waytrace.trace.slots import ROW_COUNT


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def nano() -> Waytrace:
    model = Waytrace(GPTConfig(2))
    model.set(drawn(GPTConfig(2), 7))
    return model


@cache
def _batch(count: int, seed: int) -> Samples:
    return samples(count, seed, most=2)


@pytest.fixture
def batch() -> Samples:
    """Six samples; some have a runner-up, some none."""
    made = _batch(6, 1)
    assert 0 < made.present[:, 1].sum() < 6
    return Samples(*(part if name == "tokens" else part.copy() for name, part in made._asdict().items()))


def present(batch: Samples, b: int) -> Present:
    """The reference table of which the sample's tokens are."""
    row = batch.tokens.row[b]
    index = np.full(ROW_COUNT, -1, np.int32)
    index[row[row >= 0]] = row[row >= 0]
    return Present(index, ("vehicle",) * 31)
