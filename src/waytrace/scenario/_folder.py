"""A folder of shards as a lazy, read-only mapping: what stores of scenarios and of rollouts have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Generic, Self, TypeVar

from ._shards import ShardReader, Verify

T = TypeVar("T")


class ShardFolder(ABC, Generic[T]):
    """Entries by id, each read when asked for. ``FORMAT`` is what the manifest must call itself."""

    FORMAT: ClassVar[str]

    def __init__(self, path: Path | str, *, verify: Verify = "lazy") -> None:
        self._shards = ShardReader(Path(path), self.FORMAT, verify=verify)

    @classmethod
    def open(cls, path: Path | str, *, verify: Verify = "lazy") -> Self:
        """Open a folder. Raises :class:`StoreError` where there is none, or a damaged one."""
        return cls(path, verify=verify)

    @property
    def path(self) -> Path:
        """The folder."""
        return self._shards.path

    @property
    def manifest_hash(self) -> str:
        """sha256 (hex) of the manifest, and so of everything in the folder."""
        return self._shards.manifest_hash

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids in the order of writing."""
        return tuple(self._shards.manifest.items)

    def __len__(self) -> int:
        return len(self._shards.manifest.items)

    def __contains__(self, id: object) -> bool:
        return id in self._shards.manifest.items

    def __iter__(self) -> Iterator[T]:
        """Entries in order, one in memory at a time."""
        return (self[id] for id in self.ids)

    @abstractmethod
    def __getitem__(self, id: str) -> T: ...

    def close(self) -> None:
        """Let go of open shards; reading opens them again."""
        self._shards.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
