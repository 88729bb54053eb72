"""Batches depend on seed and step alone, hold every sample once an epoch, and are alike in length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waytrace.learn.config import ConfigError
from waytrace.learn.sampler import Sampler, share


def _sampler(count: int = 1000, batch: int = 8, seed: int = 0) -> Sampler:
    return Sampler(np.random.default_rng(7).integers(20, 90, count), batch, seed)


@given(st.integers(1, 40), st.integers(1, 300), st.integers(0, 2**40))
def test_an_epoch_holds_every_sample_at_most_once_and_leaves_less_than_a_batch(b: int, more: int, seed: int) -> None:
    sampler = _sampler(b + more, b, seed)
    seen = np.concatenate([sampler.at(k) for k in range(sampler.batches)])
    assert len(np.unique(seen)) == len(seen) > len(sampler.lengths) - b


def test_a_step_gives_the_same_batch_whatever_was_asked_for_before() -> None:
    forward = _sampler()
    steps = list(range(3 * forward.batches))
    expected = {k: forward.at(k) for k in steps}
    backward = _sampler()
    assert all(np.array_equal(backward.at(k), expected[k]) for k in reversed(steps))


def test_epochs_and_seeds_differ() -> None:
    one, other = _sampler(), _sampler(seed=1)
    assert not np.array_equal(one.at(0), one.at(one.batches))
    assert not np.array_equal(one.at(0), other.at(0))


def test_lengths_within_a_batch_are_closer_than_by_chance() -> None:
    sampler = _sampler(10_000, 16)
    within = np.mean([np.ptp(sampler.lengths[sampler.at(k)]) for k in range(sampler.batches)])
    chance = np.mean([np.ptp(sampler.lengths[k : k + 16]) for k in range(0, 9_984, 16)])
    assert within < 0.3 * chance


def test_shares_of_processes_are_disjoint_and_make_up_the_batch() -> None:
    batch = _sampler().at(3)
    parts = [share(batch, rank, 4) for rank in range(4)]
    assert sorted(np.concatenate(parts)) == sorted(batch)
    with pytest.raises(ConfigError, match=r"batch of 8 .* 3 processes"):
        share(batch, 0, 3)


def test_fewer_samples_than_a_batch_are_refused() -> None:
    with pytest.raises(ConfigError, match="There are 5 samples, fewer than a batch of 8"):
        _sampler(5)
