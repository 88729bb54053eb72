"""The figures of a look say what they claim to: checked against the samples, by other means."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from waytrace.learn.config import SftConfig
from waytrace.learn.figures import HORIZONS_S, Examination
from waytrace.learn.legal import present_of, walked
from waytrace.learn.sample import Sample
from waytrace.learn.samples import SampleStore
from waytrace.learn.tallies import Decisions
from waytrace.microgpt import GPTConfig
from waytrace.microgpt.vocabulary import VALUE_AT
from waytrace.model import EVERY, Waytrace, pack
from waytrace.scenario import PLAN_KNOT_S, REAR_AXLE_TO_CENTRE
from waytrace.sim.dynamics import integrate
from waytrace.trace import SLOTS, sets


@pytest.fixture(scope="module")
def select(stores: dict[str, str]) -> SampleStore:
    return SampleStore.open(stores["select"])


def _config(**changed: object) -> SftConfig:
    return SftConfig(**({"samples": ("a",), "size": "nano", "batch": 64} | changed))


def _model() -> Waytrace:
    return Waytrace(GPTConfig.of("nano"), seed=1)


def test_the_grammar_is_walked_along_drawn_and_real_samples(select: SampleStore, samples: list[Sample]) -> None:
    batch = select.batch(np.arange(len(select)))
    drawn = [(batch.tokens, b, batch.slot[b, 0], batch.value[b, 0]) for b in range(len(select))]
    real = [(s.tokens, 0, s.branches[0].slot, s.branches[0].value) for s in samples]
    proximate = 0
    for tokens, b, slot, value in [*drawn, *real]:
        way = walked(present_of(tokens, b), slot, value)
        assert len(way.legal) == (slot >= 0).sum()
        for t, legal in enumerate(way.legal):
            assert legal[value[t]]
            assert len(legal) == len(SLOTS[slot[t]].values)
        assert all(SLOTS[slot[t]].name == "causes.ref" for t in way.proximate)
        proximate += len(way.proximate)
    assert proximate > 0


def test_the_loss_is_that_of_the_model(select: SampleStore) -> None:
    model = _model()
    seen = Examination(select, _config()).of(model)
    packed = pack(select.batch(np.arange(len(select))), EVERY, np.random.default_rng(0))
    with torch.no_grad():
        loss, figures = model.loss(packed)
    expected = figures.to_json()
    assert seen["loss"] == pytest.approx(float(loss), rel=1e-5)
    assert seen["parts"]["trace"] == pytest.approx(expected["trace_loss"], rel=1e-5)
    for name, slot in seen["slots"].items():
        assert slot["loss"] == pytest.approx(expected[f"loss/{name}"], rel=1e-4)
    assert seen["waypoint_m"]["fast"]["8"] == pytest.approx(expected["last_m/fast"], rel=1e-4)


def test_small_batches_give_the_same_figures_and_the_model_stays_as_it_was(select: SampleStore) -> None:
    model = _model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    whole, parts = (Examination(select, _config(batch=batch)).of(model) for batch in (64, 5))
    assert parts["loss"] == pytest.approx(whole["loss"], rel=1e-5)
    assert parts["legal_mass"]["mean"] == pytest.approx(whole["legal_mass"]["mean"], rel=1e-5)
    assert parts["decision"] == whole["decision"]
    assert parts["causes"] == whole["causes"] > 0
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_a_model_that_always_decides_the_same_is_right_as_often_as_that_occurs(select: SampleStore) -> None:
    model, number = _model(), sets.LONGITUDINAL.number("yield")
    with torch.no_grad():
        model.head.trace.output.bias[VALUE_AT["longitudinal"] + number] = 1e3
    seen = Examination(select, _config()).of(model)
    batch = select.batch(np.arange(len(select)))
    labels = batch.value[:, 0][batch.slot[:, 0] == [s.name for s in SLOTS].index("longitudinal")]
    for mode in ("decision", "decision_only"):
        figures = seen[mode]["longitudinal"]
        assert figures["support"] == len(labels)
        assert figures["accuracy"] == pytest.approx(np.mean(labels == number))
        assert figures["classes"]["yield"]["guessed"] == len(labels)


def test_mass_on_what_is_not_legal_is_seen(select: SampleStore) -> None:
    model = _model()
    before = Examination(select, _config()).of(model)["legal_mass"]
    with torch.no_grad():
        # A relation of lanes alone, whatever is asked about.
        model.head.trace.output.bias[VALUE_AT["relation"] + sets.RELATION.number("curve")] = 1e3
    after = Examination(select, _config()).of(model)["legal_mass"]
    assert before["least"] > 1e-3
    assert after["least"] < 1e-6


def test_a_model_that_drives_straight_on_is_as_far_off_as_the_plans_are_bent(select: SampleStore) -> None:
    model = _model()
    with torch.no_grad():
        model.head.control.follow.bias[:-1] = -50.0  # or it would follow all moves alike
    seen = Examination(select, _config()).of(model)
    batch = select.batch(np.arange(len(select)))
    start = np.zeros((len(select), 4))
    start[:, 0], start[:, 3] = -REAR_AXLE_TO_CENTRE * batch.length_m, batch.speed
    label = integrate(start, batch.accel[:, 0].astype(float), batch.curvature[:, 0].astype(float))
    straight = integrate(start, np.zeros((len(select), 16)), np.zeros((len(select), 16)))
    apart = np.linalg.norm((label - straight)[..., :2], axis=-1).mean(0)
    for horizon in HORIZONS_S:
        found = seen["waypoint_m"]["trace"][f"{horizon:g}"]
        assert found == pytest.approx(apart[round(horizon / PLAN_KNOT_S) - 1], rel=1e-4)
    assert seen["accel_mps2"]["trace"] == pytest.approx(np.abs(batch.accel[:, 0]).mean(), rel=1e-4)


def test_macro_f1_is_over_the_decisions_that_occur() -> None:
    tally = Decisions(("go", "stop", "wait"))
    for label, guess in [(0, 0), (0, 0), (0, 1), (1, 1), (1, 0), (0, 2)]:
        tally.add(guess, label)
    figures = tally.figures()
    assert figures["classes"]["go"]["f1"] == pytest.approx(2 * 2 / (4 + 3))
    assert figures["classes"]["stop"]["f1"] == pytest.approx(2 * 1 / (2 + 2))
    assert figures["classes"]["wait"] == {"f1": None, "support": 0, "guessed": 1}
    assert figures["macro_f1"] == pytest.approx((4 / 7 + 0.5) / 2)
    assert figures["accuracy"] == pytest.approx(0.5)
    assert Decisions(("go",)).figures()["macro_f1"] is None
