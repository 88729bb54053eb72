"""Rollouts on disk: the same shards and checks as for scenarios."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from waytrace import __version__

from ._folder import ShardFolder
from ._layout import ROLLOUT_LAYOUT, RolloutRecord, build_rollout, rollout_arrays, rollout_record
from ._manifest import Item, parse_record
from ._shards import ShardWriter
from .errors import StoreError
from .plans import Rollout

FORMAT = "waytrace.rollouts/1"
SHARD_BYTES = 64 << 20
SHARD_ITEMS = 256


class RolloutWriter:
    """Writes a folder of rollouts, one per scenario id; a context manager that works as ``ScenarioWriter`` does."""

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

    def add(self, rollout: Rollout) -> None:
        """Take in a rollout.

        Raises :class:`StoreError` for a second one of the same scenario and for arrays of a wrong dtype or shape.
        """
        what = f"the rollout of {rollout.scenario_id!r}"
        if rollout.scenario_id in self._shards.items:
            raise StoreError(f"{what} is in {self._shards.path} already. A folder holds one rollout per scenario.")
        place = self._shards.put("rollouts", what, rollout_arrays(rollout), ROLLOUT_LAYOUT, rollout_record(rollout))
        self._shards.items[rollout.scenario_id] = Item(place=place, summary=_summary(rollout))

    def close(self) -> None:
        """End writing: the folder appears under its name."""
        self._shards.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shards.__exit__(kind, error, trace)


def write_rollouts(path: Path | str, rollouts: Iterable[Rollout], *, overwrite: bool = False) -> Path:
    """Write rollouts, one per scenario, to a folder; its path. The iterable may be a generator: memory is bounded.

    Raises :class:`StoreError`; then there is no folder.
    """
    with RolloutWriter(path, overwrite=overwrite) as writer:
        for rollout in rollouts:
            writer.add(rollout)
    return Path(path)


def _summary(rollout: Rollout) -> dict[str, Any]:
    ticks, agents = rollout.valid.shape
    return {
        "scenario_id": rollout.scenario_id,
        "scenario_hash": rollout.scenario_hash,
        "planner": rollout.planner,
        "traffic": rollout.traffic,
        "seed": int(rollout.seed),
        "ticks": int(ticks),
        "agents": int(agents),
        "end": rollout.end,
    }


class RolloutStore(ShardFolder[Rollout]):
    """A folder of rollouts: a lazy, read-only mapping from scenario id to :class:`Rollout`."""

    FORMAT = FORMAT

    @classmethod
    def of_result(cls, path: Path) -> Self:
        """The rollouts of an evaluation's result folder, or those of a folder that itself holds rollouts."""
        inner = path / "rollouts"
        return cls.open(inner if inner.is_dir() else path)

    def __getitem__(self, id: str) -> Rollout:
        place = self._item(id).place
        record = parse_record(RolloutRecord, self._shards.record(place), f"{self.path}, rollout of {id!r}")
        return build_rollout(self._shards.arrays(place, ROLLOUT_LAYOUT), record)

    def _item(self, scenario_id: str) -> Item:
        item = self._shards.manifest.items.get(scenario_id)
        if item is None:
            raise StoreError(f"{self.path} has no rollout of {scenario_id!r}; it holds {len(self)} others.")
        return item

    def summary(self, scenario_id: str) -> dict[str, Any]:
        """What the manifest says: scenario_id, scenario_hash, planner, traffic, seed, ticks, agents, end."""
        return dict(self._item(scenario_id).summary)

    def validate(self) -> list[str]:
        """Everything that is wrong with the folder, in words; all of it is read."""
        found = self._shards.problems()
        if not found:
            for id in self.ids:
                try:
                    self[id]
                except StoreError as error:
                    found.append(str(error))
        return found
