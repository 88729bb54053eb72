"""Uniform grids: points sorted into cells, as compressed rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Grid:
    """A grid of ``nx`` by ``ny`` square cells from (x, y); cell (i, j) is number ``j * nx + i``."""

    x: float
    y: float
    nx: int
    ny: int

    def named(self, prefix: str) -> dict[str, NDArray[Any]]:
        """The grid's numbers as index arrays of one map."""
        return {
            f"{prefix}_x": np.array([self.x]),
            f"{prefix}_y": np.array([self.y]),
            f"{prefix}_nx": np.array([self.nx], np.int32),
            f"{prefix}_ny": np.array([self.ny], np.int32),
            f"{prefix}_lo": np.array([self.nx * self.ny], np.int32),
        }


def cover(xy: NDArray[np.float64], cell_m: float) -> Grid:
    """The smallest grid over points [Q, 2]; one cell where there are none."""
    if not len(xy):
        return Grid(0.0, 0.0, 1, 1)
    low, high = xy.min(0), xy.max(0)
    nx, ny = (int(v) + 1 for v in (high - low) // cell_m)
    return Grid(float(low[0]), float(low[1]), nx, ny)


def bucket(xy: NDArray[np.float64], cell_m: float) -> tuple[Grid, tuple[NDArray[np.int32], NDArray[np.int64]]]:
    """Points [Q, 2] sorted into cells: the grid, and (row starts [cells + 1], point numbers [Q], rising in a cell)."""
    grid = cover(xy, cell_m)
    i = np.clip(((xy[:, 0] - grid.x) // cell_m).astype(np.int64), 0, grid.nx - 1)
    j = np.clip(((xy[:, 1] - grid.y) // cell_m).astype(np.int64), 0, grid.ny - 1)
    cell = j * grid.nx + i
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], np.arange(grid.nx * grid.ny + 1)).astype(np.int32)
    return grid, (starts, order)
