from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from waytrace.catalogue.programmes import two_streets
from waytrace.scenario import LightState

GREEN, YELLOW, RED = LightState.GREEN, LightState.YELLOW, LightState.RED


@given(
    begin=st.floats(-30, 30),
    green=st.floats(5, 40),
    other=st.floats(5, 40),
    yellow=st.floats(3, 5),
    clearance=st.floats(0.5, 2),
)
def test_streets_are_never_open_together_and_yellow_follows_green(begin, green, other, yellow, clearance):
    programme = two_streets(begin, green, other, yellow, clearance, [[0], [1]], 20.0)
    at = np.arange(-1.0, 20.05, 0.1)
    shown = np.stack([programme.state(0, at), programme.state(1, at)])
    assert not ((shown != RED).all(axis=0)).any()
    for street in shown:
        for before, after in itertools.pairwise(street):
            assert before == after or (before, after) in {(GREEN, YELLOW), (YELLOW, RED), (RED, GREEN)}


def test_street_0_turns_green_when_asked():
    programme = two_streets(4.0, 15.0, 12.0, 3.0, 1.0, [[0], [1]], 20.0)
    assert programme.state(0, np.array([3.9, 4.0, 18.9, 19.0, 21.9, 22.0])).tolist() == [
        RED, GREEN, GREEN, YELLOW, YELLOW, RED,
    ]  # fmt: skip
