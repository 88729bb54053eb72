from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from waytrace.geometry import from_frame, to_frame, wrap
from waytrace.scenario import (
    Action,
    EditError,
    LaneControl,
    LightState,
    Script,
    Trigger,
    check_scenario,
    delay,
    index_of,
    keep_only,
    map_hash,
    permuted,
    raise_limit,
    remove,
    remove_stop_line,
    scenario_hash,
    set_light,
    shift,
    slow,
    transformed,
)

FEW = settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])


def others(scenario):
    return [i for i in range(len(scenario.agents)) if i != scenario.ego_index]


def by_id(scenario):
    """All that is said of each agent, by its id."""
    agents = scenario.agents
    return {
        id: (
            tuple(
                getattr(agents, name)[i].tobytes()
                for name in ("kind", "size_m", "xy", "heading_rad", "velocity_mps", "valid")
            ),
            scenario.agent_route[i] if scenario.agent_route else None,
            None if scenario.assertive is None else bool(scenario.assertive[i]),
            [replace(script, agent=0) for script in scenario.scripts if script.agent == i],
        )
        for i, id in enumerate(agents.agent_id)
    }


@given(data=st.data())
@FEW
def test_every_edit_leaves_a_sound_scenario_and_its_original_alone(scenarios, data):
    scenario = data.draw(scenarios)
    assume(others(scenario))
    before = scenario_hash(scenario)
    agent = data.draw(st.sampled_from(others(scenario)))
    assume(scenario.agents.valid[agent].any())
    edits = [
        lambda: remove(scenario, [agent]),
        lambda: keep_only(scenario, [agent]),
        lambda: shift(scenario, agent, data.draw(st.floats(-9, 9)), data.draw(st.floats(-3, 3))),
        lambda: slow(scenario, agent, data.draw(st.floats(0.1, 2))),
        lambda: delay(scenario, agent, data.draw(st.floats(-1, 1))),
        lambda: raise_limit(scenario, 3.0),
    ]
    if len(scenario.lights.lane):
        edits.append(lambda: set_light(scenario, 0, LightState.RED))
    if len(scenario.map.stop_line_lane):
        edits.append(lambda: remove_stop_line(scenario, 0))
    edited = data.draw(st.sampled_from(edits))()
    assert check_scenario(edited) == []
    assert edited.id.startswith(f"{scenario.id}+")
    assert scenario_hash(edited) != before
    assert scenario_hash(scenario) == before
    assert len(edited.provenance.details["edits"]) == 1
    assert {**edited.provenance.details, "edits": 0} == {**scenario.provenance.details, "edits": 0}


@given(data=st.data())
@FEW
def test_removing_agents_leaves_all_that_is_said_of_the_others(scenarios, data):
    scenario = data.draw(scenarios)
    gone = data.draw(st.sets(st.sampled_from(others(scenario)))) if others(scenario) else set()
    edited = remove(scenario, gone)
    names = {scenario.agents.agent_id[i] for i in gone}
    assert by_id(edited) == {id: said for id, said in by_id(scenario).items() if id not in names}
    assert edited.agents.agent_id[edited.ego_index] == scenario.agents.agent_id[scenario.ego_index]
    assert edited.map is scenario.map
    kept = [i for i in others(scenario) if i not in gone]
    assert by_id(keep_only(scenario, kept)) == by_id(edited)
    assert by_id(
        remove(remove(scenario, list(gone)[:1]), [scenario.agents.agent_id[i] for i in list(gone)[1:]])
    ) == by_id(edited)


@given(data=st.data())
@FEW
def test_another_order_is_the_same_scenario(scenarios, data):
    scenario = data.draw(scenarios)
    order = data.draw(st.permutations(range(len(scenario.agents))))
    other = permuted(scenario, order)
    assert check_scenario(other) == []
    assert by_id(other) == by_id(scenario)
    assert other.agents.agent_id == tuple(scenario.agents.agent_id[i] for i in order)
    assert other.id == scenario.id
    assert scenario_hash(permuted(other, np.argsort(order))) == scenario_hash(scenario)


@given(data=st.data(), pose=st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(-4, 4)))
@FEW
def test_another_frame_is_the_same_scenario(scenarios, data, pose):
    scenario = data.draw(scenarios)
    other = transformed(scenario, pose)
    at = np.array(pose)
    assert check_scenario(other) == []
    assert np.array_equal(other.agents.valid, scenario.agents.valid)
    valid = scenario.agents.valid
    assert np.allclose(other.agents.xy[valid], from_frame(scenario.agents.xy[valid], at), atol=1e-9)
    turned = wrap(other.agents.heading_rad - scenario.agents.heading_rad - pose[2])[valid]
    assert np.allclose(turned, 0, atol=1e-9)
    speed = [np.hypot(*s.agents.velocity_mps.T) for s in (scenario, other)]
    assert np.allclose(*speed, atol=1e-9)
    for name in ("centre", "left", "right", "crosswalk", "drivable"):
        assert np.allclose(to_frame(getattr(other.map, name).xy, at), getattr(scenario.map, name).xy, atol=1e-8)
    for a, b in zip(scenario.scripts, other.scripts, strict=True):
        assert np.allclose(to_frame(np.array(b.to_xy), at), a.to_xy, atol=1e-7)
    x, y = -to_frame(np.zeros(2), np.array([0, 0, -pose[2]])) - to_frame(np.array(pose[:2]), np.array([0, 0, pose[2]]))
    back = transformed(other, (x, y, -pose[2]))
    assert np.allclose(back.agents.xy, scenario.agents.xy, atol=1e-8)
    assert np.allclose(back.lights.xy, scenario.lights.xy, atol=1e-8)
    assert np.allclose(back.map.stop_line_xy, scenario.map.stop_line_xy, atol=1e-8)


def test_a_shift_is_along_and_across_the_heading(make_scenario):
    scenario = transformed(make_scenario(), (0.0, 0.0, np.pi / 2))
    edited = shift(scenario, "car2", 3.0, 1.0)
    assert np.allclose(edited.agents.xy[2] - scenario.agents.xy[2], [-1.0, 3.0])
    assert np.array_equal(edited.agents.velocity_mps, scenario.agents.velocity_mps)
    rest = [0, 1, 3, 4]
    assert np.array_equal(edited.agents.xy[rest], scenario.agents.xy[rest])
    assert edited.id == "one+shift-car2-+3-+1"
    assert np.allclose(shift(edited, 2, -3.0, -1.0).agents.xy, scenario.agents.xy)


@pytest.mark.parametrize("factor", [0.0, 0.25, 0.5, 1.0, 1.5])
def test_a_slowed_agent_keeps_its_path_and_its_place_at_the_start(make_scenario, factor):
    scenario = make_scenario()
    edited = slow(scenario, "car3", factor)
    xy, valid = edited.agents.xy[3], edited.agents.valid[3]
    assert np.allclose(xy[10], scenario.agents.xy[3, 10])
    assert np.allclose(xy[valid, 1], 0.0)
    assert np.allclose(edited.agents.velocity_mps[3, valid], factor * scenario.agents.velocity_mps[3, 0])
    along = np.diff(xy[valid, 0])
    assert np.allclose(along, 0.1 * edited.agents.velocity_mps[3, valid][1:, 0])
    assert valid.all() or factor > 1
    if factor == 1.0:
        assert np.array_equal(edited.agents.xy, scenario.agents.xy)
        assert np.array_equal(edited.agents.heading_rad, scenario.agents.heading_rad)


def test_slowing_a_turning_agent_interpolates_across_the_branch_cut(make_scenario):
    scenario = make_scenario()
    heading = scenario.agents.heading_rad.copy()
    heading[3] = wrap(np.pi + 0.01 * (np.arange(31) - 20.5))
    edited = slow(scenario.with_(agents=replace(scenario.agents, heading_rad=heading)), 3, 0.5)
    steps = wrap(np.diff(edited.agents.heading_rad[3]))
    assert np.allclose(steps, 0.005, atol=1e-9)


@pytest.mark.parametrize("seconds", [0.0, 0.3, 1.5, 5.0, -0.3])
def test_a_delayed_agent_does_the_same_later(make_scenario, seconds):
    scenario = make_scenario()
    agents = scenario.agents
    curve = agents.xy.copy()
    curve[3, :, 1] = 0.001 * np.arange(31) ** 2
    scenario = scenario.with_(agents=replace(agents, xy=curve))
    edited = delay(scenario, 3, seconds)
    late = round(seconds * 10)
    if late >= 0:
        assert edited.agents.valid[3].all()
        assert np.allclose(edited.agents.xy[3, late:], curve[3, : max(0, 31 - late)], atol=1e-12)
        arriving = edited.agents.xy[3, : late + 1]
        assert np.allclose(np.diff(arriving, axis=0), 0.1 * agents.velocity_mps[3, 0])
    else:
        assert np.allclose(edited.agents.xy[3, :late], curve[3, -late:])
        assert not edited.agents.valid[3, late:].any()


def test_an_agent_that_comes_into_view_later_is_not_seen_before(make_scenario):
    scenario = make_scenario()
    valid = scenario.agents.valid.copy()
    valid[3, :15] = False
    xy, velocity = scenario.agents.xy.copy(), scenario.agents.velocity_mps.copy()
    xy[3, :15] = velocity[3, :15] = 0
    scenario = scenario.with_(agents=replace(scenario.agents, valid=valid, xy=xy, velocity_mps=velocity))
    assert check_scenario(scenario) == []
    for edited in (delay(scenario, 3, 1.0), slow(scenario, 3, 0.5)):
        assert check_scenario(edited) == []
        assert np.array_equal(edited.agents.valid[3], valid[3])
    assert np.allclose(slow(scenario, 3, 0.5).agents.xy[3, 15], xy[3, 15])


def test_gaps_stay_gaps(make_scenario):
    scenario = make_scenario()
    valid = scenario.agents.valid.copy()
    valid[3, 18:20] = False
    agents = replace(scenario.agents, valid=valid, xy=scenario.agents.xy * valid[..., None])
    agents = replace(agents, velocity_mps=agents.velocity_mps * valid[..., None])
    edited = delay(scenario.with_(agents=agents), 3, 0.5)
    assert np.flatnonzero(~edited.agents.valid[3]).tolist() == [23, 24]
    assert check_scenario(edited) == []


def test_scripts_follow_their_agent(make_scenario):
    walk = Script(3, Trigger.TIME, 2.0, Action.WALK, 1.4, to_xy=(5.0, 5.0))
    brake = Script(0, Trigger.EGO_TIME, 3.0, Action.BRAKE, 4.0, at_xy=(9.0, 9.0), target_speed_mps=2.0)
    scenario = make_scenario().with_(scripts=(walk, brake))
    assert remove(scenario, ["car0"]).scripts == (replace(walk, agent=2),)
    assert remove(scenario, ["car3"]).scripts == (brake,)
    assert delay(scenario, 3, 1.5).scripts == (replace(walk, trigger_value=3.5), brake)
    assert delay(scenario, 0, 1.5).scripts == (walk, brake)
    assert shift(scenario, 3, 1.0, 2.0).scripts == (replace(walk, at_xy=(1.0, 2.0), to_xy=(6.0, 7.0)), brake)
    assert slow(scenario, 3, 0.5).scripts == (replace(walk, trigger_value=4.0, value=0.7), brake)
    assert slow(scenario, 0, 0.5).scripts == (walk, replace(brake, target_speed_mps=1.0))
    assert slow(scenario, 3, 0.0).scripts == (brake,)


def test_lights_limits_and_stop_lines(make_scenario):
    scenario = make_scenario().with_(initial_speed_limit_mps=10.0)
    red = set_light(scenario, 0, LightState.RED, from_step=12)
    assert red.lights.state[:, 0].tolist() == [3] * 12 + [1] * 19
    assert red.id == "one+light-0-red"
    faster = raise_limit(scenario, 5.0)
    assert np.array_equal(faster.map.speed_limit_mps, [18.0, np.nan], equal_nan=True)
    assert faster.initial_speed_limit_mps == 15.0
    assert np.isnan(raise_limit(scenario, 5.0, [1]).map.speed_limit_mps[1])
    assert raise_limit(scenario, 5.0, [0]).initial_speed_limit_mps == 10.0
    assert scenario.map.lane_control[1] == LaneControl.STOP
    free = remove_stop_line(scenario, 0)
    assert (len(free.map.stop_line_lane), free.map.stop_line_xy.shape) == (0, (0, 2, 2))
    assert free.map.lane_control[1] == LaneControl.NONE
    assert len({map_hash(s.map) for s in (scenario, faster, free)}) == 3


def test_a_second_line_keeps_the_duty_to_stop(make_scenario):
    scenario = make_scenario()
    road = scenario.map
    doubled = replace(road, stop_line_xy=np.repeat(road.stop_line_xy, 2, axis=0), stop_line_lane=np.zeros(2, np.int32))
    assert remove_stop_line(scenario.with_(map=doubled), 1).map.lane_control[1] == LaneControl.STOP


def test_edits_are_noted_one_after_another(make_scenario):
    edited = slow(remove(make_scenario(), ["car4"]), "car3", 0.5)
    assert edited.id == "one+without-car4+slow-car3-0.5"
    assert edited.provenance.details["edits"] == [
        {"edit": "remove", "agents": ["car4"]},
        {"edit": "slow", "agent": "car3", "factor": 0.5},
    ]
    many = make_scenario(agents=12)
    a, b = remove(many, range(2, 9)), remove(many, range(3, 10))
    assert a.id.startswith("one+without-7-")
    assert a.id != b.id
    assert keep_only(many, []).id == "one+only-none"


def test_an_ego_that_is_retimed_ends_where_it_ends(make_scenario):
    scenario = make_scenario()
    assert slow(scenario, 1, 2.0).end_step == 20
    assert slow(scenario, 1, 0.5).end_step == 30
    assert check_scenario(slow(scenario, 1, 2.0)) == []
    with pytest.raises(EditError, match="not be there"):
        delay(scenario, 1, -2.5)


def test_what_is_not_there_cannot_be_edited(make_scenario):
    scenario = make_scenario()
    assert index_of(scenario, "car2") == index_of(scenario, 2) == 2
    valid = scenario.agents.valid.copy()
    valid[4] = False
    never = scenario.with_(agents=replace(scenario.agents, valid=valid))
    refused = [
        lambda: remove(scenario, ["car1"]),
        lambda: remove(scenario, ["nobody"]),
        lambda: keep_only(scenario, [5]),
        lambda: shift(scenario, -1, 1.0),
        lambda: shift(never, 4, 1.0),
        lambda: slow(never, 4, 0.5),
        lambda: slow(scenario, 0, -1.0),
        lambda: slow(scenario, 0, float("nan")),
        lambda: delay(scenario, 0, float("inf")),
        lambda: set_light(scenario, 1, LightState.RED),
        lambda: raise_limit(scenario, -20.0),
        lambda: raise_limit(scenario, float("nan")),
        lambda: raise_limit(scenario.with_(initial_speed_limit_mps=5.0), -6.0),
        lambda: raise_limit(scenario, 1.0, [2]),
        lambda: remove_stop_line(scenario, 1),
        lambda: permuted(scenario, [0, 0, 1, 2, 3]),
    ]
    for edit in refused:
        with pytest.raises(EditError):
            edit()
