"""What stands before the plan: the own trace as ever, none, or one that says nothing of the moment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from waytrace.learn.arms import branches_of, in_arm, others, shuffled
from waytrace.learn.config import TRACES, ConfigError, SftConfig
from waytrace.learn.distributed import Crew
from waytrace.learn.sample import POINTERS
from waytrace.learn.sampler import Sampler, draws
from waytrace.learn.samples import SampleBatch, SampleStore
from waytrace.learn.sft import train_sft
from waytrace.learn.steps import DRAWS, FORGETTING, Steps, forget
from waytrace.microgpt.checkpoint import read_checkpoint
from waytrace.microgpt.columns import BEFORE_AT
from waytrace.model import Branches, pack
from waytrace.observe import REFERENCE_KIND
from waytrace.trace.slots import ROW_COUNT

SEED = 3


@pytest.fixture
def batch(stores: dict[str, str]) -> SampleBatch:
    return SampleStore.open(stores["train"]).batch(np.arange(24) * 4)


def _steps(stores: dict[str, str], arm: str) -> Steps:
    store = SampleStore.open(stores["train"])
    return Steps(store, Sampler(store.tokens, 8, SEED), Branches(), Crew(), 0.3, arm)


def test_the_own_trace_gives_the_very_batches_that_there_were_before_there_was_a_choice(stores: dict[str, str]) -> None:
    steps = _steps(stores, "own")
    for step in (0, 7):
        whole = steps.samples.batch(steps.sampler.at(step))
        forget(whole.tokens.ego, 0.3, draws(SEED + FORGETTING, step, 0))
        expected = pack(whole, Branches(), draws(SEED, step, DRAWS * 0))
        for name, given in steps.at(step)._asdict().items():
            np.testing.assert_equal(given, getattr(expected, name), err_msg=name)


def test_a_run_with_its_own_trace_goes_by_the_name_it_had_before_there_was_a_choice() -> None:
    config = SftConfig(("a",))
    assert "trace" not in config.identity()
    hashes = {replace(config, trace=arm).sha256 for arm in TRACES}
    assert len(hashes) == len(TRACES)


@pytest.mark.parametrize(("changed", "message"), [({"trace": "any"}, "none of own, none"),
                                                  ({"trace": "shuffled", "batch": 1}, "no other sample")])  # fmt: skip
def test_arms_that_cannot_be_are_refused(changed: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SftConfig(**({"samples": ("a",)} | changed))


def test_the_other_one_is_never_oneself_and_of_another_drive_where_there_is_one() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        other = others(("a", "a", "a", "b", "c"), random)
        assert all("aaabc"[i] != "aaabc"[j] for i, j in enumerate(other))
        assert (others(("a", "a", "a"), random) != np.arange(3)).all()
    with pytest.raises(ConfigError, match="batch of one"):
        others(("a",), random)


def test_the_shuffled_arm_never_sees_its_own_trace(batch: SampleBatch) -> None:
    seen = in_arm("shuffled", batch, np.random.default_rng(1))
    marked = batch._replace(
        slot=np.broadcast_to(np.arange(24, dtype=np.int16)[:, None, None], batch.slot.shape).copy(),
        value=np.full_like(batch.value, -1),
    )
    again = in_arm("shuffled", marked, np.random.default_rng(1))
    source = again.slot[:, 0, 0]
    assert (source != np.arange(24)).all()
    assert (np.asarray(batch.scenario)[source] != np.asarray(batch.scenario)).all()
    np.testing.assert_array_equal(seen.slot, batch.slot[source])
    closed = ~(POINTERS[seen.slot] & (seen.slot >= 0))
    np.testing.assert_array_equal(seen.value[closed], batch.value[source][closed])
    np.testing.assert_array_equal(seen.before, batch.before[source])
    np.testing.assert_array_equal(seen.tokens.ego[:, 0, BEFORE_AT:], batch.tokens.ego[source, 0, BEFORE_AT:])


def test_its_pointers_are_tokens_of_the_own_scene_at_random(batch: SampleBatch) -> None:
    other = np.roll(np.arange(24), 12)
    drawn = [shuffled(batch, other, np.random.default_rng(k)).value for k in range(2)]
    points = POINTERS[batch.slot[other]] & (batch.slot[other] >= 0)
    lists = points & (batch.value[other] >= ROW_COUNT)
    np.testing.assert_array_equal(drawn[0][lists], batch.value[other][lists])
    at = points & ~lists
    assert (drawn[0][at] != drawn[1][at]).any()
    for b, k, n in zip(*np.nonzero(at), strict=True):
        held = batch.tokens.row[b, batch.tokens.valid[b]]
        row, kind = drawn[0][b, k, n], REFERENCE_KIND[batch.value[other[b], k, n]]
        assert row in held
        if kind in REFERENCE_KIND[held[held >= 0]]:
            assert REFERENCE_KIND[row] == kind


def test_what_is_not_the_trace_stays_its_own(batch: SampleBatch) -> None:
    seen = in_arm("shuffled", batch, np.random.default_rng(1))
    for name in ("agent", "map", "light", "valid", "row"):
        np.testing.assert_array_equal(getattr(seen.tokens, name), getattr(batch.tokens, name))
    np.testing.assert_array_equal(seen.tokens.ego[..., :BEFORE_AT], batch.tokens.ego[..., :BEFORE_AT])
    for k in range(2):  # no trace says whose plan comes, so there is one plan
        np.testing.assert_array_equal(seen.accel[:, k], batch.accel[:, 0])
        np.testing.assert_array_equal(seen.curvature[:, k], batch.curvature[:, 0])
    np.testing.assert_array_equal(seen.speed, batch.speed)


def test_without_a_trace_nothing_but_plans_is_asked(stores: dict[str, str]) -> None:
    packed = _steps(stores, "none").at(2)
    assert len(packed.closed_at) == 0
    assert (packed.pointer_value < 0).all()
    assert set(packed.query_branch) == {4}
    assert branches_of("shuffled", Branches(fast=0.5)) == Branches(fast=0.5)


@pytest.mark.parametrize("arm", TRACES)
def test_every_arm_learns_with_equal_parameters_and_steps(stores: dict[str, str], tmp_path: Path, arm: str) -> None:
    config = SftConfig(
        (stores["train"],), (stores["select"],), size="nano", steps=12, batch=8, warmup=2, eval_every=6, log_every=3,
        ema=0.9, trace=arm, minutes=1e-9,
    )  # fmt: skip
    done = train_sft(config, tmp_path / "run")
    while not done.finished:  # pieces: what an arm keeps of its moments is enough to go on
        done = train_sft(config, tmp_path / "run")
    assert done.step == 12
    assert done.figures["waypoint_m"]["fast"]["2"] is not None
    assert (done.figures["waypoint_m"]["trace"]["2"] is None) == (arm == "none")
    own = train_sft(replace(config, trace="own", minutes=0.0), tmp_path / "own")
    shapes = [{k: v.shape for k, v in read_checkpoint(d.checkpoint).parameters.items()} for d in (done, own)]
    assert shapes[0] == shapes[1]
