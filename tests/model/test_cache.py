"""The cache changes nothing but the time it takes, and nothing that is gone from a scene is left in it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from waytrace.microgpt import PLACES, TOKENS
from waytrace.microgpt.tokens import SceneTokens
from waytrace.model import EVERY, Waytrace, pack
from waytrace.model.drawn import Samples
from waytrace.model.waytrace import Inputs

AGENTS = range(PLACES["ego"] + PLACES["path"], PLACES["ego"] + PLACES["path"] + PLACES["agent"])


@pytest.fixture
def embeddings() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(5).normal(size=(3, 12, 64))).float()


def causal(length: int) -> torch.Tensor:
    return torch.ones(length, length).tril().bool().expand(3, -1, -1)


@pytest.mark.parametrize("cuts", [[4], [1, 2, 7], list(range(1, 12))])
@torch.no_grad()
def test_piece_by_piece_with_a_cache_equals_one_pass(nano: Waytrace, embeddings: torch.Tensor, cuts: list[int]) -> None:
    positions = torch.arange(12).expand(3, -1)
    whole, _ = nano.backbone(embeddings, None, positions, causal(12))
    cache, parts = None, []
    for low, high in pairwise([0, *cuts, 12]):
        mask = causal(12)[:, low:high, :high]
        hidden, cache = nano.backbone(embeddings[:, low:high], cache, positions[:, low:high], mask)
        assert len(cache) == high
        parts.append(hidden)
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_forks_go_their_own_ways_and_truncating_takes_back(nano: Waytrace, embeddings: torch.Tensor) -> None:
    def on(cache, tokens: torch.Tensor) -> torch.Tensor:  # type: ignore[no-untyped-def]
        mask = torch.ones(len(tokens), 1, len(cache) + 1).bool()
        return nano.backbone(tokens, cache, torch.full((len(tokens), 1), 9), mask)[0]

    _, cache = nano.backbone(embeddings[:, :8], None, None, causal(8))
    alone = on(cache, embeddings[:, 8:9])
    forked = on(cache.fork(torch.tensor([2, 0, 0, 1])), embeddings[[2, 0, 1, 1], 8:9])
    torch.testing.assert_close(forked[[1, 3, 0]], alone, atol=1e-5, rtol=1e-5)
    assert (forked[2] - alone[0]).abs().max() > 1e-3
    _, longer = nano.backbone(embeddings[:, 8:], cache, None, torch.ones(3, 4, 12).bool())
    torch.testing.assert_close(on(longer.truncate(8), embeddings[:, 8:9]), alone, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_padding_is_neither_computed_nor_seen(nano: Waytrace, embeddings: torch.Tensor) -> None:
    real = torch.ones(3, 12).bool()
    real[0, 9:], real[1, 4:] = False, False
    mask = causal(12) & real[:, None] | torch.eye(12).bool()
    hidden, _ = nano.backbone(embeddings, None, None, mask, real.flatten().nonzero()[:, 0])
    assert not hidden[~real].any()
    whole, _ = nano.backbone(embeddings, None, None, mask)
    torch.testing.assert_close(hidden[real], whole[real], atol=1e-5, rtol=1e-5)


def moved(tokens: SceneTokens, order: np.ndarray) -> SceneTokens:
    """The same scene with its agents in another order of places."""
    places = np.arange(TOKENS)
    places[AGENTS] = AGENTS.start + order
    return tokens._replace(agent=tokens.agent[:, order], valid=tokens.valid[:, places], row=tokens.row[:, places])


def figures(model: Waytrace, batch: Samples) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Probabilities of pointers by row of the reference table, logits of closed slots, controls, loss."""
    made = pack(batch, EVERY, np.random.default_rng(0))
    inputs = Inputs.of(made, model.device)
    with torch.no_grad():
        scene, cache = model.prefix(inputs)
        hidden = model.rows(inputs, scene, cache)
        pointers = model.head.trace.pointers(hidden[inputs.pointer_at], scene).numpy()
        loss = float(model.loss(made)[0])
    by_row = np.full((*pointers.shape[:2], 153), np.nan)
    by_row[..., 151:] = pointers[..., :2]
    for b in range(len(batch.tokens.valid)):
        row = batch.tokens.row[b][batch.tokens.valid[b]]
        by_row[b][:, row[row >= 0]] = pointers[b][:, 2 : 2 + len(row)][:, row >= 0]
    closed = model.head.trace.closed(hidden[inputs.closed_at]).detach().numpy()
    control = model.head.control(hidden[inputs.query_at], inputs.moves).detach().numpy()
    return by_row, closed, control, loss


def test_the_order_of_agents_does_not_matter_and_pointers_follow_them(nano: Waytrace, batch: Samples) -> None:
    order = np.random.default_rng(2).permutation(len(AGENTS))
    before = figures(nano, batch)
    after = figures(nano, batch._replace(tokens=moved(batch.tokens, order)))
    for one, other in zip(before, after, strict=True):
        assert other == pytest.approx(one, abs=1e-4, nan_ok=True)


def test_an_agent_that_is_gone_is_in_no_prefix(nano: Waytrace, batch: Samples) -> None:
    """Marked invalid, with its numbers still there, it changes as much as if it had never been: everything, exactly."""
    gone = AGENTS.start + 2
    tokens = batch.tokens
    valid, row = tokens.valid.copy(), tokens.row.copy()
    valid[:, gone], row[:, gone] = False, -1
    left = tokens._replace(valid=valid, row=row)
    never = left._replace(agent=np.where(np.arange(len(AGENTS))[:, None] == 2, 0.0, tokens.agent).astype(np.float32))
    one, other = figures(nano, batch._replace(tokens=left)), figures(nano, batch._replace(tokens=never))
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a, b, equal_nan=True)
    present = figures(nano, batch)
    assert np.abs(present[2] - one[2]).max() > 1e-3
