"""Small pictures with curves or bars side by side, as SVG that is readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

PANEL_W, PANEL_H, LEFT, TOP, GAP_X, GAP_Y = 220, 130, 46, 54, 36, 62

STYLE = """<style>
svg{--back:#fff;--ink:#1f2328;--soft:#59636e;--line:#d1d9e0;--c0:#1f2328;--c1:#0969da;--c2:#bc4c00;--c3:#1a7f37}
@media (prefers-color-scheme:dark){svg{--back:#0d1117;--ink:#e6edf3;--soft:#9198a1;--line:#3d444d;
--c0:#e6edf3;--c1:#4493f8;--c2:#f0883e;--c3:#3fb950}}
text{font:12px system-ui,sans-serif;fill:var(--ink)}.t{font-weight:600}.s{fill:var(--soft);font-size:11px}
.g{stroke:var(--line);stroke-width:1;fill:none}.k{fill:none;stroke-width:1.8;stroke-linejoin:round}
.k0{stroke:var(--c0)}.k1{stroke:var(--c1)}.k2{stroke:var(--c2)}.k1{stroke-dasharray:6 2}.k2{stroke-dasharray:2 2}
.k3{stroke:var(--c3);stroke-dasharray:9 2 2 2}
.b0{fill:var(--c0)}.b1{fill:var(--c1)}.b2{fill:var(--c2)}.b3{fill:var(--c3)}
.e{stroke:var(--soft);stroke-width:1.5}
</style>"""


@dataclass(frozen=True)
class Curves:
    """One panel: curves over a common axis."""

    title: str
    x: NDArray[np.float64]
    rows: Sequence[NDArray[np.float64]]
    label: str
    step: float
    """Distance of the marks on the axis."""
    top: float | None = None
    """Upper end of the vertical axis; None: as high as the curves."""


@dataclass(frozen=True)
class Bars:
    """One panel: a bar for each series, with an interval where there is one."""

    title: str
    values: Sequence[float]
    bounds: Sequence[tuple[float, float] | None]
    label: str


def picture(title: str, legend: Sequence[str], rows: Sequence[Sequence[Curves | Bars]]) -> str:
    """Panels in rows under one title and legend."""
    width = LEFT + max(len(row) for row in rows) * (PANEL_W + GAP_X)
    height = TOP + len(rows) * (PANEL_H + GAP_Y)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(title)}">',
        STYLE,
        f'<rect width="{width}" height="{height}" fill="var(--back)"/><text x="{LEFT}" y="18" class="t">'
        f"{escape(title)}</text>",
    ]
    x = float(width - GAP_X)
    for i, name in reversed(list(enumerate(legend))):
        x -= 7.0 * len(name)
        out.append(f'<text x="{x:.0f}" y="18">{escape(name)}</text><path class="k k{i}" d="M{x - 30:.0f} 14h24"/>')
        x -= 46.0
    for r, row in enumerate(rows):
        for c, panel in enumerate(row):
            at = (LEFT + c * (PANEL_W + GAP_X), TOP + r * (PANEL_H + GAP_Y))
            out.append(f'<g transform="translate({at[0]} {at[1]})">')
            out.append(f'<text y="-8" class="s">{escape(panel.title)}</text>')
            out += _curves(panel) if isinstance(panel, Curves) else _bars(panel)
            out.append("</g>")
    return "\n".join([*out, "</svg>\n"])


def _curves(panel: Curves) -> list[str]:
    low, high = float(panel.x[0]), float(panel.x[-1])
    finite = [row for row in panel.rows if np.isfinite(row).all() and len(row)]
    top = panel.top if panel.top is not None else max((float(row.max()) for row in finite), default=1.0) or 1.0
    out = [f'<path class="g" d="M0 0V{PANEL_H}H{PANEL_W}"/>']
    mark = np.ceil(low / panel.step) * panel.step
    while mark <= high + 1e-9:
        at = (mark - low) / (high - low) * PANEL_W
        out.append(f'<path class="g" d="M{at:.1f} {PANEL_H}v4"/>')
        out.append(f'<text x="{at:.1f}" y="{PANEL_H + 16}" text-anchor="middle" class="s">{mark:g}</text>')
        mark += panel.step
    out.append(
        f'<text x="{PANEL_W / 2}" y="{PANEL_H + 31}" text-anchor="middle" class="s">{escape(panel.label)}</text>'
    )
    if panel.top is not None:
        for share in (0.0, 0.5, 1.0):
            y = PANEL_H * (1.0 - share)
            out.append(f'<text x="-6" y="{y + 4:.1f}" text-anchor="end" class="s">{share * panel.top:g}</text>')
    for i, row in enumerate(panel.rows):
        if not np.isfinite(row).all():
            continue
        xs = (panel.x - low) / (high - low) * PANEL_W
        ys = PANEL_H * (1.0 - np.clip(row / top, 0.0, 1.0))
        keep = np.r_[True, (np.diff(ys[:-1]) != 0) | (np.diff(ys[1:]) != 0), True]
        points = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(xs[keep], ys[keep], strict=True))
        out.append(f'<path class="k k{i}" d="M{points}"/>')
    return out


def _bars(panel: Bars) -> list[str]:
    top = max([*panel.values, *(b[1] for b in panel.bounds if b)], default=0.0) or 1.0
    out = [f'<path class="g" d="M0 0V{PANEL_H}H{PANEL_W}"/>']
    out.append(
        f'<text x="{PANEL_W / 2}" y="{PANEL_H + 18}" text-anchor="middle" class="s">{escape(panel.label)}</text>'
    )
    for i, (value, bounds) in enumerate(zip(panel.values, panel.bounds, strict=True)):
        x, h = 12 + 54 * i, 0.85 * PANEL_H * value / top
        out.append(f'<rect class="b{i}" x="{x}" y="{PANEL_H - h:.1f}" width="40" height="{h:.1f}"/>')
        upper = max(value, bounds[1] if bounds else 0.0)
        if bounds:
            y = [PANEL_H * (1.0 - 0.85 * b / top) for b in bounds]
            out.append(f'<path class="e" d="M{x + 20} {y[0]:.1f}V{y[1]:.1f}"/>')
        at = PANEL_H * (1.0 - 0.85 * upper / top) - 5
        out.append(f'<text x="{x + 20}" y="{at:.1f}" text-anchor="middle" class="s">{value:.2f}</text>')
    return out
