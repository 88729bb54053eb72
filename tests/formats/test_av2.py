"""Argoverse 2: frames, box centres and companions."""

from __future__ import annotations

import json

import numpy as np
import pytest

from waytrace.formats import ReadOptions, detect, find_sources, quality, read
from waytrace.scenario import REAR_AXLE_TO_CENTRE, AgentKind, BadFileError


def one(folder):
    found = find_sources([folder])
    assert len(found.sources) == 1
    assert not found.refused
    return read(found.sources[0])[0]


def test_a_forecasting_scenario_keeps_tracks_and_puts_the_cars_box_ahead_of_its_axle(build, tmp_path):
    path = build.write_forecasting(tmp_path / "abc")
    assert detect(path).name == "av2-forecasting"
    s = one(tmp_path)
    assert s.id == "av2-forecasting/abc"
    assert (s.steps, s.start_step, s.end_step) == (110, 20, 109)
    origin = np.array(s.provenance.origin_xy) - build.CITY
    ego = s.agents.xy[s.ego_index] + origin
    ahead = REAR_AXLE_TO_CENTRE * 4.877
    np.testing.assert_allclose(ego[:, 0], 20.0 + ahead + np.arange(110), atol=1e-6)
    np.testing.assert_allclose(ego[:, 1], -1.75, atol=1e-9)
    other = s.agents.xy[s.agents.agent_id.index("103")] + origin
    np.testing.assert_allclose(other[:, 0], 10.0 + 1.2 * np.arange(110), atol=1e-6)
    assert s.map.in_intersection[s.map.lane_id.index("3")]
    assert s.provenance.details["references_dropped"] > 0
    assert s.provenance.details["city"] == "austin"
    figures = quality([s])["av2-forecasting"]
    assert figures["on_lane_share"] == 1.0
    assert figures["routes_connected"] == 1.0
    np.testing.assert_allclose(s.map.crosswalk[0] + origin, [[96, -3.5], [96, 7], [99, 7], [99, -3.5]], atol=1e-6)


@pytest.mark.parametrize("with_ego", [True, False])
def test_sensor_boxes_come_out_where_they_stand_in_the_world(build, tmp_path, with_ego):
    build.write_sensor(tmp_path / "log1", with_ego)
    found = find_sources([tmp_path])
    assert [len(found.sources), len(found.companions), len(found.refused)] == [1, 3, 0]
    s = read(found.sources[0])[0]
    a, origin = s.agents, np.array(s.provenance.origin_xy) - build.CITY
    row = {name: i for i, name in enumerate(a.agent_id)}
    np.testing.assert_allclose(a.xy[row["parked"]] + origin, np.tile((80.0, 1.75), (s.steps, 1)), atol=1e-3)
    np.testing.assert_allclose(a.heading_rad[row["parked"]], 0.1, atol=1e-3)
    assert not a.velocity_mps[row["parked"]].any()
    t = 0.1 * np.arange(s.steps)
    np.testing.assert_allclose(a.xy[row["lead"], :, 0] + origin[0], 60.0 + 8.0 * t, atol=1e-3)
    assert a.kind[row["lead"]] == AgentKind.LARGE_VEHICLE
    assert a.kind[row["walker"]] == AgentKind.PEDESTRIAN
    axle, yaw = build.sensor_ego(t)
    centre = axle + REAR_AXLE_TO_CENTRE * 4.877 * np.stack([np.cos(yaw), np.sin(yaw)], axis=-1)
    np.testing.assert_allclose(a.xy[s.ego_index] + origin, centre, atol=2e-3)
    np.testing.assert_allclose(a.size_m[s.ego_index], (4.877, 2.0))
    assert s.cluster == "av2/log1"
    assert s.provenance.details["city"] == "PIT"


def test_annotations_with_the_ego_are_preferred_and_the_others_are_companions(build, tmp_path):
    build.write_sensor(tmp_path / "log1", True)
    build.write_sensor(tmp_path / "log1", False)
    found = find_sources([tmp_path])
    assert [s.path.name for s in found.sources] == ["annotations_with_ego.feather"]
    assert len(found.companions) == 4


def test_drives_that_lack_a_file_say_which(build, tmp_path):
    build.write_forecasting(tmp_path / "a", with_map=False)
    log = build.write_sensor(tmp_path / "b").parent
    (log / "city_SE3_egovehicle.feather").unlink()
    messages = []
    for source in find_sources([tmp_path]).sources:
        with pytest.raises(BadFileError) as caught:
            read(source)
        messages.append(str(caught.value))
    assert "no map (log_map_archive_<id>.json) lies beside it" in messages[0]
    assert "city_SE3_egovehicle.feather is not beside it" in messages[1]


def test_files_without_their_drive_are_refused_with_the_reason(build, tmp_path):
    (tmp_path / "log_map_archive_lonely.json").write_bytes(build.av2_map(True))
    build.write_sensor(tmp_path / "test_log").unlink()
    (tmp_path / "other.parquet").write_bytes(b"PAR1")
    (tmp_path / "notes.md").write_text("about")
    (tmp_path / "drive.pkl").write_bytes(b"\x80\x04")
    found = find_sources([tmp_path])
    reasons = {r.file.name: (r.kind, r.reason) for r in found.refused}
    assert not found.sources
    assert "no scenario or log beside it" in reasons["log_map_archive_lonely.json"][1]
    assert "no annotations beside them" in reasons["city_SE3_egovehicle.feather"][1]
    assert "not an Argoverse 2 scenario" in reasons["other.parquet"][1]
    assert reasons["notes.md"][0] == "document"
    assert reasons["drive.pkl"][0] == "unknown"
    assert found.files == len(found.refused) == 7


def test_a_parked_car_that_jitters_stands_still(build, tmp_path):
    import pyarrow.parquet as pq

    rng = np.random.default_rng(3)
    path = build.write_forecasting(tmp_path, [build.Car(7, 60.0, 1.0, 0.0, n=110)])
    table = pq.read_table(path).to_pydict()
    rows = [i for i, t in enumerate(table["track_id"]) if t == "7"]
    for i in rows:
        table["position_x"][i] += rng.normal(0, 0.3)
        table["heading"][i] += np.pi * (i % 7 == 0) + rng.normal(0, 0.05)
    import pyarrow as pa

    pq.write_table(pa.table(table), path)
    s = one(tmp_path)
    car = s.agents.agent_id.index("7")
    assert np.ptp(s.agents.xy[car], axis=0).max() == 0
    assert not s.agents.velocity_mps[car].any()
    assert np.abs(s.agents.heading_rad[car]).max() < 0.2
    assert s.provenance.details["standing_steadied"] == 1


def _expect(match, source):
    with pytest.raises(BadFileError, match=match) as caught:
        read(source)
    return str(caught.value)


def test_damaged_tables_and_maps_are_refused_with_file_and_reason(build, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = build.write_forecasting(tmp_path)
    source = find_sources([tmp_path]).sources[0]
    road = tmp_path / "log_map_archive_abc.json"
    good, good_map = path.read_bytes(), road.read_bytes()
    for data, match in (
        (b"", "empty"),
        (good[:500], "not a readable Parquet"),
        (b"PAR1" * 50, "not a readable Parquet"),
    ):
        path.write_bytes(data)
        assert str(path) in _expect(match, source)
    table = pq.read_table(pa.BufferReader(good))
    for name, change, match in (
        ("heading", lambda c: [float("nan"), *c[1:]], "out of range"),
        ("position_x", lambda c: [None, *c[1:]], "empty cells"),
        ("timestep", lambda c: [-1, *c[1:]], "time steps from -1"),
        ("timestep", lambda c: [10**9, *c[1:]], "time steps"),
        ("timestep", lambda c: [1, *c[1:]], "two states"),
        ("track_id", lambda c: ["x"] * len(c), "two states|recording car"),
        ("heading", lambda c: ["north"] * len(c), "not numeric"),
    ):
        columns = table.to_pydict()
        columns[name] = change(columns[name])
        pq.write_table(pa.table(columns), path)
        _expect(match, source)
    pq.write_table(table.drop_columns(["heading"]), path)
    _expect("'heading' is missing", source)
    path.write_bytes(good)
    lanes = json.loads(good_map)
    first = lanes["lane_segments"]["1"]
    for data, match in (
        (b"{" * 100_000, "nested too deep|not valid JSON"),
        (b"[]", "not an object"),
        (b'{"lane_segments": {}}', "0 lane segments"),
        (good_map.replace(b"5000.0", b"NaN", 1), "NaN"),
        (good_map.replace(b"5000.0", b"1e400", 1), "out of range"),
        (json.dumps({"lane_segments": {"1": {**first, "successors": 3}}}).encode(), "not a list"),
        (json.dumps({"lane_segments": {"1": {**first, "left_lane_boundary": [[1, 2]]}}}).encode(), "not a point"),
    ):
        road.write_bytes(data)
        assert str(road) in _expect(match, source)
    with pytest.raises(BadFileError, match="more than the"):
        read(source, ReadOptions(max_file_bytes=100))
