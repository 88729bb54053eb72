"""The sample store: what supervised training reads, a batch at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.microgpt import empty_tokens, feature_hash
from waytrace.scenario import StoreError
from waytrace.trace import vocabulary_hash

from .packing import HALVES, K, Packed, unpack_tokens, unpack_traces
from .sample import BRANCHES, DRIVERS, GATES, Branch, Sample, SampleBatch, branch_of
from .shard import FEATURE_SHAPES, read_shard

FORMAT = "waytrace.samples/1"

__all__ = [
    "BRANCHES", "DRIVERS", "FORMAT", "GATES", "Branch", "Sample", "SampleBatch", "SampleStore", "branch_of",
]  # fmt: skip


class SampleStore:
    """Samples of one folder or of several, numbered through; opened whole, checked once, read in batches."""

    def __init__(self, shards: Sequence[Packed], scenarios: Sequence[Sequence[str]], manifests: Sequence[Any]) -> None:
        self._shards, self._scenarios = list(shards), list(scenarios)
        self.manifests: list[dict[str, Any]] = list(manifests)
        """Of each folder, in their order."""
        self._first = np.concatenate([[0], np.cumsum([len(shard.tick) for shard in shards])]).astype(np.int64)

    @classmethod
    def open(cls, path: Path | str, *, mapped: bool = False, verify: bool = True) -> SampleStore:
        """Open a folder of samples: into memory, or as pages of its files where ``mapped``.

        ``verify`` compares every shard with its sha256. Raises :class:`StoreError` where there is none, one of other
        features or other slots, or a damaged one: file, reason and way out.
        """
        folder = Path(path)
        manifest = read_manifest(folder)
        shards = [
            read_shard(folder / "shards" / entry["file"], entry, mapped=mapped, verify=verify)
            for entry in manifest["shards"]
        ]  # fmt: skip
        return cls(shards, [entry["scenarios"] for entry in manifest["shards"]], [manifest])

    @classmethod
    def join(cls, stores: Sequence[SampleStore]) -> SampleStore:
        """Several stores as one, in their order; nothing is copied."""
        return cls(
            [shard for store in stores for shard in store._shards],
            [ids for store in stores for ids in store._scenarios],
            [manifest for store in stores for manifest in store.manifests],
        )

    def __len__(self) -> int:
        return int(self._first[-1])

    @cached_property
    def tokens(self) -> NDArray[np.int64]:
        """[samples] valid scene tokens of each: what batches of like length are made by."""
        return self._joined(lambda p: p.valid.sum(1))

    @cached_property
    def traces(self) -> NDArray[np.int64]:
        """[samples, K] slots of each branch's trace; 0 where there is no such branch."""
        return self._joined(lambda p: np.diff(p.branch_lo).reshape(-1, K), (K,))

    @cached_property
    def decisions(self) -> NDArray[np.int64]:
        """[samples, K, 2] what each branch decides, see :class:`SampleBatch`."""
        return self._joined(lambda p: p.decision, (K, 2))

    @cached_property
    def drivers(self) -> NDArray[np.int64]:
        """[samples] numbers in ``DRIVERS``."""
        return self._joined(lambda p: p.driver)

    @cached_property
    def gates(self) -> NDArray[np.int64]:
        """[samples] numbers in ``GATES``."""
        return self._joined(lambda p: p.gate)

    @cached_property
    def scenarios(self) -> tuple[str, ...]:
        """[samples] ids of the scenarios that they are of."""
        return tuple(
            ids[k] for shard, ids in zip(self._shards, self._scenarios, strict=True) for k in shard.scenario.tolist()
        )

    def _joined(self, part: Any, shape: tuple[int, ...] = ()) -> NDArray[np.int64]:
        parts = [np.asarray(part(shard), np.int64) for shard in self._shards]
        return np.concatenate([np.zeros((0, *shape), np.int64), *parts])

    def batch(self, indices: NDArray[np.integer[Any]] | Sequence[int]) -> SampleBatch:
        """The samples with these numbers, in this order. Raises :class:`StoreError` for one that there is not."""
        wanted = np.asarray(indices, np.int64).reshape(-1)
        count = len(wanted)
        if count and not (wanted.min() >= 0 and wanted.max() < len(self)):
            raise StoreError(f"there are samples 0 to {len(self) - 1}, not {wanted.min()} to {wanted.max()}")
        shard_of = np.searchsorted(self._first, wanted, side="right") - 1
        longest = max(int(self.traces[wanted].max(initial=0)), 1)
        tokens = empty_tokens(count)
        slot, value = (np.full((count, K, longest), -1, np.int16) for _ in range(2))
        small: dict[str, NDArray[Any]] = {}
        scenario = [""] * count
        order = np.argsort(shard_of, kind="stable")
        numbers, starts = np.unique(shard_of[order], return_index=True)
        groups = np.split(order, starts[1:]) if count else []
        for number, place in zip(numbers.tolist(), groups, strict=True):
            shard = self._shards[number]
            which = wanted[place] - self._first[number]
            unpack_tokens(shard.features, shard.feature_lo, shard.valid, which, place, HALVES, *tokens[:7])
            unpack_traces(shard.slot, shard.value, shard.branch_lo, which, place, slot, value)
            for name in _COPIED:
                part = getattr(shard, name)
                if name not in small:
                    small[name] = np.empty((count, *part.shape[1:]), part.dtype)
                small[name][place] = part[which]
            ids = self._scenarios[number]
            for b, k in zip(place.tolist(), shard.scenario[which].tolist(), strict=True):
                scenario[b] = ids[k]
        if not small:
            small = {name: getattr(_NOTHING, name) for name in _COPIED}
        return SampleBatch(
            tokens._replace(valid=small["valid"], row=small["row"]), slot, value, small["accel"], small["curvature"],
            small["present"], small["speed"], small["length"], small["decision"], small["before"], small["driver"],
            small["gate"], small["tick"], tuple(scenario),
        )  # fmt: skip


_COPIED = (
    "valid", "row", "accel", "curvature", "present", "speed", "length", "decision", "before", "driver", "gate", "tick",
)  # fmt: skip


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder of samples, checked. Raises :class:`StoreError`."""
    file = folder / "manifest.json"
    if not file.exists():
        begun = (folder / "run.json").exists()
        hint = "It was begun and not finished: repeat the command." if begun else "`waytrace train collect` makes one."
        raise StoreError(f"{folder} holds no finished samples. {hint}")
    try:
        manifest: dict[str, Any] = json.loads(file.read_text())
        if manifest["format"] != FORMAT:
            raise ValueError(f"its format is {manifest['format']!r}, not {FORMAT!r}")
        vocabulary, features = str(manifest["vocabulary"]), str(manifest["features"])
        for entry in manifest["shards"]:
            name, ids = entry["file"], entry["scenarios"]
            entry["bytes"], entry["sha256"], entry["samples"]
            if not isinstance(ids, list) or Path(name).name != name:
                raise ValueError(f"its entry of the shard {name!r} makes no sense")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{file} is damaged or of another kind: {error}. Collect the samples again.") from error
    for what, mine, theirs in (
        ("slots", vocabulary_hash(), vocabulary), ("features", feature_hash(), features),
    ):  # fmt: skip
        if mine != theirs:
            raise StoreError(
                f"{folder} was made with other {what} ({theirs[:12]}; this version has {mine[:12]}). "
                "Collect the samples again, or use the version that made them."
            )
    if manifest.get("shapes") != FEATURE_SHAPES:
        raise StoreError(f"{file} says that tokens have shapes {manifest.get('shapes')}, not {FEATURE_SHAPES}.")
    return manifest


def _nothing() -> Packed:
    from .packing import pack

    return pack([], [])


_NOTHING = _nothing()
