from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from waytrace.observe import Observation, Reference, ReferenceKind, Scene, SceneRecord, history_rows
from waytrace.scenario import Scenario, WaytraceError


class Tape:
    """Records a bench tick by tick, as the simulator does."""

    def __init__(self, bench: Any) -> None:
        self.bench, self.pose, self.speed, self.present, self.seen = bench, [], [], [], []

    def observe(self, tick: int) -> Observation:
        b = self.bench
        arrays = b.observe(tick)
        s = b.state
        self.pose.append(np.stack([s.x, s.y, s.heading], -1))
        self.speed.append(s.speed.copy())
        self.present.append(s.present.copy())
        self.seen.append(b.memory.seen_tick == tick)
        rows = len(b.row_slot)
        return Observation.of(arrays, ["s"] * rows, np.full(rows, tick, np.int32), self)

    def scene_record(self, row: int, tick: int) -> SceneRecord:
        b, w = self.bench, int(np.searchsorted(self.bench.row_lo, row, "right") - 1)
        upto = slice(0, tick + 1)
        return SceneRecord(
            "s", b.scenario.map, b.scenario.route, tick, int(b.row_slot[row]), b.state.kind[w],
            np.stack([b.state.length[w], b.state.width[w]], -1), np.array(self.pose)[upto, w],
            np.array(self.speed)[upto, w], np.array(self.present)[upto, w], np.array(self.seen)[upto, row], 0.0, 0.0,
            b.scenario.lights.lane, b.scenario.lights.xy, b.scenario.lights.state[0],
        )  # fmt: skip


@pytest.fixture
def drive(make_bench: Any) -> list[Observation]:
    bench = make_bench(4, agents=40)
    tape = Tape(bench)
    out = []
    for tick in range(45):
        if tick == 20:
            bench.state.present[:, 9] = False
        out.append(tape.observe(tick))
        bench.drive(np.random.default_rng(tick))
    return out


def test_scene_and_arrays_hold_the_same_agents(drive: list[Observation]) -> None:
    lost = 0
    for observation in drive[::4]:
        for row in range(len(observation)):
            scene = observation.scenes[row]
            held = observation.reference[row, :31]
            held = held[held >= 0]
            assert np.array_equal(scene.agents.index[: len(held)], held)
            assert scene.agents.in_arrays.sum() == len(held)
            ages = observation.agents[row, : len(held), 7]
            assert np.allclose(scene.agents.age_s[: len(held)], ages, atol=1e-6)
            assert np.allclose(scene.agents.speed_mps[: len(held)], observation.agents[row, : len(held), 4], atol=1e-5)
            lost += int((ages > 0).sum())
            cut = scene.agents.index[len(held) :]
            for i in cut:
                assert scene.truncated(Reference(ReferenceKind.AGENT, int(i)))
                assert observation.truncated(row, Reference(ReferenceKind.AGENT, int(i)))
            assert not any(scene.truncated(ref) or observation.truncated(row, ref) for ref in scene.elements())
    assert lost > 0


def arrays_in(value: Any) -> list[np.ndarray]:
    if isinstance(value, np.ndarray):
        return [value]
    if dataclasses.is_dataclass(value):
        return [a for f in dataclasses.fields(value) for a in arrays_in(getattr(value, f.name))]
    assert not isinstance(value, Scenario | SceneRecord)
    return []


def test_a_scene_knows_neither_the_future_nor_the_hidden(make_bench: Any) -> None:
    secret = 123456.75
    bench = make_bench(4, agents=40)
    tape = Tape(bench)
    observations = [tape.observe(tick) for tick in range(3)]
    kept = observations[2].scenes[0]
    rows = [a.tobytes() for a in arrays_in(kept)]
    hidden = ~np.array(tape.seen)[:, 0]
    hidden[:, 0] = False
    for tick in range(3):
        tape.pose[tick][0, hidden[tick]] = secret
        tape.speed[tick][0, hidden[tick]] = secret
    bench.place(secret, secret, 0.0, secret)
    tape.observe(3)
    again = Scene.of(tape.scene_record(0, 2), observations[2].reference[0])
    assert [a.tobytes() for a in arrays_in(again)] == rows
    assert not any((a == secret).any() for a in arrays_in(again) if a.dtype.kind == "f")
    assert hidden.any()


def test_history_is_kept_for_the_ticks_in_which_an_agent_was_seen(drive: list[Observation]) -> None:
    agents = drive[44].scenes[0].agents
    assert agents.pose_history.shape == (45, len(agents), 3)
    assert not agents.pose_history[~agents.history_valid].any()
    assert np.array_equal(agents.visible, agents.history_valid[-1])
    now = agents.visible
    assert np.array_equal(agents.pose_history[-1, now], agents.pose[now])
    accel, yaw = agents.rate(0.5)
    assert np.isfinite(accel).all()
    assert np.isfinite(yaw).all()


def test_history_rows_end_in_the_present_rows(drive: list[Observation]) -> None:
    o = drive[44]
    rows, valid = history_rows(o.scenes)
    assert rows.shape == (len(o), 32, 10, 5)
    assert np.allclose(rows[:, 0, 0], [[0, 0, 1, 0, speed] for speed in o.ego[:, 0]], atol=1e-5)
    seen = valid[:, 1:, 0]
    assert np.array_equal(seen, o.agents[..., 8] == 1.0)
    assert np.allclose(rows[:, 1:, 0][seen], o.agents[..., :5][seen], atol=1e-4)
    assert not rows[~valid].any()
    early, seen = history_rows(drive[2].scenes)
    assert not seen[:, :, 2:].any()
    assert not early[:, :, 2:].any()


def test_references_survive_their_text() -> None:
    for kind in ReferenceKind:
        assert Reference.parse(str(Reference(kind, 17))) == Reference(kind, 17)
    for text in ("", "agent", "agent:", "agent:-1", "agent:x", "tree:3", "agent:1:2", "agent:²"):
        with pytest.raises(ValueError, match="no reference"):
            Reference.parse(text)


def test_valid_and_reference_table(drive: list[Observation]) -> None:
    o = drive[-1]
    table = o.references()
    assert table.shape == (len(o), 151, 2)
    assert np.array_equal(o.valid("map"), table[:, 31:127, 1] >= 0)
    ref = o.reference_of(0, 31)
    assert ref is not None
    assert ref.kind == ReferenceKind.LANE
    assert not o.truncated(0, Reference(ReferenceKind.EGO, 0))
    with pytest.raises(KeyError, match="no table"):
        o.valid("trees")


def test_scenes_without_a_source_say_what_to_do(make_bench: Any) -> None:
    o = Observation.of(make_bench(0).observe(0), ["s"] * 8, np.zeros(8, np.int32), None)
    with pytest.raises(WaytraceError, match="record=True"):
        o.scenes[0]
