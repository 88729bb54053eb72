from dataclasses import replace

import numpy as np
import pytest

from waytrace.geometry import Polylines
from waytrace.scenario import Action, Route, Script, Trigger, check_map, check_scenario


def edited(array, index, value):
    array = array.copy()
    array[index] = value
    return array


MAP_FAULTS = {
    "lane ids repeat": lambda m: {"lane_id": ("a", "a")},
    "centre.start does not rise": lambda m: {"centre": Polylines(m.centre.xy, edited(m.centre.start, 0, 1))},
    "centre 1 has 1 points": lambda m: {"centre": Polylines.of([[[0, 0], [1, 0]], [[1, 0]]])},
    "left.xy holds a value that is not finite": lambda m: {
        "left": Polylines(edited(m.left.xy, 0, np.nan), m.left.start)
    },
    "right.xy holds 1e": lambda m: {"right": Polylines(edited(m.right.xy, 0, 1e9), m.right.start)},
    "drivable 0 has 2 points": lambda m: {"drivable": Polylines.of([[[0, 0], [1, 1]]])},
    "successor_start does not rise": lambda m: {"successor_start": np.array([0, 2, 1], np.int32)},
    "successor[0] is 2": lambda m: {"successor": np.array([2], np.int32)},
    "left_neighbor[1] is -2": lambda m: {"left_neighbor": np.array([-1, -2], np.int32)},
    "right_neighbor of lane 1 is itself": lambda m: {"right_neighbor": np.array([-1, 1], np.int32)},
    "stop_line_lane[0] is 5": lambda m: {"stop_line_lane": np.array([5], np.int32)},
    "stop_line_xy holds": lambda m: {"stop_line_xy": np.full((1, 2, 2), np.inf)},
    "no LaneKind": lambda m: {"lane_kind": np.array([0, 9], np.uint8)},
    "no LaneControl": lambda m: {"lane_control": np.array([0, 9], np.uint8)},
    "neither positive nor NaN": lambda m: {"speed_limit_mps": np.array([0.0, np.nan])},
    "in_intersection is uint8": lambda m: {"in_intersection": np.zeros(2, np.uint8)},
    "lane_kind has shape (3,)": lambda m: {"lane_kind": np.zeros(3, np.uint8)},
    "left_neighbor is tuple": lambda m: {"left_neighbor": (-1, -1)},
}

AGENT_FAULTS = {
    "agent ids repeat": lambda a: {"agent_id": ("car0",) * 5},
    "no AgentKind": lambda a: {"kind": np.full(5, 7, np.uint8)},
    "size_m of agent 2 is not positive": lambda a: {"size_m": edited(a.size_m, (2, 1), 0.0)},
    "agents.xy holds a value that is not finite": lambda a: {"xy": edited(a.xy, (0, 0, 0), np.inf)},
    "agents.xy is not C-contiguous": lambda a: {"xy": np.asfortranarray(a.xy)},
    "agents.xy is not 0 where valid is false": lambda a: {"valid": edited(a.valid, (0, 3), False)},
    "the ego is not valid at start_step 10": lambda a: {"valid": edited(a.valid, (1, 10), False)},
    "the ego is not valid at end_step 30": lambda a: {"valid": edited(a.valid, (1, 30), False)},
    "agents.kind is int64": lambda a: {"kind": np.zeros(5, np.int64)},
    "agents.valid has shape": lambda a: {"valid": np.ones((5, 30), np.bool_)},
}

SCENARIO_FAULTS = {
    "id is empty": lambda s: {"id": ""},
    "source is empty": lambda s: {"source": ""},
    "licence is empty": lambda s: {"provenance": replace(s.provenance, licence="")},
    "not plain JSON": lambda s: {"provenance": replace(s.provenance, details={"x": object()})},
    "dt_s is 0.5": lambda s: {"dt_s": 0.5},
    "ego_index is 5": lambda s: {"ego_index": 5},
    "start_step is 31": lambda s: {"start_step": 31},
    "end_step 10 is not after": lambda s: {"end_step": 10},
    "end_step 40 is beyond": lambda s: {"end_step": 40},
    "the route is empty": lambda s: {"route": Route(())},
    "route group 0 is empty": lambda s: {"route": Route(((), (1,)))},
    "route group 1 is empty or names a lane twice": lambda s: {"route": Route(((0,), (1, 1)))},
    "the route names lane 2": lambda s: {"route": Route(((0,), (2,)))},
    "route group 0 does not lead on to group 1": lambda s: {"route": Route(((1,), (0,)))},
    "lights.lane[0] is 7": lambda s: {"lights": replace(s.lights, lane=np.array([7], np.int32))},
    "lights.xy holds": lambda s: {"lights": replace(s.lights, xy=np.full((1, 2), np.nan))},
    "no LightState": lambda s: {"lights": replace(s.lights, state=np.full((31, 1), 5, np.uint8))},
    "lights.state has shape|where": lambda s: {"lights": replace(s.lights, state=np.full((30, 1), 3, np.uint8))},
    "script 0 is for agent 1, the ego": lambda s: {"scripts": (Script(1, Trigger.TIME, 0.0, Action.BRAKE, 1.0),)},
    "script 0 comes after": lambda s: {"scripts": (Script(0, Trigger.AFTER, 0.0, Action.BRAKE, 1.0),)},
    "script 0 has target_lane -1": lambda s: {"scripts": (Script(0, Trigger.TIME, 0.0, Action.CHANGE_LANE, 1.0),)},
    "agent_route has 1 entries": lambda s: {"agent_route": ((0,),)},
    "agent_route of agent 2 names": lambda s: {"agent_route": ((), (), (0, 9), (), ())},
    "agent 2: lane 1 does not lead on to lane 0": lambda s: {"agent_route": ((), (), (1, 0), (), ())},
    "assertive has shape": lambda s: {"assertive": np.zeros(4, np.bool_)},
}


def test_a_sound_scenario_has_no_faults(make_scenario):
    assert check_scenario(make_scenario()) == []


@pytest.mark.parametrize("fault", MAP_FAULTS)
def test_a_fault_of_the_map_is_named(make_scenario, fault):
    scenario = make_scenario()
    road = replace(scenario.map, **MAP_FAULTS[fault](scenario.map))
    assert any(fault in found for found in check_map(road)), check_map(road)
    assert any(found.startswith("map: ") and fault in found for found in check_scenario(scenario.with_(map=road)))


@pytest.mark.parametrize("fault", AGENT_FAULTS)
def test_a_fault_of_the_agents_is_named(make_scenario, fault):
    scenario = make_scenario()
    found = check_scenario(scenario.with_(agents=replace(scenario.agents, **AGENT_FAULTS[fault](scenario.agents))))
    assert any(fault in f for f in found), found


@pytest.mark.parametrize("fault", SCENARIO_FAULTS)
def test_a_fault_of_the_scenario_is_named(make_scenario, fault):
    scenario = make_scenario()
    found = check_scenario(scenario.with_(**SCENARIO_FAULTS[fault](scenario)))
    assert any(part in f for f in found for part in fault.split("|")), found
