import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from waytrace.geometry import Polylines
from waytrace.scenario import Action, Provenance, Route, Script, Trigger, map_hash, scenario_hash
from waytrace.scenario._layout import MAP_LAYOUT, SCENARIO_LAYOUT, map_arrays, scenario_arrays
from waytrace.scenario.hashing import canonical_json

PROGRAM = """
import numpy as np
from waytrace.geometry import Polylines
from waytrace.scenario import *
line = Polylines.of([[[0, 0], [9, 0]]])
none = Polylines.of([])
minus = np.full(1, -1, np.int32)
road = RoadMap(("a",), line, line, line, np.zeros(0, np.int32), np.zeros(2, np.int32), minus, minus,
               np.array([np.nan]), np.zeros(1, np.uint8), np.zeros(1, np.bool_), np.zeros(1, np.uint8),
               np.zeros((0, 2, 2)), np.zeros(0, np.int32), none, none)
agents = Agents(("e",), np.zeros(1, np.uint8), np.array([[4.5, 1.9]]), np.zeros((1, 3, 2)), np.zeros((1, 3)),
                np.zeros((1, 3, 2)), np.ones((1, 3), np.bool_))
scenario = Scenario("x", "test", road, Lights.none(3), agents, 0, Route(((0,),)), 1, 2,
                    Provenance("MIT", "me", details={"b": 1, "a": [2.5, None]}))
print(scenario_hash(scenario))
"""
GOLDEN = "337274c2a337c07378f28a1cb0635e6e0e54d5e72116025182f7d59657dfa152"


@pytest.mark.parametrize("seed", ["0", "1234"])
def test_the_hash_is_the_same_in_every_process(seed):
    """It stands in results and caches on disk: should it have to change, the formats' versions change with it."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == GOLDEN


def test_every_array_counts(make_scenario):
    scenario = make_scenario()
    before = scenario_hash(scenario)
    arrays = {**map_arrays(scenario.map), **scenario_arrays(scenario)}
    assert arrays.keys() == {*MAP_LAYOUT, *SCENARIO_LAYOUT}
    for name, array in arrays.items():
        if array.size == 0:
            continue
        old = array.flat[-1]
        array.flat[-1] = not old if array.dtype == np.bool_ else 1 if np.isnan(old) else old + 1
        assert scenario_hash(scenario) != before, name
        array.flat[-1] = old
        assert scenario_hash(scenario) == before, name


def test_every_field_counts_but_the_path_of_the_file(make_scenario):
    scenario = make_scenario()
    provenance = scenario.provenance
    changed = {
        "id": "other",
        "source": "other",
        "ego_index": 2,
        "route": Route(((0,),)),
        "start_step": 11,
        "end_step": 20,
        "family": "merge",
        "cluster": "c",
        "scripts": (Script(1, Trigger.TIME, 0.0, Action.BRAKE, 1.0),),
        "agent_route": ((0,),) * 5,
        "initial_speed_limit_mps": 10.0,
        "assertive": np.zeros(5, np.bool_),
        "dt_s": 0.2,
        "map": replace(scenario.map, lane_id=("a", "c")),
        "agents": replace(scenario.agents, agent_id=("z", *scenario.agents.agent_id[1:])),
        "lights": replace(scenario.lights, lane=np.array([0], np.int32)),
        "provenance": replace(provenance, details={"x": 1}),
    }
    assert set(changed) == {field.name for field in fields(scenario)}
    hashes = [scenario_hash(scenario), *(scenario_hash(replace(scenario, **{k: v})) for k, v in changed.items())]
    assert len(set(hashes)) == len(hashes)
    moved = scenario.with_(provenance=replace(provenance, file="/elsewhere/log.xml"))
    assert scenario_hash(moved) == scenario_hash(scenario)


@given(data=st.data())
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
def test_equal_content_has_an_equal_hash(scenarios, data):
    scenario = data.draw(scenarios)
    agents = scenario.agents
    signed = agents.xy.copy()
    signed[signed == 0] = -0.0
    limit = scenario.map.speed_limit_mps.copy()
    limit[np.isnan(limit)] = -np.nan
    details = dict(reversed(scenario.provenance.details.items()))
    twin = scenario.with_(
        map=replace(scenario.map, speed_limit_mps=limit),
        agents=replace(agents, xy=np.asfortranarray(signed)),
        ego_index=np.int64(scenario.ego_index),
        provenance=replace(scenario.provenance, details=details, origin_xy=list(scenario.provenance.origin_xy)),
    )
    assert scenario_hash(twin) == scenario_hash(scenario)
    assert scenario_hash(scenario, of_map=map_hash(scenario.map)) == scenario_hash(scenario)


def test_points_cannot_move_between_lines_unseen(make_scenario):
    road = make_scenario().map
    one, two = Polylines.of([np.zeros((3, 2)), np.zeros((2, 2))]), Polylines.of([np.zeros((2, 2)), np.zeros((3, 2))])
    assert map_hash(replace(road, centre=one)) != map_hash(replace(road, centre=two))


def test_records_are_strict_json():
    assert canonical_json({"b": np.float64(1.5), "a": np.arange(2)}) == '{"a":[0,1],"b":1.5}'
    for bad in (float("nan"), float("inf"), {1, 2}, Provenance):
        with pytest.raises((ValueError, TypeError)):
            canonical_json({"x": bad})
