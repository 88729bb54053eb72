"""Collecting samples: who drives, whose word counts, and that an interrupted collection goes on."""

from __future__ import annotations

import itertools
import sys
from collections import Counter

import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.evaluate.load import PlannerError
from waytrace.label import label_drive, label_store
from waytrace.learn.collect import CollectError, collect
from waytrace.learn.drivers import Learner, Noise, Perturbed, generator, off_course
from waytrace.learn.drives import drive_samples, samples_of
from waytrace.learn.packing import pack
from waytrace.learn.sample import DRIVERS
from waytrace.planners import ConstantVelocity, Expert
from waytrace.scenario import AgentKind, SplitError, StoreError
from waytrace.scenario.store import ScenarioWriter
from waytrace.trace import sets

from ..planners.conftest import scene

SHORT = {"count": 2, "families": ["ccrm"], "first_seed": 400_000, "every_s": 4.0, "workers": 1}


@pytest.fixture(autouse=True)
def _one_drive_a_shard(monkeypatch):
    monkeypatch.setattr(sys.modules[collect.__module__], "SHARD_DRIVES", 1)


def hashes(store):
    return [entry["sha256"] for entry in store.manifests[0]["shards"]]


def test_repeating_the_call_makes_what_is_missing_and_nothing_else(tmp_path):
    out = tmp_path / "out"
    first = hashes(collect(out, **SHORT))
    shards = sorted((out / "shards").glob("*.safetensors"))
    kept = shards[0].stat().st_mtime_ns
    shards[1].unlink()
    seen = []
    again = collect(out, **SHORT, progress=lambda done, total, last: seen.append((done, total, last)))
    assert seen == [(2, 2, "ccrm/train/400001")]
    assert hashes(again) == first
    assert shards[0].stat().st_mtime_ns == kept
    more = collect(out, **SHORT | {"count": 3})
    assert hashes(more)[:2] == first
    assert len(hashes(more)) == 3


def test_other_settings_need_another_folder(tmp_path):
    out = tmp_path / "out"
    collect(out, **SHORT | {"count": 1})
    with pytest.raises(CollectError, match=r"every_s: 4\.0 -> 2\.0"):
        collect(out, **SHORT | {"count": 1, "every_s": 2.0})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("")
    with pytest.raises(CollectError, match="no collection of samples"):
        collect(tmp_path / "mine", **SHORT)


@pytest.mark.slow
def test_samples_do_not_depend_on_the_number_of_workers(tmp_path):
    perturbed = SHORT | {"driver": "perturbed", "count": 3}
    one, two = (collect(tmp_path / str(n), **perturbed | {"workers": n}) for n in (1, 2))
    assert hashes(one) == hashes(two)


def test_the_splits_are_law(tmp_path):
    with pytest.raises(SplitError, match="split 'select'"):
        collect(tmp_path / "no", **SHORT, split="select")
    held_out = collect(tmp_path / "yes", **SHORT | {"count": 1, "first_seed": 900}, split="select", purpose="tune")
    assert all("/select/" in id for id in held_out.scenarios)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"driver": "me"}, "no driver 'me'"), ({"driver": "policy"}, "needs a planner"),
     ({"planner": "idm"}, "no other driver has one"), ({"driver": "policy", "planner": "oracle"}, "privileged"),
     ({"labels": "somewhere"}, "say which store"), ({"count": None}, "how many drives")],
)  # fmt: skip
def test_wrong_settings_are_explained(settings, message, tmp_path):
    with pytest.raises(CollectError, match=message):
        collect(tmp_path / "out", **SHORT | settings)


def test_an_unknown_planner_is_refused_before_anything_is_driven(tmp_path):
    with pytest.raises(PlannerError, match="No planner is called"):
        collect(tmp_path / "out", **SHORT, driver="policy", planner="nobody")


def test_noise_takes_the_expert_off_its_course_and_the_label_is_what_it_would_do_there():
    scenario, noise = generate("cut-in", 3), Noise(share=1.0)
    plain = list(label_drive(scenario))
    moments = list(label_drive(scenario, driver=Perturbed(noise, generator(1))))
    places = [[m.at.scene.ego.pose[:2] for m in run] for run in (plain, moments)]
    n = min(map(len, places))
    apart = np.hypot(*(np.array(places[0][:n]) - np.array(places[1][:n])).T)
    assert apart[0] == 0.0
    assert apart[1:].max() > 0.3
    expert, state = Expert(), None
    for moment in moments[:8]:
        plan, _, state = expert.plan(moment.observation, state)
        assert (moment.label.plan.accel_mps2.reshape(-1) == plan.accel_mps2[0]).all()
    for earlier, later in itertools.pairwise(moments):
        assert later.before is earlier.label.trace


def test_without_noise_the_expert_keeps_its_course():
    scenario, silent = generate("ccrm", 3), Noise(share=0.0, across_m=0.0, turned_rad=0.0, speed_share=0.0)
    assert (off_course(scenario, silent, generator(1)).agents.xy == scenario.agents.xy).all()
    drives = [
        list(drive_samples(scenario, "expert", driver, tally=Counter(), every_s=2.0))
        for driver in (None, Perturbed(silent, generator(1)))
    ]
    assert all((a == b).all() for a, b in zip(*(pack(drive, [scenario.id]) for drive in drives), strict=True))


def test_a_start_off_course_moves_the_ego_and_its_past_alone():
    scenario = generate("ccrm", 3)
    moved = off_course(scenario, Noise(), generator(5))
    now, i = scenario.start_step, scenario.ego_index
    assert not np.allclose(moved.agents.xy[i, now], scenario.agents.xy[i, now])
    others = np.arange(len(scenario.agents)) != i
    assert (moved.agents.xy[others] == scenario.agents.xy[others]).all()
    way = np.diff(moved.agents.xy[i, : now + 1], axis=0)
    direction = moved.agents.heading_rad[i, now]
    driven = way @ [np.cos(direction), np.sin(direction)] / scenario.dt_s
    speed = np.hypot(*moved.agents.velocity_mps[i, now])
    assert driven[-1] == pytest.approx(speed, rel=0.05)


def test_a_learner_drives_and_the_expert_is_asked_where_it_comes_to():
    scenario, tally = generate("ccrs", 3), Counter()
    samples = list(drive_samples(scenario, "policy", Learner(ConstantVelocity(), scenario.id), tally=tally))
    assert tally["crashed"] == 1
    assert len(samples) == tally["decisions"] < len(list(label_drive(scenario)))
    speeds = [sample.speed_mps for sample in samples]
    assert speeds == pytest.approx([speeds[0]] * len(speeds), abs=0.2)
    assert all(sample.before == (-1, -1) for sample in samples)
    assert samples[-1].branches[0].accel_mps2.min() < -2.0


class Saying:
    """The expert, which also says that it yields."""

    name, privileged = "saying", False

    def __init__(self):
        self.expert = Expert()

    def reset(self, ids, world=None):
        self.expert.reset(ids)

    def plan(self, observation, state):
        plan, _, state = self.expert.plan(observation, state)
        (moment,) = label_drive(generate("ccrm", 3), ticks=[0])
        trace = moment.label.trace
        said = trace.decision.__class__(**{**vars(trace.decision), "longitudinal": "yield"})
        return plan, [trace.__class__(**{**vars(trace), "decision": said})], state


def test_what_the_learner_decided_last_is_what_changes_are_told_by():
    scenario = generate("ccrm", 3)
    samples = list(drive_samples(scenario, "policy", Learner(Saying(), scenario.id), tally=Counter(), every_s=2.0))
    assert samples[0].before == (-1, -1)
    assert {sample.before[0] for sample in samples[1:]} == {sets.LONGITUDINAL.number("yield")}


@pytest.fixture
def scenarios(tmp_path):
    path = tmp_path / "scenarios"
    with ScenarioWriter(path) as writer:
        for seed in (3, 4):
            writer.add(generate("ccrm", seed))
    return path


def test_labels_driven_again_give_the_samples_that_driving_gave(scenarios, tmp_path):
    labels = label_store(scenarios, tmp_path / "labels", runner_up=True)
    again = collect(tmp_path / "again", scenarios=scenarios, labels=labels.path, workers=1)
    driven = collect(tmp_path / "driven", scenarios=scenarios, workers=1)
    assert len(again) == len(driven) == len(labels)
    for one, other in zip(again._shards, driven._shards, strict=True):
        for name, a, b in zip(one._fields, one, other, strict=True):
            if name in ("accel", "curvature", "speed", "features"):
                a, b = (x.view(np.float16) if name == "features" else x for x in (a, b))
                assert a == pytest.approx(b, abs=2e-3), name
            else:
                assert (a == b).all(), name


def test_what_a_recorded_driver_did_becomes_samples_of_the_log(tmp_path):
    recorded = scene((AgentKind.VEHICLE, 80.0, 0.0, 0.0, 6.0), speed=6.0)
    with ScenarioWriter(tmp_path / "recorded") as writer:
        writer.add(recorded)
    settings = {"purpose": "report", "workers": 1}
    labels = label_store(tmp_path / "recorded", tmp_path / "labels", human=True, every_s=2.0, **settings)
    store = collect(tmp_path / "out", scenarios=tmp_path / "recorded", labels=labels.path, **settings)
    batch = store.batch(range(len(store)))
    assert len(store) == len(labels) >= 3
    assert {DRIVERS[d] for d in batch.driver} == {"log"}
    assert batch.tick.tolist() == [line.tick for line in labels]
    assert batch.speed == pytest.approx(6.0, abs=1e-3)
    assert batch.accel[:, 0] == pytest.approx(0.0, abs=0.05)
    assert not batch.present[:, 1].any()
    assert (batch.before[0] == -1).all()
    assert (batch.before[1:] == batch.decision[:-1, 0]).all()


def test_labels_with_gaps_or_of_other_scenes_cannot_be_driven_again(scenarios, tmp_path):
    labels = label_store(scenarios, tmp_path / "labels", every_s=4.0, limit=1)
    with pytest.raises(StoreError, match="have none at tick 5"):
        list(samples_of(labels, generate("ccrm", 3), Counter()))
    whole = label_store(scenarios, tmp_path / "whole", limit=1)
    scenario = generate("ccrm", 3)
    agents = scenario.agents
    elsewhere = scenario.with_(agents=agents.__class__(**{**vars(agents), "xy": agents.xy + 0.5}))
    with pytest.raises(StoreError, match=r"starts 0\.5 away"):
        list(samples_of(whole, elsewhere, Counter()))
