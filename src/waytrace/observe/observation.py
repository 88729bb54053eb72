"""One moment as B controlled agents perceive it, in two forms: arrays and typed scenes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import DT_S, WaytraceError

from .arrays import ObservationArrays, copied
from .features import REFERENCE_KIND, ROWS, ReferenceKind
from .references import Reference
from .scene import Scene, SceneSource

F4 = NDArray[np.float32]


class Scenes(Sequence[Scene]):
    """The typed scene of each row, made when first asked for."""

    def __init__(
        self, source: SceneSource | None, rows: Sequence[int], tick: NDArray[np.int32], reference: NDArray[np.int32]
    ) -> None:
        self._source, self._rows, self._tick, self._reference = source, rows, tick, reference
        self._made: dict[int, Scene] = {}

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Scene: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Scene]: ...
    def __getitem__(self, index: int | slice) -> Scene | Sequence[Scene]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        if index not in self._made:
            if self._source is None:
                raise WaytraceError("this observation holds arrays only; scenes need a World made with record=True")
            record = self._source.scene_record(self._rows[index], int(self._tick[index]))
            self._made[index] = Scene.of(record, self._reference[index])
        return self._made[index]

    def __iter__(self) -> Iterator[Scene]:
        return (self[i] for i in range(len(self)))


@dataclass(frozen=True)
class Observation:
    """What B controlled agents perceive now. Arrays are in each one's own frame; columns: ``docs/observation.md``.

    Padding rows hold 0 and are false in ``valid``. Scenes are in the world frame.
    """

    ids: tuple[str, ...]
    """[B] scenario of each row."""
    tick: NDArray[np.int32]
    """[B] ticks since the scenario's start step."""
    time_s: NDArray[np.float64]
    ego: F4
    """[B, 13]."""
    agents: F4
    """[B, 31, 10] nearest first."""
    map: F4
    """[B, 96, 15] pieces of lanes, nearest first."""
    lights: F4
    """[B, 8, 7] those of the route first, then nearest first."""
    crosswalks: F4
    """[B, 8, 6] nearest first."""
    stop_lines: F4
    """[B, 8, 6] nearest first."""
    reference: NDArray[np.int32]
    """[B, 151] what each row of agents, map, lights, crosswalks, stop lines is: an index within the scenario, -1 for
    padding. ``REFERENCE_KIND`` has the kinds."""
    scenes: Sequence[Scene] = field(repr=False, compare=False)

    @classmethod
    def of(
        cls, arrays: ObservationArrays, ids: Sequence[str], tick: NDArray[np.int32], source: SceneSource | None,
        *, copy: bool = True,
    ) -> Observation:  # fmt: skip
        """The observation in ``arrays`` (copied unless ``copy`` is false: then they must not be written to again)."""
        own = copied(arrays) if copy else arrays
        when = np.array(tick, np.int32)
        scenes = Scenes(source, range(len(when)), when, own.reference)
        return cls(tuple(ids), when, np.asarray(when * DT_S, np.float64), *own, scenes=scenes)

    def __len__(self) -> int:
        return len(self.tick)

    def valid(self, table: str) -> NDArray[np.bool_]:
        """[B, rows] which rows of ``agents``, ``map``, ``lights``, ``crosswalks`` or ``stop_lines`` are real."""
        if table not in ROWS:
            raise KeyError(f"no table {table!r}; there are {', '.join(ROWS)}")
        names = list(ROWS)
        first = sum(ROWS[name] for name in names[: names.index(table)])
        rows: NDArray[np.bool_] = self.reference[:, first : first + ROWS[table]] >= 0
        return rows

    def references(self) -> NDArray[np.int32]:
        """[B, 151, 2] the reference table as pairs (kind, index); index -1 is padding."""
        kinds = np.broadcast_to(REFERENCE_KIND, self.reference.shape)
        return np.stack([kinds, self.reference], -1)

    def reference_of(self, row: int, element: int) -> Reference | None:
        """What ``element`` (0 .. 150) of the reference table of a row points at; None for padding."""
        index = int(self.reference[row, element])
        return None if index < 0 else Reference(ReferenceKind(int(REFERENCE_KIND[element])), index)

    def truncated(self, row: int, ref: Reference) -> bool:
        """Whether the arrays of a row do not hold ``ref``."""
        if ref.kind == ReferenceKind.EGO:
            return False
        return not bool((self.reference[row, ref.kind == REFERENCE_KIND] == ref.index).any())
