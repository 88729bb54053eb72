"""The atoms of training: the gradients are those of the loss, Adam goes downhill, and a toy is learned by heart."""

from __future__ import annotations

import numpy as np
import pytest

from waytrace.microgpt import GPTConfig, Session
from waytrace.microgpt.backward import gradients
from waytrace.microgpt.heads import squash
from waytrace.microgpt.loss import Example, control_loss, forward_pass, trace_loss
from waytrace.microgpt.parameters import drawn, initial, shapes
from waytrace.microgpt.reference import Reference
from waytrace.microgpt.update import Adam
from waytrace.microgpt.vocabulary import SLOT_AT, is_pointer
from waytrace.trace import SLOTS

CONFIG = GPTConfig(2)


def examples(moments, b: int, parameters) -> list[Example]:
    """A trace, two decisions and nothing, each with a plan, all of it drawn; lists end early or late."""
    out, rng = [], np.random.default_rng(4)
    for number, mode in enumerate(("trace", "decision_only", "fast")):
        session = Session.prefill(Reference(parameters, CONFIG), moments.tokens, moments.present(b), b=b, mode=mode)
        while session.ask is not None:
            legal = np.flatnonzero(session.ask.legal)
            session.step(int(legal[-1] if rng.random() < 0.3 else rng.choice(legal)))
        written = [w for w in session.written if w.chosen]
        accel, curvature = squash(np.random.default_rng(number).standard_normal((16, 2)), 8.0)
        slot, value = tuple(SLOT_AT[w.slot.name] for w in written), tuple(w.number for w in written)
        out.append(Example(mode, slot, value, accel, curvature, 8.0))
    return out


@pytest.fixture
def wide() -> dict[str, np.ndarray]:
    """Parameters in float64, where a difference of losses means something."""
    return {name: value.astype(np.float64) for name, value in drawn(CONFIG, seed=21).items()}


def test_every_gradient_is_that_of_the_loss(wide, moments) -> None:
    """Central differences along a random direction of every tensor, and at its largest entry."""
    branches = examples(moments, 0, drawn(CONFIG, seed=21))
    assert any(is_pointer(SLOTS[s]) for s in branches[0].slot)
    loss, made = forward_pass(wide, CONFIG, moments.tokens, 0, branches)
    found = gradients(wide, CONFIG, made)
    assert found.keys() == shapes(CONFIG).keys()
    rng = np.random.default_rng(0)
    for name, gradient in found.items():
        largest = np.zeros_like(gradient)
        largest.reshape(-1)[np.abs(gradient).argmax()] = 1.0
        for direction in (rng.standard_normal(gradient.shape), largest):
            step = 1e-5 / np.linalg.norm(direction)
            sides = []
            for sign in (1.0, -1.0):
                moved = wide | {name: wide[name] + sign * step * direction}
                sides.append(forward_pass(moved, CONFIG, moments.tokens, 0, branches)[0])
            slope = (sides[0] - sides[1]) / (2.0 * step)
            assert slope == pytest.approx(float((gradient * direction).sum()), rel=2e-4, abs=2e-7), name
    assert np.isfinite(loss)


def test_no_tensor_is_left_without_a_gradient(wide, moments) -> None:
    most = dict.fromkeys(shapes(CONFIG), 0.0)
    for b in range(len(moments.observation)):
        branches = examples(moments, b, drawn(CONFIG, seed=21))
        found = gradients(wide, CONFIG, forward_pass(wide, CONFIG, moments.tokens, b, branches)[1])
        most = {name: max(most[name], float(np.abs(gradient).max())) for name, gradient in found.items()}
    seen = moments.tokens.valid.any(0)
    absent = {kind for kind, at in (("light", 75), ("crosswalk", 83), ("stop_line", 91)) if not seen[at : at + 8].any()}
    assert {name for name, largest in most.items() if not largest} == {n for n in most if n.split(".")[1] in absent}


def test_the_loss_of_a_session_is_the_loss_of_training(moments) -> None:
    """Stepping through a trace and taking it in one pass agree on every slot's probability."""
    parameters = drawn(CONFIG, seed=21)
    branch = examples(moments, 0, parameters)[0]
    _, made = forward_pass(parameters, CONFIG, moments.tokens, 0, [branch])
    session = Session.prefill(Reference(parameters, CONFIG), moments.tokens, moments.present())
    for t, number in enumerate(branch.value):
        np.testing.assert_allclose(session.logits(), made.branches[0].logits[t], atol=1e-5)
        session.step(number)
    np.testing.assert_allclose(session.raw_controls(), made.branches[0].raw, atol=1e-5)


def test_losses_by_hand() -> None:
    assert trace_loss([], []) == 0.0
    assert trace_loss([np.zeros(4)], [2]) == pytest.approx(np.log(4.0))
    assert trace_loss([np.array([2000.0, 0.0]), np.zeros(2)], [0, 1]) == pytest.approx(0.5 * np.log(2.0))
    assert control_loss(np.ones((16, 2)), np.zeros((16, 2))) == pytest.approx(0.5)


def test_adam_takes_its_first_step_against_the_gradient_and_finds_the_minimum() -> None:
    x = {"x": np.array([3.0, -2.0])}
    adam = Adam(learning_rate=0.1)
    adam.update(x, {"x": np.array([1e-3, -1e3])})
    np.testing.assert_allclose(x["x"], [2.9, -1.9], atol=1e-6)
    adam = Adam(learning_rate=0.1)
    for step in range(400):
        adam.update(x, {"x": 2.0 * (x["x"] - 1.0)}, scale=1.0 - step / 400)
    np.testing.assert_allclose(x["x"], [1.0, 1.0], atol=1e-2)


def test_a_few_scenes_are_learned_by_heart(moments) -> None:
    parameters, adam = initial(CONFIG, seed=1), Adam(3e-3)
    branches = {b: examples(moments, b, drawn(CONFIG, seed=30))[:2] for b in range(2)}
    before = after = 0.0
    for step in range(60):
        b = step % 2
        loss, made = forward_pass(parameters, CONFIG, moments.tokens, b, branches[b])
        before, after = (loss if step == 0 else before), loss
        adam.update(parameters, gradients(parameters, CONFIG, made))
    assert all(value.dtype == np.float32 for value in parameters.values())
    assert after < 0.35 * before
