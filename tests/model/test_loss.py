"""What is minimised: what it counts, that it can be minimised, and that half precision does not spoil it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from waytrace.microgpt import GPTConfig
from waytrace.microgpt.vocabulary import VALUES, rows_of
from waytrace.model import EVERY, Branches, Waytrace, Weights, pack
from waytrace.model.branches import IGNORED
from waytrace.model.drawn import Samples
from waytrace.model.losses import closed_loss, plan_loss, pointer_loss
from waytrace.model.unicycle import integrate
from waytrace.scenario import WaytraceError
from waytrace.trace import SLOTS


def test_a_slot_is_judged_over_all_of_its_own_set_and_nothing_else() -> None:
    slot = SLOTS.index(next(s for s in SLOTS if s.name == "zone"))
    rows = rows_of(SLOTS[slot])
    logits = torch.full((1, VALUES), 50.0)
    logits[0, rows] = 0.0
    loss, right = closed_loss(logits, torch.tensor([slot]), torch.tensor([rows.start]))
    assert loss.item() == pytest.approx(math.log(4))
    assert right.item()
    _, wrong = closed_loss(logits, torch.tensor([slot]), torch.tensor([rows.start + 1]))
    assert not wrong.item()


def test_a_pointer_is_judged_over_what_can_be_pointed_at() -> None:
    logits = torch.zeros(1, 2, 6)
    logits[..., 4] = 9.0
    allowed = torch.tensor([[True, True, True, True, False, True]])
    loss, right = pointer_loss(logits, allowed, torch.tensor([[2, IGNORED]]))
    assert loss[0].tolist() == pytest.approx([math.log(5), 0.0])
    assert right[0].tolist() == [False, False]


def test_an_error_across_weighs_more_than_one_along_and_early_more_than_late() -> None:
    start = torch.tensor([[0.0, 0.0, 0.7, 10.0]])
    zeros = torch.zeros(1, 16)
    target = integrate(start, zeros, zeros)
    direction = torch.tensor([math.cos(0.7), math.sin(0.7)])

    def loss(offset: torch.Tensor, knot: int) -> float:
        moved = target.clone()
        moved[0, knot, :2] += offset
        return plan_loss(moved, target, (zeros, zeros), (zeros, zeros), Weights()).item()

    along, across = 2.0 * direction, 2.0 * torch.stack([-direction[1], direction[0]])
    bent = 0.5 * Weights().bend
    assert loss(across, 3) == pytest.approx(loss(along, 3) * (6.0 - bent) / (2.0 - bent), rel=1e-4)
    assert loss(along, 0) > 1.5 * loss(along, 7) > 0.0
    assert loss(torch.zeros(2), 0) == 0.0


def test_the_first_controls_count_most_and_steering_as_acceleration_across() -> None:
    zeros = torch.zeros(1, 16)

    def loss(accel: float, curvature: float, knot: int, speed: float) -> float:
        target = integrate(torch.tensor([[0.0, 0.0, 0.0, speed]]), zeros, zeros)
        given = torch.zeros(2, 1, 16)
        given[:, 0, knot] = torch.tensor([accel, curvature])
        return plan_loss(target, target, (given[0], given[1]), (zeros, zeros), Weights()).item()

    assert loss(1.0, 0.0, 0, 10.0) == pytest.approx(loss(0.0, 0.01, 0, 10.0), rel=1e-4)
    assert loss(0.0, 0.01, 0, 20.0) > 3.0 * loss(0.0, 0.01, 0, 10.0)
    assert loss(1.0, 0.0, 1, 10.0) == pytest.approx(0.5 * loss(1.0, 0.0, 0, 10.0), rel=1e-4)


def test_a_target_that_nobody_can_steer_teaches_nothing() -> None:
    start, zeros = torch.tensor([[0.0, 0.0, 0.0, 15.0]]).expand(2, 4), torch.zeros(2, 16)
    wild = zeros.clone()
    wild[1, 3] = 0.1
    given = 0.01 * torch.ones(2, 16)
    plans = [integrate(start, zeros, bent) for bent in (given, wild)]
    both = plan_loss(*plans, (zeros, given), (zeros, wild), Weights())
    alone = plan_loss(plans[0][:1], plans[1][:1], (zeros[:1], given[:1]), (zeros[:1], wild[:1]), Weights())
    assert both.item() == pytest.approx(alone.item(), rel=1e-5)
    assert alone.item() > 0.0
    nothing = plan_loss(plans[0][1:], plans[1][1:], (zeros[1:], given[1:]), (zeros[1:], wild[1:]), Weights())
    assert nothing.item() == 0.0


def test_figures_are_means_that_add_up(nano: Waytrace, batch: Samples) -> None:
    made = pack(batch, EVERY, np.random.default_rng(0))
    loss, figures = nano.loss(made)
    told = figures.to_json()
    assert told["loss"] == pytest.approx(loss.item())
    assert told["loss"] == pytest.approx(told["trace_loss"] + Weights().control * told["control_loss"], rel=1e-5)
    asked = figures.slots[:, 2].sum().item()
    assert asked == len(made.closed_at) + (made.pointer_value != IGNORED).sum()
    decisions = sum(figures.slots[SLOTS.index(s), 0].item() for s in SLOTS if s.name in ("longitudinal", "lateral"))
    counted = figures.slots[:, 0].sum().item() + (Weights().decision - 1.0) * decisions
    assert told["trace_loss"] == pytest.approx(counted / asked, rel=1e-4)
    assert figures.plans[:, 2].tolist() == np.bincount(made.query_branch, minlength=5).tolist()
    twice = (figures + figures).to_json()
    assert twice["loss/longitudinal"] == pytest.approx(told["loss/longitudinal"])
    assert twice["mean_m/fast"] == pytest.approx(told["mean_m/fast"])


def test_it_learns_a_few_samples_by_heart(batch: Samples) -> None:
    model = Waytrace(GPTConfig(2))
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.0)
    random = np.random.default_rng(0)
    first = None
    for _ in range(130):
        loss, figures = model.loss(pack(batch, Branches(), random))
        first = first or figures.to_json()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    last = model.loss(pack(batch, EVERY, random))[1].to_json()
    assert first is not None
    assert last["accuracy"] > 0.9 > 0.2 > first["accuracy"]
    for branch in ("choice", "runner_up", "fast"):
        assert last[f"mean_m/{branch}"] < 0.5 * first["mean_m/fast"], branch


def test_the_runner_up_gets_a_plan_of_its_own(batch: Samples) -> None:
    """Its branch trains the plan: the loss depends on the plan that belongs to the forced decision."""
    model = Waytrace(GPTConfig(2))
    made = pack(batch, Branches(0, 1, 0, 0), np.random.default_rng(0))
    k = np.flatnonzero(batch.present[:, 1])
    mine = made.query_branch == 1
    assert (made.accel[mine] == batch.accel[k, 1]).all()
    assert (made.accel[~mine] == batch.accel[~batch.present[:, 1], 0]).all()
    model.loss(made)[0].backward()
    assert model.head.control.out.weight.grad is not None
    assert model.head.control.out.weight.grad.abs().sum() > 0.0


def test_half_precision_gives_nearly_the_same_loss_and_finite_gradients(nano: Waytrace, batch: Samples) -> None:
    made = pack(batch, EVERY, np.random.default_rng(0))
    exact, _ = nano.loss(made)
    with torch.autocast("cpu", torch.bfloat16):
        half, figures = nano.loss(made)
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(exact.item(), rel=0.05)
    half.backward()
    for name, parameter in nano.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.dtype == torch.float32
        assert torch.isfinite(parameter.grad).all(), name
    assert figures.slots.dtype == torch.float32


def test_every_weight_learns_from_a_batch_of_all_branches(nano: Waytrace, batch: Samples) -> None:
    nano.loss(pack(batch, EVERY, np.random.default_rng(0)))[0].backward()
    for name, parameter in nano.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0.0, name


def test_making_a_model_draws_nothing_from_the_generator_of_torch() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one, other = Waytrace(GPTConfig(1), seed=5), Waytrace(GPTConfig(1), seed=5)
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_weights_of_another_size_are_refused() -> None:
    with pytest.raises(WaytraceError, match="depth 2 do not fit depth 1"):
        Waytrace(GPTConfig(1)).set(Waytrace(GPTConfig(2)).parameters_numpy())
