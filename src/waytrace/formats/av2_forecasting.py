"""Argoverse 2 motion forecasting: ``scenario_<id>.parquet`` with ``log_map_archive_<id>.json`` beside it.

11 s at 10 Hz. Source: https://argoverse.github.io/user-guide/datasets/motion_forecasting.html. The data have no box
sizes: those below are typical of the class (medians over Argoverse 2 sensor annotations where it has them). The ego
(track ``AV``) is given by its rear axle: in turns its course follows its heading there, not at the box centre.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from waytrace.scenario import AgentKind, Lights, Scenario

from .assemble import Terms, box_centre, recorded_scenario
from .av2_map import ATTRIBUTION, EGO_LENGTH_M, EGO_WIDTH_M, LICENCE, read_map
from .columns import Table, read_parquet
from .lanegraph import build_road_map
from .reader import ReadOptions, Source
from .routes import Locator
from .tracks import Track, build_agents
from .untrusted import MAX_AGENTS, MAX_STEPS, read_bytes, refuse, sha256

START_STEP = 20
EGO_TRACK = "AV"
_TYPES: dict[str, tuple[AgentKind, float, float]] = {
    "vehicle": (AgentKind.VEHICLE, 4.4, 1.9),
    "bus": (AgentKind.LARGE_VEHICLE, 12.0, 2.9),
    "motorcyclist": (AgentKind.MOTORCYCLE, 2.1, 0.8),
    "cyclist": (AgentKind.CYCLIST, 1.8, 0.7),
    "pedestrian": (AgentKind.PEDESTRIAN, 0.7, 0.7),
    "static": (AgentKind.STATIC, 0.5, 0.5),
    "background": (AgentKind.UNKNOWN, 0.5, 0.5),
    "construction": (AgentKind.STATIC, 0.5, 0.5),
    "riderless_bicycle": (AgentKind.STATIC, 1.7, 0.6),
    "unknown": (AgentKind.UNKNOWN, 0.5, 0.5),
}


class Av2Forecasting:
    """Reader of Argoverse 2 motion-forecasting scenarios."""

    name = "av2-forecasting"

    def claims(self, path: Path) -> bool:
        """Whether a file is called like a scenario."""
        return path.suffix == ".parquet" and path.name.startswith("scenario_")

    def _map(self, path: Path) -> Path | None:
        named = path.with_name(f"log_map_archive_{path.stem.removeprefix('scenario_')}.json")
        if named.exists():
            return named
        maps = sorted(path.parent.glob("log_map_archive_*.json"))
        return maps[0] if len(maps) == 1 and len(list(path.parent.glob("scenario_*.parquet"))) == 1 else None

    def companions(self, path: Path) -> tuple[Path, ...]:
        """The map."""
        road = self._map(path)
        return (road,) if road else ()

    def orphan(self, path: Path) -> str:
        """Maps without a drive, and Parquet files of another kind."""
        if path.name.startswith("log_map_archive_") and path.suffix == ".json":
            return "an Argoverse 2 map with no scenario or log beside it"
        if path.suffix == ".parquet":
            return "a Parquet file, but not an Argoverse 2 scenario (those are called scenario_<id>.parquet)"
        return ""

    def read(self, source: Source, options: ReadOptions) -> list[Scenario]:
        """One scenario, the recording car as its ego."""
        path = source.path
        table = read_parquet(path, options.max_file_bytes)
        tracks = _tracks(table)
        if EGO_TRACK not in (t.id for t in tracks):
            refuse(path, "no track is called 'AV': there is no recording car")
        road_path = self._map(path)
        if road_path is None:
            refuse(path, "no map (log_map_archive_<id>.json) lies beside it")
        drafts, surroundings = read_map(road_path, options.max_file_bytes)
        steps = int(max(t.step[-1] for t in tracks)) + 1
        car = next(t for t in tracks if t.id == EGO_TRACK)
        if not np.isin([START_STEP, START_STEP + 1], car.step).all():
            refuse(path, f"the recording car is not there at step {START_STEP}")
        origin = np.round(car.xy[np.searchsorted(car.step, START_STEP)])
        notes: Counter[str] = Counter()
        road, counts = build_road_map(drafts, surroundings, origin, road_path)
        agents = build_agents(tracks, 0, steps, origin, notes)
        if EGO_TRACK not in agents.agent_id:
            refuse(path, "the recording car's track is implausible")
        id = _first_text(table, "scenario_id", path.stem.removeprefix("scenario_"))
        terms = Terms(
            "av2-forecasting", self.name, path.name, sha256(read_bytes(path, options.max_file_bytes)), LICENCE,
            ATTRIBUTION, cluster=f"av2/{id}",
            details={"city": _first_text(table, "city", ""), "box_sizes": "by class", **counts},
        )  # fmt: skip
        ego = agents.agent_id.index(EGO_TRACK)
        scenario = recorded_scenario(
            f"av2-forecasting/{id}", Locator(road), Lights.none(steps), agents, ego, START_STEP, origin, terms, notes
        )
        if scenario is None:
            refuse(path, "the recording car starts on no lane of the map")
        return [scenario]


def _first_text(table: Table, name: str, default: str) -> str:
    if name not in table:
        return default
    codes, texts = table.codes(name)
    return texts[int(codes[0])][:200]


def _tracks(table: Table) -> list[Track]:
    codes, names = table.codes("track_id")
    type_codes, types = table.codes("object_type")
    step = table.integers("timestep")
    xy = np.stack([table.floats("position_x"), table.floats("position_y")], axis=-1)
    heading = table.floats("heading")
    velocity = np.stack([table.floats("velocity_x"), table.floats("velocity_y")], axis=-1)
    if len(names) > MAX_AGENTS:
        refuse(table.path, f"{len(names):,} tracks")
    if step.min() < 0 or step.max() >= MAX_STEPS:
        refuse(table.path, f"time steps from {step.min()} to {step.max()}")
    order = np.lexsort((step, codes))
    starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0])
    tracks = []
    for rows in np.split(order, starts[1:]):
        name = names[int(codes[rows[0]])]
        if (np.diff(step[rows]) == 0).any():
            refuse(table.path, f"track {name[:40]} has two states at one time step")
        kind, length, width = _TYPES.get(types[int(type_codes[rows[0]])], _TYPES["unknown"])
        centres = xy[rows]
        if name == EGO_TRACK:
            length, width = EGO_LENGTH_M, EGO_WIDTH_M
            centres = box_centre(centres, heading[rows], length)
        given = np.full((len(rows), 2), np.nan) if name == EGO_TRACK else velocity[rows]
        tracks.append(Track(name, kind, length, width, step[rows], centres, heading[rows], given))
    return tracks
