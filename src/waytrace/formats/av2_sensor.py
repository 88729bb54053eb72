"""Argoverse 2 sensor logs: ``annotations.feather`` (or ``annotations_with_ego.feather``), ego poses and map.

Boxes are given in the ego's frame (origin at its rear axle) at 10 Hz, ego poses in the city at about 165 Hz, 15.6 s.
Source: https://argoverse.github.io/user-guide/datasets/sensor.html.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import REAR_AXLE_TO_CENTRE, AgentKind, Lights, Scenario

from .assemble import Terms, recorded_scenario
from .av2_map import ATTRIBUTION, EGO_LENGTH_M, EGO_WIDTH_M, LICENCE, read_map
from .columns import Table, read_feather
from .lanegraph import build_road_map
from .reader import ReadOptions, Source
from .routes import Locator
from .tracks import PARKED_EXTENT_M, Track, build_agents
from .untrusted import MAX_AGENTS, MAX_STEPS, read_bytes, refuse, sha256

Array = NDArray[np.float64]

START_STEP = 20
EGO_ID = "EGO"
ANNOTATIONS = ("annotations_with_ego.feather", "annotations.feather")
POSES = "city_SE3_egovehicle.feather"
STEP_NS = 100_000_000
MAX_POSE_GAP_NS = 200_000_000
_LARGE = {
    "LARGE_VEHICLE", "BUS", "BOX_TRUCK", "TRUCK", "TRUCK_CAB", "VEHICULAR_TRAILER", "SCHOOL_BUS", "ARTICULATED_BUS",
    "RAILED_VEHICLE",
}  # fmt: skip
_KINDS = {
    "REGULAR_VEHICLE": AgentKind.VEHICLE,
    "EGO_VEHICLE": AgentKind.VEHICLE,
    **dict.fromkeys(_LARGE, AgentKind.LARGE_VEHICLE),
    **dict.fromkeys(("MOTORCYCLE", "MOTORCYCLIST"), AgentKind.MOTORCYCLE),
    **dict.fromkeys(("BICYCLE", "BICYCLIST", "WHEELED_DEVICE", "WHEELED_RIDER"), AgentKind.CYCLIST),
    **dict.fromkeys(("PEDESTRIAN", "OFFICIAL_SIGNALER", "STROLLER", "WHEELCHAIR"), AgentKind.PEDESTRIAN),
    **dict.fromkeys(("DOG", "ANIMAL"), AgentKind.UNKNOWN),
}
_RIDERLESS = {"BICYCLE", "WHEELED_DEVICE"}
"""Annotated with or without a rider: those that never move are things."""


class Av2Sensor:
    """Reader of Argoverse 2 sensor logs."""

    name = "av2-sensor"

    def claims(self, path: Path) -> bool:
        """Whether a file holds a log's annotations (those with the ego, where there are both)."""
        if path.name not in ANNOTATIONS:
            return False
        return path.name == ANNOTATIONS[0] or not path.with_name(ANNOTATIONS[0]).exists()

    def companions(self, path: Path) -> tuple[Path, ...]:
        """All other files of the log's folder that Argoverse 2 puts there (sensor recordings are not read)."""
        folder = path.parent
        out = [p for n in (*ANNOTATIONS, POSES) if (p := folder / n).exists() and p != path]
        for name in ("map", "calibration", "sensors"):
            out += sorted(p for p in (folder / name).rglob("*") if p.is_file())
        return tuple(out)

    def orphan(self, path: Path) -> str:
        """Poses without annotations, and Feather files of another kind."""
        if path.name == POSES:
            return "ego poses of an Argoverse 2 log with no annotations beside them (the test split has none)"
        if path.suffix == ".feather":
            return "a Feather file, but not annotations of an Argoverse 2 log"
        return ""

    def read(self, source: Source, options: ReadOptions) -> list[Scenario]:
        """One scenario, the recording car as its ego."""
        path, limit = source.path, options.max_file_bytes
        poses_path = path.with_name(POSES)
        if not poses_path.exists():
            refuse(path, f"{POSES} is not beside it")
        maps = sorted(path.parent.glob("map/log_map_archive_*.json"))
        if len(maps) != 1:
            refuse(path, f"map/ beside it holds {len(maps)} maps (log_map_archive_*.json), not one")
        table, poses = read_feather(path, limit), read_feather(poses_path, limit)
        drafts, surroundings = read_map(maps[0], limit)
        tracks, steps = _tracks(table, poses)
        car = tracks[0]
        if steps <= START_STEP + 1:
            refuse(path, f"only {steps} annotated sweeps")
        origin = np.round(car.xy[START_STEP])
        notes: Counter[str] = Counter()
        road, counts = build_road_map(drafts, surroundings, origin, maps[0])
        agents = build_agents(tracks, 0, steps, origin, notes)
        if EGO_ID not in agents.agent_id:
            refuse(poses_path, "the recording car's track is implausible")
        log = path.parent.name
        city = maps[0].stem.partition("____")[2].partition("_")[0]
        terms = Terms(
            "av2-sensor", self.name, f"{log}/{path.name}", sha256(read_bytes(path, limit)), LICENCE, ATTRIBUTION,
            cluster=f"av2/{log}", details={"city": city, **counts},
        )  # fmt: skip
        scenario = recorded_scenario(
            f"av2-sensor/{log}", Locator(road), Lights.none(steps), agents, agents.agent_id.index(EGO_ID), START_STEP,
            origin, terms, notes,
        )  # fmt: skip
        if scenario is None:
            refuse(path, "the recording car starts on no lane of the map")
        return [scenario]


def rotations(table: Table) -> Array:
    """Unit quaternions [n, 4] (w, x, y, z)."""
    q = np.stack([table.floats(name, 1e3) for name in ("qw", "qx", "qy", "qz")], axis=-1)
    norm = np.sqrt((q**2).sum(-1))
    if (np.abs(norm - 1.0) > 0.05).any():
        refuse(table.path, "holds rotations that are not unit quaternions")
    return np.asarray(q / norm[:, None])


def turn(q: Array, v: Array) -> Array:
    """Vectors [n, 3] turned by unit quaternions [n, 4]."""
    w, u = q[:, :1], q[:, 1:]
    return np.asarray(v + 2.0 * np.cross(u, np.cross(u, v) + w * v))


def _pose_at(poses: Table, when: NDArray[np.int64]) -> tuple[Array, Array]:
    """Ego rotation [n, 4] and position [n, 3] at times [n] in ns, between the poses on either side."""
    at, q = poses.integers("timestamp_ns"), rotations(poses)
    xyz = np.stack([poses.floats(name) for name in ("tx_m", "ty_m", "tz_m")], axis=-1)
    order = np.argsort(at, kind="stable")
    at, q, xyz = at[order], q[order], xyz[order]
    hi = np.clip(np.searchsorted(at, when), 1, len(at) - 1) if len(at) > 1 else np.zeros(len(when), np.int64)
    lo = np.maximum(hi - 1, 0)
    if (np.minimum(np.abs(at[hi] - when), np.abs(at[lo] - when)) > MAX_POSE_GAP_NS).any():
        refuse(poses.path, "has no pose within 0.2 s of some annotated sweep")
    share = np.clip((when - at[lo]) / np.maximum(at[hi] - at[lo], 1), 0.0, 1.0)[:, None]
    sign = np.where((q[lo] * q[hi]).sum(-1) < 0, -1.0, 1.0)[:, None]
    mixed = (1 - share) * q[lo] + share * sign * q[hi]
    return mixed / np.sqrt((mixed**2).sum(-1))[:, None], (1 - share) * xyz[lo] + share * xyz[hi]


def _tracks(table: Table, poses: Table) -> tuple[list[Track], int]:
    """All tracks in city coordinates, the recording car first, and how many steps there are."""
    stamp = table.integers("timestamp_ns")
    sweeps, sweep = np.unique(stamp, return_inverse=True)
    step_of_sweep = np.r_[0, np.cumsum(np.maximum(1, np.round(np.diff(sweeps) / STEP_NS)))].astype(np.int64)
    if step_of_sweep[-1] >= MAX_STEPS or (np.diff(sweeps) < STEP_NS // 2).any():
        refuse(table.path, f"{len(sweeps):,} sweeps over {(sweeps[-1] - sweeps[0]) / 1e9:,.1f} s are not 10 Hz")
    rotation, position = _pose_at(poses, sweeps)
    codes, names = table.codes("track_uuid")
    category_codes, categories = table.codes("category")
    size = np.stack([table.floats("length_m", 1e3), table.floats("width_m", 1e3)], axis=-1)
    local = np.stack([table.floats(name, 1e5) for name in ("tx_m", "ty_m", "tz_m")], axis=-1)
    if len(names) > MAX_AGENTS:
        refuse(table.path, f"{len(names):,} tracks")
    q = rotation[sweep]
    xy = (turn(q, local) + position[sweep])[:, :2]
    axis = turn(q, turn(rotations(table), np.tile([1.0, 0.0, 0.0], (len(local), 1))))
    heading = np.arctan2(axis[:, 1], axis[:, 0])
    length, width, ahead = EGO_LENGTH_M, EGO_WIDTH_M, REAR_AXLE_TO_CENTRE * EGO_LENGTH_M
    step = step_of_sweep[sweep]
    order = np.lexsort((step, codes))
    starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0])
    tracks: list[Track] = []
    for rows in np.split(order, starts[1:]):
        name = names[int(codes[rows[0]])]
        category = categories[int(category_codes[rows[0]])]
        long, wide = (float(x) for x in np.median(size[rows], axis=0))
        if category == "EGO_VEHICLE":
            length, width = long, wide
            # The published files put this box on the rear axle (x = 0), where no car's centre is.
            given = float(np.median(local[rows, 0]))
            ahead = given if given > 0.3 else REAR_AXLE_TO_CENTRE * length
            continue
        if (np.diff(step[rows]) == 0).any():
            refuse(table.path, f"track {name[:40]} has two boxes in one sweep")
        kind = _KINDS.get(category, AgentKind.STATIC)
        if category in _RIDERLESS and np.hypot(*np.ptp(xy[rows], axis=0)) < PARKED_EXTENT_M:
            kind = AgentKind.STATIC
        unknown = np.full((len(rows), 2), np.nan)
        tracks.append(Track(name, kind, long, wide, step[rows], xy[rows], heading[rows], unknown))
    forward = turn(rotation, np.tile([1.0, 0.0, 0.0], (len(sweeps), 1)))
    car_heading = np.arctan2(forward[:, 1], forward[:, 0])
    centre = position[:, :2] + ahead * np.stack([np.cos(car_heading), np.sin(car_heading)], axis=-1)
    unknown = np.full((len(sweeps), 2), np.nan)
    car = Track(EGO_ID, AgentKind.VEHICLE, length, width, step_of_sweep, centre, car_heading, unknown)
    return [car, *tracks], int(step_of_sweep[-1]) + 1
