"""Small drives written by hand in every format: one street, one junction, a few road users.

The street runs east along y = 0. Lanes 1 and 2 (x 0 to 100) lead through a junction (3 and 4, to x = 120) into 5 and
6 (to x = 400); 7 turns right out of 1 into 8, which runs south; 9 comes the other way, north of 2.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

W = 3.5


def straight(x0: float, x1: float, y: float, points: int = 5) -> np.ndarray:
    return np.stack([np.linspace(x0, x1, points), np.full(points, y)], axis=-1)


def arc(radius: float, points: int = 9) -> np.ndarray:
    """Quarter turn to the right from (100, ...) about (100, -W - 10)."""
    a = np.linspace(np.pi / 2, 0, points)
    return np.array([100.0, -W - 10.0]) + radius * np.stack([np.cos(a), np.sin(a)], axis=-1)


@dataclass
class Lane:
    left: np.ndarray
    right: np.ndarray
    successors: list[int] = field(default_factory=list)
    left_neighbor: int | None = None
    left_opposite: bool = False
    right_neighbor: int | None = None


def street() -> dict[int, Lane]:
    lanes = {}
    for right, left, x0, x1, after in ((1, 2, 0, 100, (3, 4)), (3, 4, 100, 120, (5, 6)), (5, 6, 120, 400, ())):
        lanes[right] = Lane(straight(x0, x1, 0), straight(x0, x1, -W), list(after[:1]), left_neighbor=left)
        lanes[left] = Lane(straight(x0, x1, W), straight(x0, x1, 0), list(after[1:]), right_neighbor=right)
    lanes[1].successors = [3, 7]
    lanes[7] = Lane(arc(10 + W), arc(10.0), [8])
    down = np.array([[0.0, -W - 10.0], [0.0, -W - 40.0], [0.0, -W - 100.0]])
    lanes[8] = Lane(down + np.array([110 + W, 0]), down + np.array([110, 0]))
    lanes[9] = Lane(straight(400, 0, W), straight(400, 0, 2 * W))
    lanes[2].left_neighbor, lanes[2].left_opposite = 9, True
    return lanes


@dataclass
class Car:
    """A road user at constant velocity from (x, y) along heading, over steps first .. first + n - 1."""

    id: int
    x: float
    y: float
    speed: float
    heading: float = 0.0
    n: int = 120
    first: int = 0
    kind: str = "car"
    length: float = 4.5
    width: float = 1.8

    def at(self, dt: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
        step = np.arange(self.first, self.first + self.n)
        way = self.speed * (step - self.first)[:, None] * dt
        return step, np.array([self.x, self.y]) + way * [np.cos(self.heading), np.sin(self.heading)]


def traffic() -> list[Car]:
    return [
        Car(101, 20.0, -1.75, 10.0),
        Car(102, 60.0, -1.75, 9.0, n=60),
        Car(103, 10.0, 1.75, 12.0),
        Car(104, 300.0, 5.25, 8.0, np.pi),
    ]


def _points(xy: np.ndarray) -> str:
    return "".join(f"<point><x>{x:.4f}</x><y>{y:.4f}</y></point>" for x, y in xy)


def _state(tag: str, t: float, xy: np.ndarray, heading: float, speed: float, seconds: bool) -> str:
    time = f"{t * 0.1:.6g}" if seconds else f"{round(t)}"
    return (
        f"<{tag}><position><point><x>{xy[0]:.6f}</x><y>{xy[1]:.6f}</y></point></position>"
        f"<orientation><exact>{heading:.6f}</exact></orientation><time><exact>{time}</exact></time>"
        f"<velocity><exact>{speed:.6f}</exact></velocity></{tag}>"
    )


def _obstacle(car: Car, version: str) -> str:
    step, xy = car.at()
    seconds = version in ("2017a", "2018a")
    shape = f"<rectangle><length>{car.length}</length><width>{car.width}</width></rectangle>"
    states = [
        _state("initialState" if k == 0 and not seconds else "state", t, p, car.heading, car.speed, seconds)
        for k, (t, p) in enumerate(zip(step, xy, strict=True))
    ]
    first, rest = ("", states) if seconds else (states[0], states[1:])
    body = f"<type>{car.kind}</type><shape>{shape}</shape>{first}<trajectory>{''.join(rest)}</trajectory>"
    if version == "2020a":
        return f'<dynamicObstacle id="{car.id}">{body}</dynamicObstacle>'
    return f'<obstacle id="{car.id}"><role>dynamic</role>{body}</obstacle>'


def commonroad_xml(
    version: str = "2018b",
    *,
    cars: list[Car] | None = None,
    extra: str = "",
    dt: str = "0.1",
    name: str = "USA_Test-1_1_T-1",
    lanelet_extra: dict[int, str] | None = None,
    links: bool = True,
    adjacency: bool = True,
    problem: bool = True,
) -> bytes:
    lanelets = []
    for id, lane in street().items():
        out = f"<leftBound>{_points(lane.left)}</leftBound><rightBound>{_points(lane.right)}</rightBound>"
        if links:
            out += "".join(f'<successor ref="{s}"/>' for s in lane.successors)
        if adjacency and lane.left_neighbor is not None:
            way = "opposite" if lane.left_opposite else "same"
            out += f'<adjacentLeft ref="{lane.left_neighbor}" drivingDir="{way}"/>'
        if adjacency and lane.right_neighbor is not None:
            out += f'<adjacentRight ref="{lane.right_neighbor}" drivingDir="same"/>'
        lanelets.append(f'<lanelet id="{id}">{out}{(lanelet_extra or {}).get(id, "")}</lanelet>')
    seconds = version in ("2017a", "2018a")
    obstacles = [_obstacle(car, version) for car in (traffic() if cars is None else cars)]
    goal = "goalRegion" if version == "2017a" else "goalState"
    inner = (
        "<position><rectangle><length>4</length><width>2</width><orientation>0</orientation><center><x>300</x>"
        f"<y>-1.75</y></center></rectangle></position><time><intervalStart>{7 if seconds else 70}</intervalStart>"
        f"<intervalEnd>{9 if seconds else 90}</intervalEnd></time>"
    )
    region = f"<{goal}><state>{inner}</state></{goal}>" if version == "2017a" else f"<{goal}>{inner}</{goal}>"
    planning = _state("initialState", 0, np.array([5.0, -1.75]), 0.0, 8.0, seconds)
    problems = f'<planningProblem id="900">{planning}{region}</planningProblem>' if problem else ""
    text = (
        f'<?xml version="1.0" encoding="utf-8"?><commonRoad benchmarkID="{name}" commonRoadVersion="{version}" '
        f'timeStepSize="{dt}" author="A" affiliation="B" source="by hand">{"".join(lanelets)}{extra}'
        f"{''.join(obstacles)}{problems}</commonRoad>"
    )
    return text.encode()


CITY = np.array([5000.0, 2400.0])


def av2_map(forecasting: bool) -> bytes:
    def rows(xy: np.ndarray) -> list[dict[str, float]]:
        return [{"x": float(x), "y": float(y), "z": 1.0} for x, y in xy + CITY]

    lanes = {}
    for id, lane in street().items():
        row: dict[str, Any] = {
            "id": id,
            "is_intersection": id in (3, 4, 7),
            "lane_type": "VEHICLE",
            "left_lane_boundary": rows(lane.left),
            "right_lane_boundary": rows(lane.right),
            "left_lane_mark_type": "DASHED_WHITE",
            "right_lane_mark_type": "DASHED_WHITE",
            "successors": [*lane.successors, 777777],
            "predecessors": [],
            "left_neighbor_id": lane.left_neighbor,
            "right_neighbor_id": lane.right_neighbor,
        }
        if forecasting:
            row["centerline"] = rows(0.5 * (lane.left + lane.right))
        lanes[str(id)] = row
    area = np.array([[-5.0, -4.0], [405.0, -4.0], [405.0, 8.0], [-5.0, 8.0], [-5.0, -4.0]])
    edge = np.array([[96.0, -3.5], [96.0, 7.0]])
    crossing = {"id": 5, "edge1": rows(edge), "edge2": rows(edge + np.array([3.0, 0.0]))}
    areas = {"1": {"id": 1, "area_boundary": rows(area)}}
    return json.dumps(
        {"lane_segments": lanes, "drivable_areas": areas, "pedestrian_crossings": {"5": crossing}}
    ).encode()


def write_forecasting(folder: Path, cars: list[Car] | None = None, name: str = "abc", with_map: bool = True) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    columns: dict[str, list[Any]] = {}
    for car in [Car(0, 20.0, -1.75, 10.0, n=110)] + (traffic()[1:] if cars is None else cars):
        for step, (x, y) in zip(*car.at(), strict=True):
            if step >= 110:
                continue
            row = {
                "observed": step < 50,
                "track_id": "AV" if car.id == 0 else str(car.id),
                "object_type": "vehicle" if car.kind == "car" else car.kind,
                "object_category": 1,
                "timestep": int(step),
                "position_x": x + CITY[0],
                "position_y": y + CITY[1],
                "heading": car.heading,
                "velocity_x": car.speed * np.cos(car.heading),
                "velocity_y": car.speed * np.sin(car.heading),
                "scenario_id": name,
                "city": "austin",
            }
            for key, value in row.items():
                columns.setdefault(key, []).append(value)
    path = folder / f"scenario_{name}.parquet"
    pq.write_table(pa.table(columns), path)
    if with_map:
        (folder / f"log_map_archive_{name}.json").write_bytes(av2_map(True))
    return path


SWEEPS = 60


def sensor_ego(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rear axle [n, 2] and yaw [n] of the recording car: along lane 1, weaving slightly."""
    x = 20.0 + 8.0 * t
    y = -1.75 + 0.3 * np.sin(0.8 * t)
    return np.stack([x, y], axis=-1), np.arctan2(0.24 * np.cos(0.8 * t), 8.0)


def write_sensor(folder: Path, with_ego: bool = True, parked_at: tuple[float, float] = (80.0, 1.75)) -> Path:
    import pyarrow as pa
    import pyarrow.feather as feather

    (folder / "map").mkdir(parents=True, exist_ok=True)
    start = 315_966_253_660_357_000
    fine = np.arange(0, SWEEPS * 0.1 + 0.2, 0.005)
    xy, yaw = sensor_ego(fine)
    poses = {
        "timestamp_ns": start + np.round(fine * 1e9).astype(np.int64),
        "qw": np.cos(yaw / 2), "qx": 0 * yaw, "qy": 0 * yaw, "qz": np.sin(yaw / 2),
        "tx_m": xy[:, 0] + CITY[0], "ty_m": xy[:, 1] + CITY[1], "tz_m": 0 * yaw + 60.0,
    }  # fmt: skip
    feather.write_feather(pa.table(poses), folder / "city_SE3_egovehicle.feather", compression="lz4")
    rows: dict[str, list[Any]] = {}
    for k in range(SWEEPS):
        t = np.array([0.1 * k])
        (ego,), (turn,) = sensor_ego(t)
        things = [
            ("parked", "REGULAR_VEHICLE", 4.4, 1.9, *parked_at, 0.1),
            ("lead", "BUS", 11.0, 2.8, 60.0 + 8.0 * t[0], -1.75, 0.0),
            ("walker", "PEDESTRIAN", 0.6, 0.6, 97.0, -6.0 + 1.2 * t[0], np.pi / 2),
        ]
        for id, category, length, width, x, y, heading in things:
            d = np.array([x, y]) - ego
            local = (np.cos(turn) * d[0] + np.sin(turn) * d[1], -np.sin(turn) * d[0] + np.cos(turn) * d[1])
            _box(rows, start + k * 100_000_000, id, category, length, width, local, heading - turn)
        if with_ego:
            _box(rows, start + k * 100_000_000, "me", "EGO_VEHICLE", 4.877, 2.0, (0.0, 0.0), 0.0)
    path = folder / ("annotations_with_ego.feather" if with_ego else "annotations.feather")
    feather.write_feather(pa.table(rows), path, compression="lz4")
    (folder / "map" / "log_map_archive_x____PIT_city_1.json").write_bytes(av2_map(False))
    (folder / "map" / "x___img_Sim2_city.json").write_text("{}")
    return path


def _box(rows: dict[str, list[Any]], ns: int, id: str, category: str, length: float, width: float,
         local: tuple[float, float], yaw: float) -> None:  # fmt: skip
    row = {
        "timestamp_ns": ns, "track_uuid": id, "category": category, "length_m": length, "width_m": width,
        "height_m": 1.5, "qw": np.cos(yaw / 2), "qx": 0.0, "qy": 0.0, "qz": np.sin(yaw / 2), "tx_m": local[0],
        "ty_m": local[1], "tz_m": 0.0, "num_interior_pts": 9,
    }  # fmt: skip
    for key, value in row.items():
        rows.setdefault(key, []).append(value)


class Builders:
    """The functions above, for tests that cannot import this file."""

    Car = Car
    CITY = CITY
    street = staticmethod(street)
    traffic = staticmethod(traffic)
    commonroad_xml = staticmethod(commonroad_xml)
    av2_map = staticmethod(av2_map)
    write_forecasting = staticmethod(write_forecasting)
    write_sensor = staticmethod(write_sensor)
    sensor_ego = staticmethod(sensor_ego)


@pytest.fixture(scope="session")
def build() -> type[Builders]:
    return Builders


@pytest.fixture
def commonroad(tmp_path: Path) -> Callable[..., Path]:
    """Writes a CommonRoad file (arguments of ``commonroad_xml``); its path."""

    def write(*args: Any, file: str = "drive.xml", **kwargs: Any) -> Path:
        path = tmp_path / file
        path.write_bytes(commonroad_xml(*args, **kwargs))
        return path

    return write
