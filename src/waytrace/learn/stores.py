"""Several stores of samples as one, checked against the law of splits before anything is learned from them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.evaluate.digest import canonical
from waytrace.scenario.splits import ALLOWED, SPLITS, Purpose, SplitError

from .config import ConfigError
from .samples import SampleStore


def open_samples(paths: Sequence[str | Path], purpose: Purpose) -> SampleStore:
    """The samples of all folders, numbered through.

    Raises :class:`SplitError` where some may not be used for ``purpose``, :class:`ConfigError` where there are none.
    """
    store = SampleStore.join([SampleStore.open(path) for path in paths])
    if not len(store):
        raise ConfigError(f"{', '.join(map(str, paths))}: no samples there. `waytrace train collect` makes some.")
    for path, manifest in zip(paths, store.manifests, strict=True):
        forbidden = sorted(_splits(manifest) - set(ALLOWED[purpose]))
        if forbidden:
            raise SplitError(
                f"{path} holds samples of split {forbidden[0]!r}; to {purpose} only {' and '.join(ALLOWED[purpose])} "
                "may be used. Name another store."
            )
    return store


def lengths(store: SampleStore) -> NDArray[np.int64]:
    """[samples] tokens of each: those of its scene and those of its choice's trace."""
    out: NDArray[np.int64] = store.tokens + store.traces[:, 0]
    return out


def samples_hash(store: SampleStore) -> str:
    """sha256 over the content of all shards, in order."""
    shards = [[shard["sha256"] for shard in manifest["shards"]] for manifest in store.manifests]
    return hashlib.sha256(canonical(shards)).hexdigest()


def _splits(manifest: Mapping[str, Any]) -> set[str]:
    """Splits that the samples of a folder may be of: their scenarios' own, where ids say so; else what their purpose,
    for which they were checked when they were collected, allows.
    """
    ids = [id.split("/") for shard in manifest["shards"] for id in shard["scenarios"]]
    named = {parts[1] for parts in ids if len(parts) == 3 and parts[1] in SPLITS}
    if all(len(parts) == 3 and parts[1] in SPLITS for parts in ids):
        return named
    return named | set(ALLOWED[Purpose(manifest.get("settings", {}).get("purpose", Purpose.REPORT))])
