"""CommonRoad XML: the same drive in every version, and everything a file may hold beside cars."""

from __future__ import annotations

import numpy as np
import pytest

from waytrace.formats import ReadOptions, detect, find_sources, quality, read
from waytrace.formats.commonroad import cluster
from waytrace.formats.reader import Source
from waytrace.scenario import AgentKind, BadFileError, LaneControl, LaneKind, LightState

VERSIONS = ("2017a", "2018a", "2018b", "2020a")


def only(path, **options):
    scenarios = read(Source("commonroad", path), ReadOptions(**options))
    assert len(scenarios) == 1
    return scenarios[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_gives_the_same_drive(commonroad, build, version):
    path = commonroad(version)
    assert detect(path).name == "commonroad"
    s = only(path)
    assert s.steps == 120
    assert s.id == "commonroad/USA_Test-1_1_T-1/103"
    assert (s.start_step, s.end_step) == (20, 119)
    origin = np.array(s.provenance.origin_xy)
    for car in build.traffic():
        row = s.agents.agent_id.index(str(car.id))
        step, xy = car.at()
        kept = s.agents.valid[row, step]
        np.testing.assert_allclose(s.agents.xy[row, step][kept] + origin, xy[kept], atol=1e-5)
        velocity = car.speed * np.array([np.cos(car.heading), np.sin(car.heading)])
        np.testing.assert_allclose(
            s.agents.velocity_mps[row, step][kept], np.tile(velocity, (kept.sum(), 1)), atol=1e-5
        )
        np.testing.assert_allclose(s.agents.size_m[row], (4.5, 1.8))
    assert not s.agents.valid[s.agents.agent_id.index("102"), 60:].any()
    figures = quality([s])["commonroad"]
    assert figures["heading_velocity_deg"] < 0.1
    assert figures["on_lane_share"] == 1.0
    assert figures["routes_connected"] == 1.0
    assert figures["start_overlaps"] == 0


def test_lanes_keep_their_links_and_only_neighbours_of_one_direction(commonroad):
    m = only(commonroad()).map
    row = {name: i for i, name in enumerate(m.lane_id)}
    assert {m.lane_id[k] for k in m.successors(row["1"])} == {"3", "7"}
    assert m.left_neighbor[row["1"]] == row["2"]
    assert m.right_neighbor[row["2"]] == row["1"]
    assert m.left_neighbor[row["2"]] == -1  # lane 9 comes the other way
    assert len(m.drivable) == len(m)


def test_links_and_neighbours_are_derived_where_a_file_has_none(commonroad):
    whole, bare = only(commonroad()).map, only(commonroad(links=False, adjacency=False)).map
    assert whole.lane_id == bare.lane_id
    for lane in range(len(whole)):
        assert set(whole.successors(lane)) == set(bare.successors(lane))
    np.testing.assert_array_equal(whole.left_neighbor, bare.left_neighbor)
    np.testing.assert_array_equal(whole.right_neighbor, bare.right_neighbor)


def test_limits_come_from_elements_and_from_signs_in_metres_per_second(commonroad):
    sign = (
        '<trafficSign id="50"><trafficSignElement><trafficSignID>{}</trafficSignID><additionalValue>{}'
        "</additionalValue></trafficSignElement></trafficSign>"
    )
    ref = '<trafficSignRef ref="50"/>'
    m = only(commonroad("2018a", lanelet_extra={1: "<speedLimit>13.4112</speedLimit>"})).map
    assert m.speed_limit_mps[m.lane_id.index("1")] == 13.4112
    assert np.isnan(m.speed_limit_mps[m.lane_id.index("2")])
    for name, written, expected in (
        ("R2-1", 11.176, 11.176),
        ("274", 13.89, 13.89),
        ("274", 50, 50 / 3.6),
        ("274", "50kmh", 50 / 3.6),
        ("R2-1", "30 mph", 13.4112),
    ):
        m = only(commonroad("2020a", extra=sign.format(name, written), lanelet_extra={1: ref})).map
        assert m.speed_limit_mps[m.lane_id.index("1")] == pytest.approx(expected)


def test_yield_and_stop_signs_regulate_the_entry_of_the_lanes_behind_them(commonroad):
    sign = (
        '<trafficSign id="{}"><trafficSignElement><trafficSignID>{}</trafficSignID></trafficSignElement></trafficSign>'
    )
    extra = sign.format(50, "R1-1") + sign.format(51, "205")
    refs = {1: '<trafficSignRef ref="50"/>', 2: '<trafficSignRef ref="51"/>'}
    m = only(commonroad("2020a", extra=extra, lanelet_extra=refs)).map
    control = {name: LaneControl(c) for name, c in zip(m.lane_id, m.lane_control, strict=True)}
    assert (control["3"], control["7"], control["4"]) == (LaneControl.STOP, LaneControl.STOP, LaneControl.YIELD)
    assert control["1"] == LaneControl.NONE


def test_lights_show_their_cycle_to_the_connectors_of_their_direction(commonroad):
    light = (
        '<trafficLight id="{}"><cycle><cycleElement><duration>{}</duration><color>green</color></cycleElement>'
        "<cycleElement><duration>10</duration><color>yellow</color></cycleElement><cycleElement><duration>30</duration>"
        "<color>red</color></cycleElement><timeOffset>{}</timeOffset></cycle><direction>{}</direction></trafficLight>"
    )
    crossing = (
        '<intersection id="70"><incoming id="71"><incomingLanelet ref="1"/><successorsRight ref="7"/>'
        '<successorsStraight ref="3"/></incoming></intersection>'
    )
    extra = light.format(60, 20, 5, "straight") + light.format(61, 40, 0, "right") + crossing
    stop = (
        "<stopLine><point><x>98</x><y>0</y></point><point><x>98</x><y>-3.5</y></point><lineMarking>solid</lineMarking>"
        '<trafficLightRef ref="60"/></stopLine><trafficLightRef ref="60"/><trafficLightRef ref="61"/>'
    )
    s = only(commonroad("2020a", extra=extra, lanelet_extra={1: stop}))
    m, origin = s.map, np.array(s.provenance.origin_xy)
    lane = {m.lane_id[k]: i for i, k in enumerate(s.lights.lane)}
    assert set(lane) == {"3", "7"}
    straight, right = s.lights.state[:, lane["3"]], s.lights.state[:, lane["7"]]
    step = np.arange(s.steps)
    for states, green, offset in ((straight, 20, 5), (right, 40, 0)):
        at = (step - offset) % (green + 40)
        expected = np.select([at < green, at < green + 10], [LightState.GREEN, LightState.YELLOW], LightState.RED)
        np.testing.assert_array_equal(states, expected)
    np.testing.assert_allclose(s.lights.xy[lane["3"]] + origin, (98.0, -1.75))
    assert [m.lane_id[k] for k in m.stop_line_lane] == ["1"]
    assert {m.lane_id[k] for k in np.flatnonzero(m.lane_control == LaneControl.SIGNAL)} == {"3", "7"}
    assert m.in_intersection[m.lane_id.index("3")]


def test_static_things_people_and_lanes_for_others(commonroad, build):
    def static(id: int, kind: str, shape: str, x: float, y: float, tag: str = "staticObstacle") -> str:
        at = f"<position><point><x>{x}</x><y>{y}</y></point></position><orientation><exact>0.5</exact></orientation>"
        state = f"<initialState>{at}<time><exact>0</exact></time></initialState>"
        return f'<{tag} id="{id}"><type>{kind}</type><shape>{shape}</shape>{state}</{tag}>'

    circle = "<circle><radius>0.4</radius></circle>"
    polygon = "<polygon>" + "".join(
        f"<point><x>{x}</x><y>{y}</y></point>" for x, y in ((3, -1), (3, 1), (-1, 1), (-1, -1))
    ) + "</polygon>"  # fmt: skip
    predicted = (
        '<dynamicObstacle id="203"><type>car</type><shape><circle><radius>1</radius></circle></shape><initialState>'
        "<position><point><x>1</x><y>1</y></point></position><orientation><exact>0</exact></orientation><time><exact>0"
        "</exact></time><velocity><exact>1</exact></velocity></initialState><occupancySet/></dynamicObstacle>"
    )
    extra = (
        static(201, "pillar", circle, 200.0, -6.0)
        + static(202, "parkedVehicle", polygon, 200.0, 10.0)
        + static(204, "roadBoundary", polygon, 0.0, 0.0)
        + predicted
    )
    walk = "<laneletType>sidewalk</laneletType>"
    cars = [*build.traffic(), build.Car(105, 90.0, -5.0, 1.2, np.pi / 2, kind="pedestrian", length=0.6, width=0.6)]
    kinds = {5: "<laneletType>busLane</laneletType>", 8: walk, 9: "<laneletType>crosswalk</laneletType>"}
    s = only(commonroad("2020a", cars=cars, extra=extra, lanelet_extra=kinds))
    a, m, origin = s.agents, s.map, np.array(s.provenance.origin_xy)
    row = {name: i for i, name in enumerate(a.agent_id)}
    assert a.kind[row["105"]] == AgentKind.PEDESTRIAN
    assert a.kind[row["201"]] == AgentKind.STATIC
    assert a.kind[row["202"]] == AgentKind.VEHICLE
    np.testing.assert_allclose(a.size_m[row["201"]], (0.8, 0.8))
    np.testing.assert_allclose(sorted(a.size_m[row["202"]]), (2.0, 4.0))
    centre = (200 + np.cos(0.5), 10 + np.sin(0.5))  # the polygon's middle lies 1 m ahead of its origin
    np.testing.assert_allclose(a.xy[row["202"], 0] + origin, centre, atol=1e-6)
    assert a.valid[row["202"]].all()
    assert not {"203", "204"} & set(row)
    assert s.provenance.details["skipped_occupancy_predictions"] == 1
    assert s.provenance.details["skipped_roadBoundary"] == 1
    assert "8" not in m.lane_id
    assert "9" not in m.lane_id
    assert m.lane_kind[m.lane_id.index("5")] == LaneKind.BUS
    assert len(m.crosswalk) == 1
    crossing = '<intersection id="70"><crossing><crossingLanelet ref="9"/></crossing></intersection>'
    m = only(commonroad("2020a", extra=crossing)).map
    assert "9" not in m.lane_id
    assert len(m.crosswalk) == 1


def test_other_time_steps_are_brought_to_a_tenth_of_a_second(commonroad, build):
    coarse = only(commonroad("2018b", dt="0.2", cars=[build.Car(1, 20.0, -1.75, 10.0, n=61)]))
    fine = only(commonroad("2018b", dt="0.05", cars=[build.Car(1, 20.0, -1.75, 5.0, n=241)]))
    for s, steps, speed in ((coarse, 121, 5.0), (fine, 121, 10.0)):
        assert s.steps == steps
        np.testing.assert_allclose(np.diff(s.agents.xy[0, :, 0]), speed * 0.1, atol=1e-4)
        np.testing.assert_allclose(s.agents.velocity_mps[0, :, 0], speed, atol=1e-3)


def test_all_recorded_vehicles_can_be_the_ego_in_turn(commonroad):
    scenarios = read(Source("commonroad", commonroad()), ReadOptions(egos_per_file=0))
    assert [s.agents.agent_id[s.ego_index] for s in scenarios] == ["103", "101", "104", "102"]
    for s in scenarios:
        assert 10 <= s.start_step <= 20
        assert s.agents.valid[s.ego_index, s.start_step - 10 : s.end_step + 1].all()
        assert s.recorded


@pytest.mark.parametrize("version", VERSIONS)
def test_a_planning_problem_can_be_driven_from_its_initial_state(commonroad, version):
    s = only(commonroad(version), ego="initial-state")
    origin = np.array(s.provenance.origin_xy)
    assert s.agents.agent_id[s.ego_index] == "problem-900"
    np.testing.assert_allclose(s.agents.xy[s.ego_index, s.start_step] + origin, (5.0, -1.75))
    np.testing.assert_allclose(s.agents.velocity_mps[s.ego_index, s.start_step], (8.0, 0.0))
    assert not s.recorded
    assert s.end_step == 90
    lanes = [{s.map.lane_id[k] for k in group} for group in s.route.groups]
    assert lanes == [{"1", "2"}, {"3", "4"}, {"5", "6"}]


def test_a_file_with_no_recorded_car_says_what_can_be_done(commonroad, build):
    path = commonroad(cars=[])
    with pytest.raises(BadFileError, match="--ego initial-state"):
        read(find_sources([path]).sources[0])
    assert only(path, ego="initial-state").agents.agent_id == ("problem-900",)
    with pytest.raises(BadFileError, match="a map alone"):
        only(commonroad(cars=[], problem=False))
    with pytest.raises(BadFileError, match=r"its longest recorded vehicle has 1\.5 s"):
        only(commonroad(cars=[build.Car(1, 20.0, -1.75, 5.0, n=15)]))
    with pytest.raises(BadFileError, match="none of its 1 long enough"):
        only(commonroad(cars=[build.Car(1, 20.0, -60.0, 5.0)]))


def test_intervals_are_read_as_their_middle(commonroad):
    path = commonroad("2018a", cars=[])
    text = path.read_text().replace("<velocity><exact>8.000000</exact></velocity>",
        "<velocity><intervalStart>7</intervalStart><intervalEnd>11</intervalEnd></velocity>")  # fmt: skip
    path.write_text(text)
    s = only(path, ego="initial-state")
    np.testing.assert_allclose(s.agents.velocity_mps[0, s.start_step, 0], 9.0)


def test_clusters_are_road_sections():
    assert cluster("USA_US101-3_1_T-1") == cluster("NGSIM_US101_4") == cluster("C-USA_US101-31_1_T-1") == "us101"
    assert cluster("USA_Lanker-2_3_T-1") == "lankershim"
    assert cluster("DEU_Muc-19_1_T-1") == cluster("S-DEU_Muc-2_1_T-1") == "deu_muc"


def _bad(path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(BadFileError) as caught:
        read(Source("commonroad", path))
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_damaged_and_hostile_files_are_refused_with_the_reason(commonroad, build, tmp_path):
    good, path = build.commonroad_xml(), tmp_path / "bad.xml"
    assert "empty" in _bad(path, b"")
    assert "well-formed" in _bad(path, good[: len(good) // 2])
    assert "not <commonRoad>" in _bad(path, b"<html/>")
    assert "2016z" in _bad(path, good.replace(b'"2018b"', b'"2016z"'))
    bomb = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    assert "document type" in _bad(path, good.replace(b"<commonRoad", bomb + b"<commonRoad", 1))
    secret = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    assert "document type" in _bad(path, good.replace(b"<commonRoad", secret + b"<commonRoad", 1))
    wide = (secret + good[38:]).decode().encode("utf-16")
    assert "bad.xml" in _bad(path, wide)
    assert "out of range" in _bad(path, good.replace(b"<x>100.0000</x>", b"<x>nan</x>", 1))
    assert "not finite" in _bad(path, good.replace(b"<x>20.000000</x>", b"<x>inf</x>", 1))
    assert "km apart" in _bad(path, good.replace(b"<x>100.0000</x>", b"<x>9000000</x>", 1))
    assert "at time" in _bad(path, good.replace(b"<time><exact>50</exact>", b"<time><exact>-3</exact>", 1))
    assert "runs on" in _bad(path, good.replace(b"<time><exact>50</exact>", b"<time><exact>900000</exact>", 1))
    assert "timeStepSize" in _bad(path, good.replace(b'timeStepSize="0.1"', b'timeStepSize="nan"'))
    assert "two obstacles" in _bad(path, good.replace(b'obstacle id="102"', b'obstacle id="101"'))
    with pytest.raises(BadFileError, match="not a regular file"):
        read(Source("commonroad", tmp_path))


def test_a_file_past_the_size_cap_is_refused_unread(commonroad):
    with pytest.raises(BadFileError, match="more than the"):
        read(Source("commonroad", commonroad()), ReadOptions(max_file_bytes=1000))
