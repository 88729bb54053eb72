"""Counter-based random numbers."""

from __future__ import annotations

import itertools

import numpy as np

from waytrace.sim.noise import agent_key, mix, uniform

KEYS = [agent_key(f"agent-{i}") for i in range(50)]


def draw(seed: int, key: int, step: int, purpose: int) -> float:
    return float(uniform(np.uint64(seed), np.uint64(key), step, purpose))


def test_numbers_are_uniform():
    numbers = np.array([draw(0, key, step, 0) for key in KEYS for step in range(400)])
    assert numbers.min() >= 0.0
    assert numbers.max() < 1.0
    counts = np.histogram(numbers, bins=20, range=(0.0, 1.0))[0]
    expected = len(numbers) / 20
    assert ((counts - expected) ** 2 / expected).sum() < 43.8, "chi-squared, 19 degrees of freedom, p = 0.001"


def test_neighbours_in_step_agent_seed_and_purpose_are_independent():
    base = np.array([draw(5, key, step, 1) for key in KEYS for step in range(200)])
    others = {
        "step": np.array([draw(5, key, step + 1, 1) for key in KEYS for step in range(200)]),
        "seed": np.array([draw(6, key, step, 1) for key in KEYS for step in range(200)]),
        "purpose": np.array([draw(5, key, step, 2) for key in KEYS for step in range(200)]),
        "agent": np.array([draw(5, key + 1, step, 1) for key in KEYS for step in range(200)]),
    }
    for name, other in others.items():
        assert abs(np.corrcoef(base, other)[0, 1]) < 0.04, name


def test_a_number_depends_on_its_counter_and_not_on_what_was_drawn_before():
    counters = list(itertools.product(range(2), KEYS[:5], range(4), range(3)))
    forward = {counter: draw(*counter) for counter in counters}
    backward = {counter: draw(*counter) for counter in reversed(counters)}
    assert forward == backward
    assert len(set(forward.values())) == len(counters)


def test_the_numbers_are_these_on_every_machine():
    assert int(mix(np.uint64(0))) == 0xE220A8397B1DCDAF, "splitmix64's first output for seed 0"
    assert agent_key("ego") == 0x1F645A3E878F601
    assert agent_key("1") != agent_key("01")
