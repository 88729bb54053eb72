"""The nearest map elements, exactly, without searching at every tick.

A Verlet list (Verlet 1967, https://doi.org/10.1103/PhysRev.159.98): around an anchor, all elements closer than some
radius T are kept, more than the k that are wanted. If the k-th lies at distance d_k from the anchor and the agent has
moved by at most r = (T - d_k) / 2 since, its k nearest lie within d_k + r of it, hence within d_k + 2r = T of the
anchor, hence in the list. So the list answers exactly until the agent has moved by r; then the grid is searched anew.
The list is kept in order, so that sorting it again is quick.
"""

from __future__ import annotations

import math

from waytrace.geometry import F8, I4, F8x2, I4x2, jit

from .arrays import KEPT, KEPT_FEW, KEPT_MOST

_BUCKETS = 256
_SLACK_M = 1e-6
"""Taken off every reach, because distances are rounded."""
_FAR = 1e300


@jit("void", "f8[:]", "i4[:,:]", "i8", "i8")
def sort_row(key: F8, items: I4x2, c: int, count: int) -> None:
    """Sort the first ``count`` of row ``c`` by key, ties by item. Insertion sort: the row is nearly in order.

    Most elements follow their forerunner and are passed over without a write.
    """
    if count <= 0:
        return
    most = key[0]
    for i in range(1, count):
        k = key[i]
        if most < k:
            most = k
            continue
        e = items[c, i]
        j = i - 1
        while j >= 0 and (key[j] > k or (key[j] == k and items[c, j] > e)):
            key[j + 1] = key[j]
            items[c, j + 1] = items[c, j]
            j -= 1
        key[j + 1] = k
        items[c, j + 1] = e


@jit("void", "f8[:]", "i4[:,:]", "i8", "i8", "i8")
def sort_nearest(key: F8, items: I4x2, c: int, count: int, wanted: int) -> None:
    """Bring the ``wanted`` least of the first ``count`` of row ``c`` to its head, sorted like :func:`sort_row`.

    The others follow in no order: whoever of them is none of the least costs one comparison.
    """
    sort_row(key, items, c, min(count, wanted))
    last = wanted - 1
    for i in range(wanted, count):
        k, e = key[i], items[c, i]
        if key[last] > k or (key[last] == k and items[c, last] > e):
            key[i], items[c, i] = key[last], items[c, last]
            j = last - 1
            while j >= 0 and (key[j] > k or (key[j] == k and items[c, j] > e)):
                key[j + 1] = key[j]
                items[c, j + 1] = items[c, j]
                j -= 1
            key[j + 1] = k
            items[c, j + 1] = e


@jit("f8", "f8", "f8")
def reach2_of(kth2: float, outside2: float) -> float:
    """Squared distance that an agent may move while its list holds; -1 where the list holds at the anchor at best."""
    if outside2 >= _FAR:
        return _FAR
    reach = 0.5 * (math.sqrt(outside2) - math.sqrt(kth2)) - _SLACK_M
    return reach * reach if reach > 0.0 else -1.0


@jit(
    "i8,f8", "f8", "f8", "f8", "f8", "f8", "i8", "i8", "i8",
    "i4[:]", "i4[:]", "f8[:]", "f8[:]", "f8[:]", "i4[:]"
)  # fmt: skip
def search_grid(
    x: float, y: float, cell: float, gx: float, gy: float, nx: int, ny: int, first: int,
    cell_lo: I4, cell_element: I4, cell_x: F8, cell_y: F8, key: F8, found: I4,
) -> tuple[int, float]:  # fmt: skip
    """Meet cells ring by ring around (x, y) until at least KEPT elements lie nearer than any cell not met.

    Returns how many lie so near (``found``, squared distances in ``key``) and a lower bound of all others' squared
    distance. Fewer than KEPT only where the grid has no more.
    """
    ci, cj = math.floor((x - gx) / cell), math.floor((y - gy) / cell)
    ring = max(0, -ci, ci - nx + 1, -cj, cj - ny + 1)
    last = max(ci, nx - 1 - ci, cj, ny - 1 - cj)
    edge = min(x - gx - ci * cell, gx + (ci + 1) * cell - x, y - gy - cj * cell, gy + (cj + 1) * cell - y)
    n = 0
    while True:
        for j in range(max(0, cj - ring), min(ny - 1, cj + ring) + 1):
            step = 1 if j == cj - ring or j == cj + ring else max(1, 2 * ring)
            i = ci - ring
            while i <= ci + ring:
                if 0 <= i < nx:
                    at = first + j * nx + i
                    for q in range(cell_lo[at], cell_lo[at + 1]):
                        dx, dy = cell_x[q] - x, cell_y[q] - y
                        key[n] = dx * dx + dy * dy
                        found[n] = cell_element[q]
                        n += 1
                i += step
        if ring >= last:
            return n, _FAR
        safe = max(0.0, ring * cell + edge - _SLACK_M)
        safe2 = safe * safe
        if n >= KEPT:
            near = 0
            for q in range(n):
                near += key[q] < safe2
            if near >= KEPT:
                near = 0
                for q in range(n):
                    k, e = key[q], found[q]
                    key[near] = k
                    found[near] = e
                    near += k < safe2
                return near, safe2
        ring += 1


@jit("i8,f8", "i8", "i8", "f8", "f8[:]", "i4[:]", "i4[:,:]")
def _keep_one_by_one(c: int, n: int, outside2: float, key: F8, found: I4, kept: I4x2) -> tuple[int, float]:
    """The KEPT nearest by selection, ties by element: for maps that pile up elements at one distance."""
    for i in range(KEPT):
        best = i
        for q in range(i + 1, n):
            if key[q] < key[best] or (key[q] == key[best] and found[q] < found[best]):
                best = q
        key[i], key[best] = key[best], key[i]
        found[i], found[best] = found[best], found[i]
        kept[c, i] = found[i]
    for q in range(KEPT, n):
        outside2 = min(outside2, key[q])
    return KEPT, outside2


@jit("i8,f8", "i8", "i8", "f8", "f8[:]", "i4[:]", "i4[:]", "i4[:,:]")
def keep_nearest(c: int, n: int, outside2: float, key: F8, found: I4, bucket: I4, kept: I4x2) -> tuple[int, float]:
    """Fill row ``c`` of the list, nearly in order, from the ``n`` elements found.

    Returns how many it took and a lower bound of all others' squared distance. A histogram of the squared distances
    gives the radius inside which between KEPT and KEPT_MOST elements lie, and sorts them on the way.
    """
    if n <= KEPT_MOST:
        for q in range(n):
            kept[c, q] = found[q]
        return n, outside2
    most = 0.0
    for q in range(n):
        most = max(most, key[q])
    scale = _BUCKETS / (most * (1.0 + 1e-9) + 1e-12)
    for b in range(_BUCKETS + 1):
        bucket[b] = 0
    for q in range(n):
        bucket[int(key[q] * scale)] += 1
    total, cut = 0, 0
    while total < KEPT:
        here = bucket[cut]
        bucket[cut] = total
        total += here
        cut += 1
    if total > KEPT_MOST:
        return _keep_one_by_one(c, n, outside2, key, found, kept)
    for q in range(n):
        b = int(key[q] * scale)
        if b < cut:
            kept[c, bucket[b]] = found[q]
            bucket[b] += 1
        else:
            outside2 = min(outside2, key[q])
    return total, outside2


@jit("i8", "i8", "f8", "f8", "i8", "i8", "i8", "f8[:]", "f8[:]", "i4[:,:]", "i4[:]", "f8[:,:]", "f8[:]")
def nearest_few(
    c: int, x: float, y: float, wanted: int, lo: int, hi: int, px: F8, py: F8,
    items: I4x2, count: I4, at: F8x2, key: F8,
) -> int:  # fmt: skip
    """The ``wanted`` nearest of the points lo .. hi (a map's crosswalks, say), in order, at the head of ``items[c]``.

    Returns how many there are. The same list as for map elements, but searched one by one.
    """
    if hi == lo:
        return 0
    mx, my = x - at[c, 0], y - at[c, 1]
    if not mx * mx + my * my <= at[c, 2]:
        n, outside2 = 0, _FAR
        for p in range(lo, hi):
            dx, dy = px[p] - x, py[p] - y
            d2 = dx * dx + dy * dy
            if n == KEPT_FEW and d2 >= key[n - 1]:
                outside2 = min(outside2, d2)
                continue
            if n == KEPT_FEW:
                outside2 = min(outside2, key[n - 1])
            else:
                n += 1
            j = n - 1
            while j > 0 and key[j - 1] > d2:
                key[j] = key[j - 1]
                items[c, j] = items[c, j - 1]
                j -= 1
            key[j] = d2
            items[c, j] = p
        count[c] = n
        at[c, 0], at[c, 1] = x, y
        at[c, 2] = reach2_of(key[min(wanted, n) - 1], outside2)
        return min(wanted, n)
    n = int(count[c])
    for i in range(n):
        dx, dy = px[items[c, i]] - x, py[items[c, i]] - y
        key[i] = dx * dx + dy * dy
    sort_row(key, items, c, n)
    return min(wanted, n)
