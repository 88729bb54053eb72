"""The compiled form equals the plain one, for scenes, tokens, blocks and control queries."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from waytrace.microgpt import Compiled, GPTConfig, Reference, Rule, Session
from waytrace.microgpt.forward import Cache
from waytrace.microgpt.kernels import exponential
from waytrace.microgpt.parameters import drawn


@pytest.fixture(params=[1, 2, 4])
def pair(request) -> tuple[Reference, Compiled]:
    config = GPTConfig(request.param)
    parameters = drawn(config, seed=request.param)
    return Reference(parameters, config), Compiled(parameters, config)


@pytest.mark.parametrize("scene", [1, 60, 155])
def test_every_way_to_extend_gives_the_same(pair, scene: int) -> None:
    config = pair[0].config
    rng = np.random.default_rng(scene)
    caches = [Cache.empty(config, scene + 30) for _ in pair]
    position = 1
    for new, mutual in ((scene, scene), (1, 0), (1, 0), (7, 0), (1, 0), (5, 4)):
        x = rng.standard_normal((new, config.width)).astype(np.float32)
        at = np.zeros(new, np.int64) if mutual == new else position + np.arange(new)
        at[new - mutual :] = 0
        one, other = (m.extend(x, at, cache, mutual=mutual) for m, cache in zip(pair, caches, strict=True))
        np.testing.assert_allclose(one, other, atol=1e-5)
        position += new
    length = caches[0].length
    assert length == caches[1].length
    np.testing.assert_allclose(caches[0].keys[..., :length], caches[1].keys[..., :length], atol=2e-5)
    np.testing.assert_allclose(caches[0].values[:, :, :length], caches[1].values[:, :, :length], atol=2e-5)


@pytest.mark.parametrize("b", [0, 1, 2])
def test_a_whole_session_is_the_same(pair, moments, b: int) -> None:
    one, other = (Session.prefill(m, moments.tokens, moments.present(b), b=b) for m in pair)
    list(one.write(Rule(1.0), np.random.default_rng(1)))
    list(other.write(Rule(1.0), np.random.default_rng(1)))
    assert [(w.slot, w.number) for w in one.written] == [(w.slot, w.number) for w in other.written]
    for mine, theirs in zip(one.written, other.written, strict=True):
        assert mine.logprob == pytest.approx(theirs.logprob, abs=2e-5)
    np.testing.assert_allclose(one.raw_controls(), other.raw_controls(), atol=2e-5)


def test_a_full_cache_is_refused(pair) -> None:
    for model in pair:
        cache = Cache.empty(model.config, 2)
        x = np.ones((3, model.config.width), np.float32)
        with pytest.raises(ValueError, match="do not fit"):
            model.extend(x, np.zeros(3, np.int64), cache)


def test_threads_can_share_a_model(moments) -> None:
    config = GPTConfig(2)
    model = Compiled(drawn(config, 3), config)

    def written(b: int) -> list[tuple[str, int]]:
        session = Session.prefill(model, moments.tokens, moments.present(b), b=b)
        return [(w.slot.name, w.number) for w in session.write(Rule(1.0), np.random.default_rng(b))]

    alone = [written(b) for b in range(3)]
    together: dict[int, list[tuple[str, int]]] = {}
    threads = [threading.Thread(target=lambda b=b: together.update({b: written(b)})) for b in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[b] for b in range(3)] == alone


def test_scores_that_lie_far_apart_within_a_head_are_read_right() -> None:
    """A token whose scores are all far below another's of the same head still reads what it should."""
    config = GPTConfig(1)
    parameters = drawn(config, 3)
    for name in ("q", "k"):
        parameters[f"backbone.layers.0.attn.{name}_proj.weight"] = 6.0 * np.eye(32, dtype=np.float32)
    parameters["backbone.layers.0.attn.q_proj.weight"][1, 1] = 0.0
    x = np.zeros((3, 32), np.float32)
    x[0, 0], x[1, 1], x[2, 0] = 1.0, 1.0, -1.0
    one, other = (
        model.extend(x, np.zeros(3, np.int64), Cache.empty(config, 3), mutual=3)
        for model in (Reference(parameters, config), Compiled(parameters, config))
    )
    assert np.isfinite(other).all()
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_the_kernels_exponential_is_the_exponential() -> None:
    x = np.concatenate([-np.geomspace(1e-6, 80.0, 4000), np.linspace(-60.0, 0.0, 4001)]).astype(np.float32)
    bits, found = np.zeros(len(x), np.int32), x + np.float32(3.0)
    exponential(found, len(found), np.float32(3.0), bits, bits.view(np.float32))
    wanted = np.exp((x + np.float32(3.0) - np.float32(3.0)).astype(np.float64))
    apart = np.abs(found / wanted - 1.0)
    assert apart[x > -8.0].max() < 1e-6
    assert apart.max() < 5e-6
    low = np.array([-200.0, -1e30], np.float32)
    exponential(low, 2, np.float32(0.0), bits, bits.view(np.float32))
    assert (low >= 0.0).all()
    assert (low < 1e-37).all()
