"""Stretches cut from plans of any kind: they cover 8 s, are long enough, and say what the speed does."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waytrace.label.segments import GENTLE_MPS2, STRONG_MPS2, _fewer, lon_name, segments
from waytrace.planners import make_plan
from waytrace.trace import sets


class Straight:
    """A plan that stays in the middle of its lane."""

    changes_lane = False
    turn = (0.0, -1)

    class own:  # noqa: N801
        d_m = np.zeros(17)
        lane = np.zeros(17, np.int32)


def plan(accel, speed):
    start = np.array([[0.0, 0.0, 0.0, speed]])
    return make_plan(np.zeros(1), start, np.array([accel], np.float64), np.zeros((1, 16)), "test")[0]


@given(
    st.lists(st.floats(-8.0, 3.0), min_size=16, max_size=16), st.floats(0.0, 40.0)
)  # fmt: skip
@settings(max_examples=200)
def test_stretches_cover_the_plan_in_at_most_six(accel, speed):
    found = segments(plan(accel, speed), Straight, "keep")
    ends = [float(g.t_end) for g in found]
    assert ends[-1] == 8.0
    assert ends == sorted(set(ends))
    assert len(found) <= sets.MOST_SEGMENTS
    assert all(b - a >= 1.0 for a, b in zip([0.0, *ends], ends, strict=False))
    assert all(a.lon != b.lon or a.lat != b.lat for a, b in itertools.pairwise(found))
    assert {g.lat for g in found} == {"keep_lane"}


@given(st.lists(st.integers(1, 15), unique=True).map(sorted))
def test_cuts_that_stay_are_far_enough_apart(cuts):
    kept = _fewer(cuts)
    assert set(kept) <= set(cuts)
    assert len(kept) < sets.MOST_SEGMENTS
    assert all(b - a >= 2 for a, b in zip([0, *kept], [*kept, 16], strict=True))


def test_braking_to_a_halt_is_two_stretches():
    found = segments(plan([-2.0] * 6 + [0.0] * 10, 6.0), Straight, "keep")
    assert [(g.t_end, g.lon) for g in found] == [("3", "strong_decel"), ("8", "stop")]


@pytest.mark.parametrize(
    ("accel", "name"),
    [
        (0.0, "maintain"), (GENTLE_MPS2 - 1e-6, "maintain"), (0.5, "gentle_accel"), (-0.5, "gentle_decel"),
        (STRONG_MPS2 + 1e-6, "strong_accel"), (-3.0, "strong_decel"),
    ],
)  # fmt: skip
def test_names_of_accelerations(accel, name):
    assert lon_name(accel, 10.0) == name


def test_backwards_is_reverse():
    assert lon_name(0.0, -1.0) == "reverse"
