"""The drivable area as a grid: most cells answer "inside" or "outside" at once, the rest name their polygons."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import Polylines, jit

from ._grid import cover

DRIVABLE_CELL_M = 4.0


@jit("void", "f8[:]", "f8[:]", "f8", "f8", "i8", "i8", "f8", "u1[:]")
def _mark_edges(
    x: NDArray[np.float64], y: NDArray[np.float64], x0: float, y0: float, nx: int, ny: int, cell: float,
    near: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Set ``near`` for every cell that an edge of the closed ring comes within 0.4 m of (box test, conservative)."""
    n = len(x)
    for k in range(n):
        ax, ay, bx, by = x[k], y[k], x[(k + 1) % n], y[(k + 1) % n]
        steps = int(max(abs(bx - ax), abs(by - ay)) / cell) + 1
        for q in range(steps):
            u, v = q / steps, (q + 1) / steps
            px, py, qx, qy = ax + u * (bx - ax), ay + u * (by - ay), ax + v * (bx - ax), ay + v * (by - ay)
            i0 = max(0, int(np.floor((min(px, qx) - 0.4 - x0) / cell)))
            i1 = min(nx - 1, int(np.floor((max(px, qx) + 0.4 - x0) / cell)))
            j0 = max(0, int(np.floor((min(py, qy) - 0.4 - y0) / cell)))
            j1 = min(ny - 1, int(np.floor((max(py, qy) + 0.4 - y0) / cell)))
            for j in range(j0, j1 + 1):
                for i in range(i0, i1 + 1):
                    near[j * nx + i] = 1


@jit("void", "f8[:]", "f8[:]", "f8", "f8", "i8", "f8", "i8", "i8", "i8", "i8", "u1[:]", "u1[:]")
def _mark_inside(
    x: NDArray[np.float64], y: NDArray[np.float64], x0: float, y0: float, nx: int, cell: float,
    i0: int, i1: int, j0: int, j1: int, near: NDArray[np.uint8], state: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Set ``state`` to 1 for the cells i0 .. i1, j0 .. j1 that lie in the ring and near none of its edges.

    Along a row of cells the answer changes only across an edge, so one even-odd test serves a whole run of clear cells.
    """
    n = len(x)
    for j in range(j0, j1 + 1):
        cy = y0 + (j + 0.5) * cell
        known, inside = False, False
        for i in range(i0, i1 + 1):
            if near[j * nx + i]:
                known = False
                continue
            if not known:
                cx = x0 + (i + 0.5) * cell
                known, inside, k = True, False, n - 1
                for v in range(n):
                    if (y[v] > cy) != (y[k] > cy) and cx < (x[k] - x[v]) * (cy - y[v]) / (y[k] - y[v]) + x[v]:
                        inside = not inside
                    k = v
            if inside:
                state[j * nx + i] = 1


def classify_cells(drivable: Polylines) -> dict[str, NDArray[Any]]:
    """Grid arrays of one map's drivable polygons (see ``MapIndex.dcell_state``)."""
    cell = DRIVABLE_CELL_M
    grid = cover(drivable.xy, cell)
    cells = grid.nx * grid.ny
    state = np.zeros(cells, np.uint8)
    cell_of, ring_of = [], []
    for ring, polygon in enumerate(drivable):
        if len(polygon) < 3:
            continue
        near = np.zeros(cells, np.uint8)
        x, y = np.ascontiguousarray(polygon[:, 0]), np.ascontiguousarray(polygon[:, 1])
        _mark_edges(x, y, grid.x, grid.y, grid.nx, grid.ny, cell, near)
        i0, j0 = ((polygon.min(0) - [grid.x, grid.y]) // cell).astype(int)
        i1, j1 = np.minimum(((polygon.max(0) - [grid.x, grid.y]) // cell).astype(int), [grid.nx - 1, grid.ny - 1])
        _mark_inside(x, y, grid.x, grid.y, grid.nx, cell, i0, i1, j0, j1, near, state)
        mixed = np.flatnonzero(near).astype(np.int64)
        cell_of.append(mixed)
        ring_of.append(np.full(len(mixed), ring, np.int32))
    cells_flat = np.concatenate(cell_of) if cell_of else np.zeros(0, np.int64)
    rings_flat = np.concatenate(ring_of) if ring_of else np.zeros(0, np.int32)
    needed = state[cells_flat] != 1
    cells_flat, rings_flat = cells_flat[needed], rings_flat[needed]
    state[cells_flat] = 2
    order = np.argsort(cells_flat, kind="stable")
    return grid.named("dgrid") | {
        "dcell_state": state,
        "dcell_lo": np.searchsorted(cells_flat[order], np.arange(cells + 1)).astype(np.int32),
        "dcell_ring": rings_flat[order],
        "ring_lo": drivable.start,
        "ring_x": np.ascontiguousarray(drivable.xy[:, 0]),
        "ring_y": np.ascontiguousarray(drivable.xy[:, 1]),
    }
