"""What a step learns from: batches that follow from its number alone."""

import numpy as np

from waytrace.learn.distributed import Crew
from waytrace.learn.sampler import Sampler
from waytrace.learn.samples import SampleStore
from waytrace.learn.steps import Steps, forget
from waytrace.microgpt.columns import BEFORE_AT, PAST_AT
from waytrace.model import Branches


def test_the_past_and_the_last_decision_are_hidden_apart_and_nothing_else_is():
    ego = np.ones((400, 1, BEFORE_AT + 24), np.float32)
    forget(ego, 0.3, np.random.default_rng(0))
    past, before = (ego[:, 0, PAST_AT:BEFORE_AT] == 0.0).all(1), (ego[:, 0, BEFORE_AT:] == 0.0).all(1)
    assert (ego[:, 0, :PAST_AT] == 1.0).all()
    assert (ego[~past, 0, PAST_AT:BEFORE_AT] == 1.0).all()
    assert (ego[~before, 0, BEFORE_AT:] == 1.0).all()
    assert 0.2 < past.mean() < 0.4
    assert 0.2 < before.mean() < 0.4
    assert 0.03 < (past & before).mean() < 0.17


def test_two_processes_forget_what_one_does(stores):
    store = SampleStore.open(stores["train"])
    sampler = Sampler(store.tokens, 8, 3)
    whole = Steps(store, sampler, Branches(), Crew(), 0.5).at(5).features["ego"]
    parts = [Steps(store, sampler, Branches(), Crew(rank, 2), 0.5).at(5).features["ego"] for rank in range(2)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert not np.array_equal(whole, Steps(store, sampler, Branches(), Crew()).at(5).features["ego"])


def test_some_steps_are_in_the_models_own_words_and_two_processes_draw_what_one_does(stores):
    store = SampleStore.open(stores["train"])
    sampler = Sampler(store.tokens, 8, 3)
    alone = Steps(store, sampler, Branches(), Crew(), own_words=0.5)
    own = [step for step in range(20) if len(alone.at(step).own_at)]
    assert 4 < len(own) < 16
    plain = Steps(store, sampler, Branches(), Crew())
    for step in (own[0], next(step for step in range(20) if step not in own)):
        whole = alone.at(step)
        crew = [Steps(store, sampler, Branches(), Crew(rank, 2), own_words=0.5).at(step) for rank in range(2)]
        np.testing.assert_array_equal(np.concatenate([part.own_draw for part in crew]), whole.own_draw)
        parts = Steps(store, sampler, Branches(), Crew(), accumulate=2, own_words=0.5).parts(step)
        np.testing.assert_array_equal(np.concatenate([part.own_draw for part in parts]), whole.own_draw)
        np.testing.assert_array_equal(whole.row, plain.at(step).row)  # what else is drawn is drawn as ever
