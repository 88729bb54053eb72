"""Moves that a plan follows: what they are, and what following one does."""

from __future__ import annotations

import numpy as np
import pytest

from waytrace.microgpt import GPTConfig, Session
from waytrace.microgpt.columns import MOVES, PATH, STEER_KNOTS
from waytrace.microgpt.heads import STEER_SCALE_MPS2, followed, moves, moves_of, raw_controls
from waytrace.microgpt.parameters import drawn
from waytrace.microgpt.reference import Reference

CONFIG = GPTConfig(2)


def test_moves_are_what_the_path_tokens_say(moments) -> None:
    found = moves(moments.tokens.path)
    assert found.shape == (len(moments.tokens.path), len(MOVES), STEER_KNOTS)
    assert np.abs(found).max() > 0.1
    for b in range(len(found)):
        for m, (place, way) in enumerate(MOVES):
            for knot in range(STEER_KNOTS):
                told = moments.tokens.path[b, place, PATH.index(f"{way}_{knot}")]
                assert found[b, m, knot] == pytest.approx(STEER_SCALE_MPS2 * told)


@pytest.mark.parametrize("move", [0, 3, len(MOVES)])
def test_a_plan_that_follows_one_move_steers_as_it_says(move: int) -> None:
    """Whatever the scene: the move's number alone, on top of the control map's; the last is to follow none."""
    parameters = drawn(CONFIG, seed=3)
    parameters["head.control.follow.weight"][:] = 0.0
    parameters["head.control.follow.bias"][:] = -50.0
    parameters["head.control.follow.bias"][move] = 50.0
    rng = np.random.default_rng(0)
    hidden = rng.standard_normal((4, CONFIG.width)).astype(np.float32)
    ways = rng.standard_normal((len(MOVES), STEER_KNOTS)).astype(np.float32)
    assert followed(parameters, hidden).argmax() == move
    added = raw_controls(parameters, hidden, ways) - raw_controls(parameters, hidden, np.zeros_like(ways))
    wanted = ways[move] if move < len(MOVES) else np.zeros(STEER_KNOTS)
    np.testing.assert_allclose(added[:STEER_KNOTS, 1], wanted, atol=1e-5)
    assert np.abs(added[STEER_KNOTS:]).max() == np.abs(added[:, 0]).max() == 0.0


def test_a_session_follows_the_moves_of_its_own_scene(moments) -> None:
    model = Reference(drawn(CONFIG, seed=3), CONFIG)
    for b in range(len(moments.tokens.path)):
        session = Session.prefill(model, moments.tokens, moments.present(b), b=b, mode="fast")
        np.testing.assert_array_equal(session.prefix.moves, moves_of(moments.tokens, b))
        still = Session.prefill(model, moments.tokens, moments.present(b), b=b, mode="fast")
        still.prefix.moves[:] = 0.0
        apart = session.raw_controls()[:, 1] - still.raw_controls()[:, 1]
        assert (np.abs(apart[:STEER_KNOTS]).max() > 1e-6) == bool(np.abs(moves_of(moments.tokens, b)).any())
