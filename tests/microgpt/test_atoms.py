"""The small parts: the vocabulary's table, the parameters' table, rotation, norms, attention, choosing, controls."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waytrace.microgpt import SIZES, GPTConfig, Rule, count, initial, shapes
from waytrace.microgpt.forward import attention, relu2, rmsnorm, rotary, softmax, visible
from waytrace.microgpt.heads import Pointing, squash, unsquash, waypoints
from waytrace.microgpt.parameters import config_of, drawn
from waytrace.microgpt.sampling import choose, judged
from waytrace.microgpt.vocabulary import CLOSING, SLOT_AT, VALUE_AT, VALUES, is_pointer, rows_of
from waytrace.scenario import ACCEL_RANGE_MPS2, CURVATURE_RANGE_1PM, WaytraceError
from waytrace.sim import integrate
from waytrace.trace import SLOTS
from waytrace.trace.slots import BY_NAME, offsets


def test_every_value_of_every_set_has_its_row() -> None:
    rows = [
        r for name in VALUE_AT for r in range(*rows_of(next(s for s in SLOTS if s.values.name == name)).indices(999))
    ]
    assert rows == list(range(VALUES))
    assert offsets()["total"] - VALUES == len(BY_NAME["entities.ref"].values)
    assert {slot.name for slot in SLOTS if is_pointer(slot)} == {
        "entities.ref", "predictions.ref", "causes.ref", "rejected.ref", "target_lane"
    }  # fmt: skip
    assert [SLOT_AT[slot.name] for slot in SLOTS] == list(range(CLOSING))
    with pytest.raises(KeyError):
        rows_of(BY_NAME["entities.ref"])


def test_sets_that_slots_share_have_the_same_rows() -> None:
    assert rows_of(BY_NAME["ego_speed_bin"]) != rows_of(BY_NAME["target_speed_bin"])
    assert rows_of(BY_NAME["causes.axis"]) != rows_of(BY_NAME["rejected.axis"])


@pytest.mark.parametrize("size", list(SIZES))
def test_the_table_of_parameters_is_the_parameters(size: str) -> None:
    config = GPTConfig.of(size)
    parameters = initial(config)
    assert {name: value.shape for name, value in parameters.items()} == shapes(config)
    assert count(parameters) == sum(int(np.prod(shape)) for shape in shapes(config).values())
    assert all(value.dtype == np.float32 for value in parameters.values())
    assert config_of(parameters) == config


def test_parameters_depend_on_the_seed_alone_and_each_on_its_own_name() -> None:
    one, same, other = initial(GPTConfig(1), 3), initial(GPTConfig(1), 3), initial(GPTConfig(1), 4)
    assert all((one[name] == same[name]).all() for name in one)
    assert (one["head.trace.begin"] != other["head.trace.begin"]).any()
    deep = initial(GPTConfig(2), 3)
    assert deep["head.trace.begin"].shape != one["head.trace.begin"].shape
    assert not drawn(GPTConfig(1))["head.control.out.weight"].max() == 0.0 == one["head.control.out.weight"].max()


def test_parameters_of_a_wrong_shape_are_named() -> None:
    parameters = initial(GPTConfig(1)) | {"head.trace.begin": np.zeros(3, np.float32)}
    with pytest.raises(WaytraceError, match=r"'head\.trace\.begin' is \[3\] where \[32\] is due"):
        config_of(parameters)
    with pytest.raises(WaytraceError, match="have no 'extra'"):
        config_of(initial(GPTConfig(1)) | {"extra": np.zeros(3, np.float32)})


def test_a_score_depends_on_how_far_apart_two_tokens_are() -> None:
    rng = np.random.default_rng(0)
    query, key = rng.standard_normal((2, 1, 1, 32))

    def score(i: float, j: float) -> float:
        return float((rotary(query, np.array([i]), 1000.0) * rotary(key, np.array([j]), 1000.0)).sum())

    assert score(5, 2) == pytest.approx(score(105, 102))
    assert score(5, 2) != pytest.approx(score(5, 3))
    assert (rotary(query, np.array([0]), 1000.0) == query).all()
    turned = rotary(query, np.array([7]), 1000.0)
    assert np.linalg.norm(turned) == pytest.approx(np.linalg.norm(query))
    np.testing.assert_allclose(rotary(turned, np.array([-7]), 1000.0), query, atol=1e-12)


def test_norms_and_activations() -> None:
    x = np.array([[3.0, -4.0], [0.0, 0.0]])
    np.testing.assert_allclose(np.square(rmsnorm(x, 1e-12)).mean(-1), [1.0, 0.0], atol=1e-6)
    assert relu2(x).tolist() == [[9.0, 0.0], [0.0, 0.0]]
    np.testing.assert_allclose(softmax(np.array([0.0, -np.inf, 0.0])), [0.5, 0.0, 0.5])


def test_who_sees_whom() -> None:
    assert visible(2, 3, 0).astype(int).tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]
    assert visible(1, 3, 2).astype(int).tolist() == [[1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]]
    assert visible(0, 2, 2).all()


def test_attention_reads_what_it_sees() -> None:
    query = np.zeros((1, 2, 32))
    values = np.stack([np.eye(3, 32)])
    read, weights = attention(query, np.zeros((1, 32, 3)), values, visible(1, 2, 0))
    np.testing.assert_allclose(weights[0], [[0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]])
    np.testing.assert_allclose(read[0, 0, :3], [0.5, 0.5, 0.0])


LOGITS = np.array([1.0, 3.0, 2.0, 5.0], np.float32)
LEGAL = np.array([True, True, True, False])


def test_greedy_takes_the_best_legal_value_and_says_what_it_thought() -> None:
    chosen = choose(LOGITS, LEGAL, Rule())
    weights = np.exp([1.0, 3.0, 2.0, 5.0])
    assert chosen.place == 1
    assert chosen.logprob == pytest.approx(np.log(weights[1] / weights[:3].sum()))
    assert chosen.mass == pytest.approx(weights[:3].sum() / weights.sum())
    assert choose(np.zeros(4), LEGAL, Rule()).place == 0


def test_draws_have_the_probabilities_that_they_claim() -> None:
    rng = np.random.default_rng(0)
    places = [choose(LOGITS, LEGAL, Rule(temperature=2.0), rng).place for _ in range(4000)]
    wanted = np.exp(np.array([1.0, 3.0, 2.0]) / 2.0)
    np.testing.assert_allclose(np.bincount(places, minlength=4)[:3] / 4000, wanted / wanted.sum(), atol=0.03)
    assert 3 not in places


def test_top_k_keeps_the_most_probable_legal_values() -> None:
    rng = np.random.default_rng(0)
    assert {choose(LOGITS, LEGAL, Rule(5.0, top_k=2), rng).place for _ in range(200)} == {1, 2}
    assert {choose(LOGITS, LEGAL, Rule(5.0, top_k=9), rng).place for _ in range(200)} == {0, 1, 2}


def test_what_cannot_be_chosen_is_refused() -> None:
    with pytest.raises(ValueError, match="no value is legal"):
        choose(LOGITS, np.zeros(4, np.bool_), Rule())
    with pytest.raises(ValueError, match="needs a generator"):
        choose(LOGITS, LEGAL, Rule(1.0))
    for wrong in ({"temperature": -0.1}, {"temperature": float("nan")}, {"top_k": -1}):
        with pytest.raises(WaytraceError, match="0"):
            Rule(**wrong)


def test_logits_beyond_reach_are_still_judged() -> None:
    assert judged(np.array([-2000.0, 0.0]), np.array([True, False]), 0).mass == 0.0
    assert np.isfinite(judged(np.array([2000.0, -2000.0]), np.array([True, True]), 0).logprob)


def test_a_row_without_a_token_cannot_be_pointed_at() -> None:
    pointing = Pointing(np.array([4, 30, 151, 152]), np.zeros((4, 2)), np.zeros((4, 2)))
    assert pointing.at(30) == 1
    with pytest.raises(KeyError, match="row 31"):
        pointing.at(31)


raw_controls = st.lists(st.floats(-40.0, 40.0), min_size=32, max_size=32).map(lambda v: np.array(v).reshape(16, 2))


@given(raw=raw_controls, speed=st.floats(0.0, 40.0))
@settings(max_examples=60)
def test_whatever_the_head_says_is_a_drivable_plan(raw: np.ndarray, speed: float) -> None:
    accel, curvature = squash(raw, speed)
    assert (accel >= ACCEL_RANGE_MPS2[0]).all()
    assert (accel <= ACCEL_RANGE_MPS2[1]).all()
    assert (np.abs(curvature) <= CURVATURE_RANGE_1PM[1]).all()
    assert np.abs(np.diff(accel)).max() <= 4.0 + 1e-9
    assert np.abs(np.diff(curvature)).max() <= 0.1 + 1e-9
    states = waypoints(accel, curvature, speed, 4.8)
    assert (states[:, 3] >= 0.0).all()
    assert np.isfinite(states).all()


@given(raw=raw_controls.map(lambda v: 0.05 * v), speed=st.floats(0.0, 40.0))
@settings(max_examples=60)
def test_what_was_driven_is_what_would_have_to_be_said(raw: np.ndarray, speed: float) -> None:
    accel, curvature = squash(raw, speed)
    np.testing.assert_allclose(
        np.stack(squash(unsquash(accel, curvature, speed), speed)), [accel, curvature], atol=1e-9
    )


def test_raw_zero_is_straight_on_and_raw_curvature_an_acceleration_across() -> None:
    accel, curvature = squash(np.zeros((16, 2)), 10.0)
    assert np.abs(accel).max() < 1e-12
    assert np.abs(curvature).max() == 0.0
    across = squash(np.tile([0.0, 2.0], (16, 1)), 10.0)[1] * 10.0**2
    np.testing.assert_allclose(across, 2.0)
    assert squash(np.tile([0.0, 1.0], (16, 1)), 0.0)[1][0] == pytest.approx(1.0 / 16.0)


def test_waypoints_start_at_the_rear_axle() -> None:
    accel, curvature = np.zeros(16), np.zeros(16)
    states = waypoints(accel, curvature, 10.0, 5.0)
    np.testing.assert_allclose(states[0], [5.0 - 0.28 * 5.0, 0.0, 0.0, 10.0])
    start = np.array([[-1.4, 0.0, 0.0, 10.0]])
    np.testing.assert_allclose(states, integrate(start, accel[None], curvature[None])[0])
