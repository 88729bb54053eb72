"""A planner over HTTP: what is sent, what may come back, what is said when something else does."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from waytrace.observe import Observation
from waytrace.planners import make_plan
from waytrace.planners.remote import MOST_BYTES, HttpPlanner, RemoteError, is_address, observation_message

from .conftest import answer, http

KNOTS = [[0.5, 0.01]] * 16


def test_the_message_is_what_the_scene_says(observation: Observation) -> None:
    for scene in observation.scenes:
        message = json.loads(json.dumps(observation_message(scene, {"n": 1}), allow_nan=False))
        assert message["schema"] == "waytrace.observation/1"
        assert (message["scenario_id"], message["tick"], message["time_s"]) == (scene.scenario_id, 5, 0.5)
        assert message["state"] == {"n": 1}
        ego = message["ego"]
        assert ego["pose"] == scene.ego.pose.tolist()
        back = math.dist(ego["pose"][:2], ego["rear_axle"][:2])
        assert back == pytest.approx(0.28 * scene.ego.length_m)
        assert ego["history"][-1] == [0.0, *ego["pose"], ego["speed_mps"]]
        assert [row[0] for row in ego["history"]] == pytest.approx(np.arange(len(ego["history"])) * 0.1 - 1.5)
        assert [a["id"] for a in message["agents"]] == scene.agents.index.tolist()
        for i, agent in enumerate(message["agents"]):
            assert agent["pose"] == scene.agents.pose[i].tolist()
            assert len(agent["history"]) == scene.agents.history_valid[-21:, i].sum()
            assert all(row[0] <= 0.0 for row in agent["history"])
        lanes = {lane["id"]: lane for lane in message["map"]["lanes"]}
        assert set(scene.route.lanes) <= lanes.keys()
        assert all(lane["centre"] == scene.map.centre[i].tolist() for i, lane in lanes.items())
        assert message["route"] == [list(group) for group in scene.route.groups]
        assert [light["lane"] for light in message["lights"]] == scene.light_lane.tolist()
        assert message["map"]["drivable"]


def test_a_lane_far_away_is_not_sent(observation: Observation) -> None:
    scene = observation.scenes[0]
    far = replace(scene, ego=replace(scene.ego, pose=scene.ego.pose + np.array([5000.0, 0.0, 0.0])))
    message = observation_message(far, None)
    assert [lane["id"] for lane in message["map"]["lanes"]] == sorted(scene.route.lanes)
    assert message["map"]["drivable"] == []


def test_controls_become_the_plan(observation: Observation, serve: Callable[..., str]) -> None:
    planner = HttpPlanner(serve(lambda asked: answer(controls=KNOTS)))
    planner.reset(observation.ids)
    plan, traces, state = planner.plan(observation, None)
    egos = [observation_message(scene, None)["ego"] for scene in observation.scenes]
    start = np.array([[*ego["rear_axle"], ego["speed_mps"]] for ego in egos])
    expected = make_plan(observation.time_s, start, np.full((2, 16), 0.5), np.full((2, 16), 0.01), planner.name)
    assert traces is None
    assert state == [None, None]
    np.testing.assert_array_equal(plan.waypoints, expected.waypoints)
    np.testing.assert_array_equal(plan.start, expected.start)


def test_poses_become_the_plan(observation: Observation, serve: Callable[..., str]) -> None:
    def straight_on(asked: dict[str, Any]) -> bytes:
        x, y, heading = asked["ego"]["rear_axle"]
        speed = asked["ego"]["speed_mps"]
        ways = [0.5 * k * speed for k in range(1, 17)]
        return answer(poses=[[x + w * math.cos(heading), y + w * math.sin(heading), heading, speed] for w in ways])

    plan, _, _ = HttpPlanner(serve(straight_on)).plan(observation, None)
    assert plan.accel_mps2 == pytest.approx(np.zeros((2, 16)), abs=0.02)
    assert plan.waypoints[:, :, 3] == pytest.approx(np.repeat(plan.start[:, 3:], 16, axis=1), abs=0.05)


def test_a_servers_memory_travels_with_the_drive(observation: Observation, serve: Callable[..., str]) -> None:
    def counting(asked: dict[str, Any]) -> bytes:
        return answer(controls=KNOTS, state={"count": 1 + (asked["state"] or {"count": 0})["count"]})

    planner = HttpPlanner(serve(counting))
    _, _, first = planner.plan(observation, None)
    _, _, second = planner.plan(observation, first)
    assert first == [{"count": 1}] * 2
    assert second == [{"count": 2}] * 2
    assert planner.plan(observation, first)[2] == second  # from any earlier moment again


def test_rows_that_are_alike_are_asked_for_once(observation: Observation, serve: Callable[..., str]) -> None:
    asked_for: list[str] = []

    def reply(asked: dict[str, Any]) -> bytes:
        asked_for.append(asked["scenario_id"])
        return answer(controls=KNOTS)

    padded = replace(observation, scenes=[*observation.scenes, observation.scenes[1], observation.scenes[1]],
                     tick=np.full(4, 5, np.int32), time_s=np.full(4, 0.5))  # fmt: skip
    plan, _, state = HttpPlanner(serve(reply)).plan(padded, None)
    assert asked_for == [s.scenario_id for s in observation.scenes]
    assert len(plan) == len(state) == 4
    np.testing.assert_array_equal(plan.waypoints[1], plan.waypoints[3])


BROKEN = {
    "not JSON": (http(b"<html>"), "wrong plan: all of it: Invalid JSON"),
    "empty": (http(b""), "Invalid JSON"),
    "a list": (http(b"[]"), "all of it: Input should be an object"),
    "no schema": (http(json.dumps({"controls": KNOTS}).encode()), "schema: Field required"),
    "another schema": (http(json.dumps({"schema": "x/2", "controls": KNOTS}).encode()), "schema: Input should be 'waytrace.plan/1'"),  # noqa: E501
    "neither": (answer(), "either 'controls' or 'poses'"),
    "both": (answer(controls=KNOTS, poses=[[0.0] * 4] * 16), "either 'controls' or 'poses'"),
    "a short plan": (answer(controls=KNOTS[:15]), "controls: List should have at least 16 items"),
    "a long plan": (answer(controls=KNOTS * 2), "controls: List should have at most 16 items"),
    "a narrow row": (answer(controls=[[1.0]] * 16), "controls.0.1: Field required"),
    "words for numbers": (answer(controls=[["1", "2"]] * 16), "controls.0.0: Input should be a valid number"),
    "NaN": (answer(controls=[[math.nan, 0.0]] * 16), "controls.0.0: "),
    "infinity": (answer(poses=[[0.0, math.inf, 0.0, 0.0]] * 16), "poses.0.1: "),
    "a huge number": (answer(poses=[[0.0, 0.0, 0.0, 1e9]] * 16), "poses.0.3: Input should be less than"),
    "NaN to remember": (answer(controls=KNOTS, state=[math.nan]), "state: "),
    "an unknown key": (answer(controls=KNOTS, contrls=1), "contrls: Extra inputs are not permitted"),
    "a key to spoil the screen": (answer(controls=KNOTS, **{"\x1b[2J\n" + "a" * 500: 1}), "Extra inputs"),
    "too deep": (http(b"[" * 100_000), "wrong plan"),
    "a failure": (http(b"", "500 It\x1b broke"), "answered 500 It  broke, not 200"),
    "a failure with its reason": (
        http(b'{"detail": "out of\nmemory"}', "500 Internal Server Error"),
        'answered 500 Internal Server Error, not 200: {"detail": "out of memory"}',
    ),
    "a failure with a page": (http(b"<html>broken</html>", "503 Busy"), "answered 503 Busy, not 200"),
    "a redirect": (http(b"", "302 Found\r\nLocation: http://127.0.0.1:1/"), "answered 302 Found, not 200"),
    "too long": (http(b" " * (MOST_BYTES + 1)), f"more than {MOST_BYTES} bytes"),
    "too long, without saying so": (b"HTTP/1.0 200 OK\r\n\r\n" + b" " * (MOST_BYTES + 1), "more than"),
    "cut short": (http(b"{}", length=500), "gave no answer"),
    "closed": (b"", "gave no answer"),
    "no HTTP": (b"hello\n", "gave no answer"),
}  # fmt: skip


@pytest.mark.parametrize(("reply", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_answer_is_named_in_one_line(
    observation: Observation, serve: Callable[..., str], reply: bytes, said: str
) -> None:
    url = serve(lambda asked: reply)
    with pytest.raises(RemoteError) as caught:
        HttpPlanner(url).plan(observation, None)
    message = str(caught.value)
    assert said in message
    assert url in message
    assert message.isprintable()
    assert len(message) < 400


@pytest.mark.parametrize("pause_s", [0.05, 30.0], ids=["dribbles", "sleeps"])
@pytest.mark.parametrize(
    "reply", [answer(controls=KNOTS), b"HTTP/1.0 200 OK\r\n\r\n" + b" " * 1000], ids=["length", "none"]
)
def test_a_slow_server_is_given_up(
    observation: Observation, serve: Callable[..., str], pause_s: float, reply: bytes
) -> None:
    planner = HttpPlanner(serve(lambda asked: reply, pause_s=pause_s), timeout_s=0.5)
    with pytest.raises(RemoteError, match=r"did not answer within 0\.5 s"):
        planner.plan(observation, None)


def test_nobody_at_home(observation: Observation, serve: Callable[..., str]) -> None:
    with pytest.raises(RemoteError, match=r"gave no answer: .*refused"):
        HttpPlanner("http://127.0.0.1:1/plan").plan(observation, None)


def test_a_server_says_who_plans(serve: Callable[..., str]) -> None:
    who = {"schema": "waytrace.planner/1", "name": "cautious", "version": "1.2"}
    assert HttpPlanner(serve(lambda asked: http(json.dumps(who).encode()))).described() == "cautious@1.2"
    for wrong in ({**who, "name": "a b"}, {**who, "version": ""}, {**who, "name": "../x"}, {"schema": who["schema"]}):
        with pytest.raises(RemoteError, match=r"wrong description: (name|version)"):
            HttpPlanner(serve(lambda asked, w=wrong: http(json.dumps(w).encode()))).described()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://", "http://host:port/path"),
        ("http:///plan", "http://host:port/path"),
        ("http://here:99999/", "Port out of range"),
        ("http://here:0/", "http://host:port/path"),
        ("http://here:port/", "no address of a planner"),
        ("http://me:secret@here/plan", "user, a query or a fragment"),
        ("http://here/plan?key=secret", "user, a query or a fragment"),
    ],
)
def test_what_is_no_address(url: str, said: str) -> None:
    with pytest.raises(RemoteError, match=said) as caught:
        HttpPlanner(url)
    assert "secret" not in str(caught.value)


def test_what_looks_like_an_address() -> None:
    assert is_address("http://here/plan")
    assert is_address("HTTPS://here")
    assert not any(map(is_address, ("http", "http:Class", "module:Class", "run/step", "ftp://here")))
