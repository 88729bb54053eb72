"""Scenarios on disk: thousands in one folder, each read on its own, every byte checked."""

from __future__ import annotations

import difflib
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from waytrace import __version__

from ._folder import ShardFolder
from ._layout import (
    MAP_LAYOUT,
    MapRecord,
    ScenarioRecord,
    build_map,
    build_scenario,
    map_arrays,
    map_record,
    scenario_arrays,
    scenario_layout,
    scenario_record,
)
from ._manifest import Item, parse_record
from ._shards import ShardWriter, Verify
from .check import check_scenario
from .errors import StoreError
from .hashing import map_hash, scenario_hash
from .rollouts import RolloutStore, RolloutWriter, write_rollouts
from .splits import SplitError, split_of
from .types import RoadMap, Scenario

__all__ = ["RolloutStore", "RolloutWriter", "ScenarioStore", "ScenarioWriter", "write_rollouts"]

FORMAT = "waytrace.scenarios/1"
SHARD_BYTES = 64 << 20
SHARD_ITEMS = 256
_KEPT_MAPS = 8


class ScenarioWriter:
    """Writes a store of scenarios; a context manager.

    The folder appears when the block ends without an error, whole; until then, and after an error, there is none
    (while writing, ``<name>.unfinished-...`` lies beside it). A map shared by many scenarios is stored once. Memory:
    one shard of each kind (about 64 MB) and a manifest entry per scenario.

    Raises :class:`StoreError` where ``path`` holds something already (``overwrite=True`` replaces a store, and
    nothing but a store) and where the disk refuses.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        overwrite: bool = False,
        shard_bytes: int = SHARD_BYTES,
        shard_items: int = SHARD_ITEMS,
    ) -> None:
        self._shards = ShardWriter(
            Path(path),
            FORMAT,
            version=__version__,
            overwrite=overwrite,
            shard_bytes=shard_bytes,
            shard_items=shard_items,
        )

    def __len__(self) -> int:
        return len(self._shards.items)

    def add(self, scenario: Scenario) -> str:
        """Take in a scenario; its hash.

        Raises :class:`StoreError` for an id that the store has already and for arrays of a wrong dtype or shape.
        """
        shards = self._shards
        what = f"scenario {scenario.id!r}"
        if scenario.id in shards.items:
            raise StoreError(f"{what} is in {shards.path} already. Ids must differ within a store.")
        if not 0 <= scenario.ego_index < len(scenario.agents):
            raise StoreError(f"{what} cannot be stored: ego_index {scenario.ego_index} is none of its agents.")
        of_map = _hashed(what, lambda: map_hash(scenario.map))
        if of_map not in shards.shared:
            shards.shared[of_map] = shards.put(
                "maps",
                f"the map of {what}",
                map_arrays(scenario.map),
                MAP_LAYOUT,
                map_record(scenario.map),
                L=len(scenario.map),
            )
        content = _hashed(what, lambda: scenario_hash(scenario, of_map=of_map))
        layout = scenario_layout(scenario.assertive is not None)
        record = scenario_record(scenario, of_map)
        place = shards.put("scenarios", what, scenario_arrays(scenario), layout, record, N=len(scenario.agents))
        shards.items[scenario.id] = Item(place=place, summary=_summary(scenario, content, of_map))
        return content

    def close(self) -> None:
        """End writing: the store appears under its name."""
        self._shards.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shards.__exit__(kind, error, trace)


def _hashed(what: str, compute: Callable[[], str]) -> str:
    try:
        return compute()
    except (ValueError, TypeError) as error:
        raise StoreError(f"{what} cannot be stored: {error}. Provenance and ids must be plain JSON values.") from error


def _summary(scenario: Scenario, content: str, of_map: str) -> dict[str, Any]:
    return {
        "id": scenario.id,
        "source": scenario.source,
        "family": scenario.family,
        "split": _split(scenario),
        "cluster": scenario.cluster,
        "licence": scenario.provenance.licence,
        "attribution": scenario.provenance.attribution,
        "agents": len(scenario.agents),
        "steps": scenario.steps,
        "start_step": int(scenario.start_step),
        "end_step": int(scenario.end_step),
        "lanes": len(scenario.map),
        "recorded": scenario.recorded,
        "map": of_map,
        "hash": content,
    }


def _split(scenario: Scenario) -> str:
    try:
        return split_of(scenario)
    except SplitError:
        return ""


class ScenarioStore(ShardFolder[Scenario]):
    """A folder of scenarios, written by :class:`ScenarioWriter`: a lazy, read-only mapping from id to scenario.

    Reading one scenario reads its arrays alone. Each file is checked against its sha256 at first touch; with
    ``verify="full"`` all are checked at opening. Sixteen shards and eight maps at most are kept open; scenarios of one
    place that are read in turn share one :class:`RoadMap` object. Threads may share a store; processes open their own.
    """

    FORMAT = FORMAT

    def __init__(self, path: Path | str, *, verify: Verify = "lazy") -> None:
        super().__init__(path, verify=verify)
        self._maps: OrderedDict[str, RoadMap] = OrderedDict()
        self._lock = threading.Lock()

    def __getitem__(self, id: str) -> Scenario:
        place = self._item(id).place
        where = f"{self.path}, scenario {id!r}"
        record = parse_record(ScenarioRecord, self._shards.record(place), where)
        arrays = self._shards.arrays(place, scenario_layout(record.assertive), N=len(record.agent_id))
        with self._lock:
            road = self._map(record.map, where)
        return build_scenario(road, arrays, record)

    def _item(self, id: str) -> Item:
        item = self._shards.manifest.items.get(id)
        if item is None:
            near = difflib.get_close_matches(id, self.ids, n=3) if len(self) < 10_000 else []
            hint = (
                f"Did you mean {', '.join(near)}?" if near else f"`waytrace scenarios list {self.path}` shows all ids."
            )
            raise StoreError(f"{self.path} has no scenario {id!r}. {hint}")
        return item

    def _map(self, of_map: str, where: str) -> RoadMap:
        road = self._maps.pop(of_map, None)
        if road is None:
            place = self._shards.manifest.shared.get(of_map)
            if place is None:
                raise StoreError(f"{where}: its map {of_map[:12]} is not in the manifest. Write the store again.")
            record = parse_record(MapRecord, self._shards.record(place), f"{self.path}, map {of_map[:12]}")
            road = build_map(self._shards.arrays(place, MAP_LAYOUT, L=len(record.lane_id)), record)
            while len(self._maps) >= _KEPT_MAPS:
                self._maps.popitem(last=False)
        self._maps[of_map] = road
        return road

    def summary(self, id: str) -> dict[str, Any]:
        """What the manifest says of a scenario; no shard is read.

        Keys: id, source, family, split, cluster, licence, attribution, agents, steps, start_step, end_step, lanes,
        recorded, map and hash (sha256 of content).
        """
        return dict(self._item(id).summary)

    def validate(self) -> list[str]:
        """Everything that is wrong with the store and its scenarios, in words; all of it is read.

        Damaged files first; where there is one, scenarios are not looked into. Of each scenario, what
        :func:`check_scenario` finds, and whether its content has the hash that the manifest gives.
        """
        found = self._shards.problems()
        if found:
            return found
        for id in self.ids:
            try:
                scenario = self[id]
            except StoreError as error:
                found.append(str(error))
                continue
            found += [f"{id}: {fault}" for fault in check_scenario(scenario)]
            if scenario.id != id or scenario_hash(scenario) != self.summary(id)["hash"]:
                found.append(f"{id}: its content is not what the manifest says")
        return found

    def close(self) -> None:
        """Let go of open shards and kept maps; reading opens them again."""
        super().close()
        with self._lock:
            self._maps.clear()
