import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from waytrace.geometry import project
from waytrace.report import SceneLinks, codec, scene_page
from waytrace.report.scene import scene_payload
from waytrace.scenario import Lights, Rollout, Scenario

from .conftest import FakeScore, make_drive, make_scenario

Drives = list[tuple[Rollout, FakeScore]]


def data_of(page: str) -> Any:
    found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert len(found) == 1
    return json.loads(found[0])


def test_a_page_of_91_steps_and_32_agents_stays_under_200_kb() -> None:
    scenario = make_scenario(lane_copies=5)
    assert len(scenario.map) >= 96
    rollout, score = make_drive(scenario)
    assert rollout.pose.shape[:2] == (92, 32)
    page = scene_page(scenario, [(rollout, score)])
    assert len(page.encode()) < 200_000
    assert len(json.dumps(data_of(page))) < 60_000


def test_tracks_come_back_to_half_a_centimetre(scenario: Scenario, drives: Drives) -> None:
    payload = scene_payload(scenario, drives)
    rollout, drive = drives[0][0], payload["drives"][0]
    n, agents = drive["n"], len(payload["agents"]["id"])
    valid = codec.unruns(drive["valid"]).reshape(agents, n)
    for key, axis in (("x", 0), ("y", 1)):
        back = codec.undelta(codec.unpack(drive[key]).reshape(agents, n), 2) * 0.01 + payload["origin"][axis]
        who = [scenario.agents.agent_id.index(i) for i in payload["agents"]["id"]]
        assert np.abs(back - rollout.pose[:, who, axis].T)[valid].max() <= 0.005 + 1e-9
    heading = codec.undelta(codec.unpack(drive["h"]).reshape(agents, n)) * np.pi / 1800
    turn = np.exp(1j * heading) / np.exp(1j * rollout.pose[:, who, 2].T)
    assert np.abs(np.angle(turn))[valid].max() <= np.radians(0.05) + 1e-9


def test_the_map_is_drawn_to_five_centimetres(scenario: Scenario, drives: Drives) -> None:
    payload = scene_payload(scenario, drives)
    lines = payload["map"]["centre"]
    xy = np.stack([codec.undelta(codec.unpack(lines[k])) * 0.01 for k in ("x", "y")], -1) + payload["origin"]
    parts = np.split(xy, np.cumsum(codec.unpack(lines["n"]))[:-1])
    ego = drives[0][0].pose[:, 0, :2]
    for lane in scenario.map.centre:
        near = lane[np.hypot(*(lane[:, None] - ego).transpose(2, 0, 1)).min(1) < 100.0]
        if len(near):
            away = np.min([np.abs(project(part, near)[1]) for part in parts], axis=0)
            assert away.max() <= 0.05


def test_the_map_is_clipped_to_the_drive(scenario: Scenario, drives: Drives) -> None:
    far = np.array([[5000.0, 0.0], [5100.0, 0.0]])
    road = scenario.map
    wide = replace(road, drivable=type(road.drivable).of([*road.drivable, np.concatenate([far, far[::-1] + 5])]))
    assert scene_payload(scenario, drives)["map"] == scene_payload(scenario.with_(map=wide), drives)["map"]


def test_agents_that_never_come_near_are_left_out_and_counted(scenario: Scenario, drives: Drives) -> None:
    rollout, score = drives[0]
    pose = rollout.pose.copy()
    pose[:, 5, :2] += 1000.0
    payload = scene_payload(scenario, [(replace(rollout, pose=pose), score)])
    assert "agent-5" not in payload["agents"]["id"]
    assert payload["agents"]["absent"] == 1
    assert payload["agents"]["id"][payload["ego"]] == scenario.agents.agent_id[scenario.ego_index]


def test_left_out_terms_say_why(scenario: Scenario, drives: Drives) -> None:
    rollout, score = drives[0]
    terms = {k: v for k, v in score.terms.items() if k not in ("TLC", "SL")}
    dark = scenario.with_(lights=Lights.none(scenario.steps))
    dark = dark.with_(map=replace(dark.map, speed_limit_mps=np.full(len(dark.map), np.nan)))
    rollout = replace(rollout, lights=np.zeros((len(rollout.pose), 0), np.uint8))
    drive = scene_payload(dark, [(rollout, replace(score, terms=terms))])["drives"][0]
    why = {row["key"]: row.get("why") for row in drive["terms"]}
    assert why["TLC"] == "left out: no light in the map"
    assert why["SL"] == "left out: no speed limit in the map"
    assert why["NC"] is None
    assert drive["formula"] == [
        "NC · DAC · MP · DDC · (5\u00a0EP + 5\u00a0TTC + 2\u00a0C) / 12",
        "1 · 1 · 1 · 1 · (5·0.93 + 5·1 + 2·1) / 12",
    ]


def test_nothing_is_fetched_and_only_the_page_s_own_scripts_may_run(scenario: Scenario, drives: Drives) -> None:
    page = scene_page(scenario, drives)
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", page)
    assert "url(" not in page
    assert "@import" not in page
    policy = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)[0]
    assert "default-src &#39;none&#39;" in policy or "default-src 'none'" in policy
    assert "unsafe-inline" not in policy


@pytest.mark.parametrize(
    "text", ["</script><script>alert(1)</script>", "<!--<script>", '"><img src=x>', "a&b\u2028\ud800"]
)
def test_ids_cannot_break_out_of_the_page(text: str) -> None:
    scenario = make_scenario(text)
    page = scene_page(scenario, [make_drive(scenario)], links=SceneLinks(index=text))
    assert data_of(page)["id"] == text
    body = page.split('id="data">')[1].split("</script>")[0]
    assert not set("<>&") & set(body)
    assert page.count("<script") == 3
    assert "<img" not in page


def test_a_page_is_the_same_every_time(scenario: Scenario, drives: Drives) -> None:
    assert scene_page(scenario, drives) == scene_page(scenario, drives)


def test_a_drive_of_another_scenario_is_refused(scenario: Scenario, drives: Drives) -> None:
    with pytest.raises(ValueError, match="does not belong"):
        scene_page(scenario, [(replace(drives[0][0], scenario_id="else"), drives[0][1])])
    with pytest.raises(ValueError, match="at least one drive"):
        scene_page(scenario, [])


def test_a_scenario_without_log_lights_stop_lines_or_drivable_area_has_a_page(scenario: Scenario) -> None:
    rollout, score = make_drive(scenario)
    road, none = scenario.map, type(scenario.map.drivable).of([])
    bare = replace(
        road, drivable=none, crosswalk=none, stop_line_xy=np.zeros((0, 2, 2)), stop_line_lane=np.zeros(0, np.int32)
    )
    valid = scenario.agents.valid.copy()
    valid[scenario.ego_index, scenario.start_step + 1 :] = False
    agents = replace(scenario.agents, valid=valid)
    plain = scenario.with_(map=bare, lights=Lights.none(scenario.steps), agents=agents)
    empty = replace(
        rollout,
        lights=np.zeros((len(rollout.pose), 0), np.uint8),
        decision_row=np.zeros(0, np.int32),
        plan_waypoints=np.zeros((0, 16, 4)),
        plan_accel_mps2=np.zeros((0, 16)),
        plan_curvature_1pm=np.zeros((0, 16)),
    )
    payload = data_of(scene_page(plain, [(empty, replace(score, ticks={}, figures={}))]))
    assert payload["log"]["recorded"] is False
    assert [plot["key"] for plot in payload["drives"][0]["plots"]] == ["speed_mps", "lon_accel_mps2", "lat_accel_mps2"]
