"""Which rule changes which parameter, and how far."""

from __future__ import annotations

import pytest
import torch

from waytrace.learn.config import ConfigError, SftConfig
from waytrace.learn.optimiser import is_hidden, make_optimiser
from waytrace.microgpt import GPTConfig
from waytrace.model import Waytrace


def _moved(optimiser: str, **settings: float) -> dict[str, torch.Tensor]:
    """How far each parameter of a model goes in one step against gradients that are drawn."""
    model = Waytrace(GPTConfig.of("nano"), 0)
    config = SftConfig(samples=("none",), optimiser=optimiser, weight_decay=0.0, **settings)
    begun = {name: p.detach().clone() for name, p in model.named_parameters()}
    drawn = torch.Generator().manual_seed(3)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=drawn)
    chosen = make_optimiser(model, config)
    chosen.set_lr(1e-3)
    chosen.step()
    return {name: p.detach() - begun[name] for name, p in model.named_parameters()}


def test_muon_changes_maps_between_hidden_states_and_nothing_else() -> None:
    adamw, muon = _moved("adamw"), _moved("muon")
    other = {name for name in adamw if not torch.equal(adamw[name], muon[name])}
    assert other == {name for name, value in adamw.items() if is_hidden(name, value)}
    assert {"backbone.layers.0.attn.q_proj.weight", "backbone.layers.1.mlp.down_proj.weight"} < other
    assert not {"scene.agent.up.weight", "head.trace.output.weight", "head.control.out.weight"} & other
    assert not any("embedding" in name or "bias" in name for name in other)


def test_its_steps_go_in_all_directions_and_are_of_the_size_of_adamws() -> None:
    name = "backbone.layers.0.mlp.up_proj.weight"
    adamw, muon = _moved("adamw")[name], _moved("muon")[name]
    values = torch.linalg.svdvals(muon)
    assert values.min() > 0.5 * values.max()
    assert torch.linalg.svdvals(adamw).min() < 0.5 * torch.linalg.svdvals(adamw).max()
    assert 0.1 * adamw.norm() < muon.norm() < adamw.norm()


def test_it_has_a_learning_rate_of_its_own() -> None:
    once, twice = _moved("muon"), _moved("muon", muon_lr=2.0)
    for name, value in once.items():
        factor = 2.0 if is_hidden(name, value) else 1.0
        assert torch.allclose(twice[name], factor * value, rtol=1e-3, atol=1e-7), name


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ConfigError, match="optimiser = 'sgd' is none of adamw, muon"):
        SftConfig(samples=("none",), optimiser="sgd")
