import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from waytrace.report import codec

INTEGERS = st.lists(st.one_of(st.integers(-(2**61), 2**61), st.just(0), st.integers(-2, 2)), max_size=60)


@given(INTEGERS)
def test_pack_round_trip(values: list[int]) -> None:
    assert codec.unpack(codec.pack(values)).tolist() == values


@given(st.lists(st.integers(0, 9), max_size=12))
def test_runs_of_zeros_round_trip(lengths: list[int]) -> None:
    values = [v for n in lengths for v in [0] * n + [7]]
    assert codec.unpack(codec.pack(values)).tolist() == values
    assert codec.unpack(codec.pack(values[:-1])).tolist() == values[:-1]


@given(st.lists(st.booleans(), max_size=80))
def test_runs_round_trip(flags: list[bool]) -> None:
    assert codec.unruns(codec.runs(np.array(flags, np.bool_))).tolist() == flags


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=40), st.integers(0, 2))
def test_delta_round_trip(values: list[int], order: int) -> None:
    array = np.array([values, values[::-1]], np.int64)
    np.testing.assert_array_equal(codec.undelta(codec.delta(array, order), order), array)


def test_small_differences_take_one_byte() -> None:
    assert len(codec.pack(np.tile([63, -63], 150))) == 400


def test_what_stands_still_costs_next_to_nothing() -> None:
    assert len(codec.pack(np.zeros(10_000, np.int64))) == 4


def test_hold_fills_gaps_with_the_last_valid_value_and_the_beginning_with_the_first() -> None:
    values = np.array([[9, 5, 9, 9, 7, 9]])
    valid = np.array([[False, True, False, False, True, False]])
    assert codec.hold(values, valid).tolist() == [[5, 5, 5, 5, 7, 7]]


def test_quantise_makes_what_is_not_finite_zero() -> None:
    assert codec.quantise(np.array([np.nan, np.inf, 1.006]), 0.01).tolist() == [0, 0, 101]


def test_track_keeps_positions_to_half_a_centimetre() -> None:
    xy = np.cumsum(np.random.default_rng(0).normal(1.0, 0.1, (3, 91)), axis=1)
    text = codec.track(xy, np.ones(xy.shape, np.bool_), codec.CM, 2)
    back = codec.undelta(codec.unpack(text).reshape(3, 91), 2) * codec.CM
    assert np.abs(back - xy).max() <= 0.005 + 1e-9
