"""What boxes hide from an observer, exactly: for the points that :mod:`.shadows` leaves in doubt."""

from __future__ import annotations

import math

import numpy as np

from waytrace.geometry import F4, F8, I4, F8x2, jit

from .shadows import (
    ACROSS,
    ALONG,
    ANGLE_MARGIN,
    CLOSE2,
    COS,
    HALF,
    INSET,
    MID,
    SIN,
    TALL,
    WALL,
    U,
    V,
    X,
    Y,
    angle,
    box_at,
    rough_at,
)

_AX, _AY, _BX, _BY, _QEX, _QEY, _QFX, _QFY, _QFO, _QEO = range(10)
"""Columns of ``ObserveScratch.outline``, relative to the observer: the two corners that bound a box in its view (a on
the right, b on the left), direction and offset of the lines through its two near faces (offset minus infinity for a box
that holds the observer)."""


@jit("void", "f8[:]", "f8[:,:]", "f8", "f8", "i8")
def _outline(box: F8, outline: F8x2, eye_x: float, eye_y: float, k: int) -> None:
    """Fill row ``k`` of ``outline``: what the box hides from the observer."""
    q = box_at(k)
    x, y, c, s, u, v = box[q + X] - eye_x, box[q + Y] - eye_y, box[q + COS], box[q + SIN], box[q + U], box[q + V]
    ahead, aside = -(x * c + y * s), -(y * c - x * s)
    su, sv = u if ahead >= 0.0 else -u, v if aside >= 0.0 else -v
    beyond_u, beyond_v = abs(ahead) > u, abs(aside) > v
    both = beyond_u & beyond_v
    pv = -sv if beyond_u else sv
    qu = su if beyond_u & (not beyond_v) else -su
    px, py = x + c * su - s * pv, y + s * su + c * pv
    qx, qy = x + c * qu - s * sv, y + s * qu + c * sv
    right = px * qy - py * qx >= 0.0
    ax, ay = px if right else qx, py if right else qy
    bx, by = qx if right else px, qy if right else py
    mx, my = x + c * su - s * sv, y + s * su + c * sv  # the near corner, between a and b where two faces are near
    fx, fy = bx - (mx if both else ax), by - (my if both else ay)
    ex, ey = (mx if both else bx) - ax, (my if both else by) - ay
    outline[k, _AX], outline[k, _AY], outline[k, _BX], outline[k, _BY] = ax, ay, bx, by
    outline[k, _QFX], outline[k, _QFY], outline[k, _QFO] = fx, fy, fx * by - fy * bx
    outline[k, _QEX], outline[k, _QEY] = ex, ey
    outline[k, _QEO] = ex * ay - ey * ax if beyond_u | beyond_v else -math.inf


@jit("b1", "i8", "i8", "i8", "i8", "f4[:]", "f8[:]", "f8[:,:]", "i4[:]", "f8", "f8")
def point_hidden(
    target: int, p: int, n: int, row: int, rough: F4, box: F8, outline: F8x2, outline_of: I4, eye_x: float, eye_y: float
) -> bool:
    """Whether any other box hides point ``p`` of box ``target`` from the observer of observation ``row``."""
    q = box_at(target)
    u, v = INSET * box[q + U] * ALONG[p], INSET * box[q + V] * ACROSS[p]
    px = box[q + X] - eye_x + box[q + COS] * u - box[q + SIN] * v
    py = box[q + Y] - eye_y + box[q + SIN] * u + box[q + COS] * v
    x, y, four = np.float32(px), np.float32(py), np.float32(4.0)
    at, known = angle(x, y), x * x + y * y > np.float32(CLOSE2)
    wall = TALL if rough[rough_at(target) + TALL] == np.float32(0.0) else WALL
    for k in range(n):
        j = rough_at(k)
        off = abs(at - rough[j + MID])
        off = min(off, abs(four - off)) - rough[j + HALF]
        if (known and off > np.float32(ANGLE_MARGIN)) or rough[j + wall] > np.float32(0.0) or k == target:
            continue
        if outline_of[k] != row:
            _outline(box, outline, eye_x, eye_y, k)
            outline_of[k] = row
        if (
            outline[k, _AX] * py - outline[k, _AY] * px >= 0.0
            and px * outline[k, _BY] - py * outline[k, _BX] >= 0.0
            and outline[k, _QFX] * py - outline[k, _QFY] * px <= outline[k, _QFO]
            and outline[k, _QEX] * py - outline[k, _QEY] * px <= outline[k, _QEO]
        ):
            return True
    return False
