"""Curves over the steps of a run, as inline SVG: no script, every measured point says its value on hover."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 460.0, 190.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 10.0, 10.0, 24.0
SMALL = 0.55
"""Size of small curves, as a share."""
DOTS = 60
"""Points up to which each is drawn as a dot of its own."""
LINE = 400
"""Points that a line is thinned to, each the mean of its neighbours."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """One line: its name and its points (step, value)."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Chart:
    """Lines that share their axes."""

    title: str
    series: Sequence[Series]
    unit: str = ""
    low: float | None = None
    """Where the axis starts at the latest."""
    high: float | None = None
    small: bool = False


def chart(what: Chart) -> str:
    """A figure with title, legend and SVG; empty where no series holds a finite point."""
    lines = [Series(s.name, [p for p in s.points if math.isfinite(p[1])]) for s in what.series]
    lines = [s for s in lines if s.points]
    if not lines:
        return ""
    scale = SMALL if what.small else 1.0
    width, height = WIDTH * scale, HEIGHT * scale
    xs = [x for s in lines for x, _ in s.points]
    shown = [[*_thinned(s.points)] for s in lines]
    ys = [y for points in shown for _, y in points]
    low = min([*ys, *([] if what.low is None else [what.low])])
    high = max([*ys, *([] if what.high is None else [what.high])])
    y_ticks = ticks(low, high, 3 if what.small else 5)
    low, high = min(low, y_ticks[0]), max(high, y_ticks[-1])
    first, last = min(xs), max(xs)

    def at(point: Point) -> tuple[float, float]:
        across = (point[0] - first) / max(last - first, 1e-12)
        up = (point[1] - low) / max(high - low, 1e-12)
        return LEFT + across * (width - LEFT - RIGHT), height - BOTTOM - up * (height - TOP - BOTTOM)

    parts = [f'<svg viewBox="0 0 {width:g} {height:g}" class="curve" role="img" aria-label="{escape(what.title)}">']
    for y in y_ticks:
        _, py = at((first, y))
        parts.append(f'<path class="grid" d="M{LEFT} {py:.1f}H{width - RIGHT:.1f}"/>')
        parts.append(f'<text class="y" x="{LEFT - 6}" y="{py + 3.5:.1f}">{number(y)}</text>')
    for x in ticks(first, last, 2 if what.small else 5):
        if first <= x <= last:
            px, _ = at((x, low))
            parts.append(f'<text class="x" x="{px:.1f}" y="{height - 7:.1f}">{number(x)}</text>')
    for k, (line, points) in enumerate(zip(lines, shown, strict=True)):
        placed = [at(p) for p in points]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in placed)
        parts.append(f'<path class="line c{k % 6}" d="{path}"/>')
        if len(points) <= DOTS:
            said = [_said(line.name, x, y, what.unit) for x, y in points]
            parts += [_dot(f"c{k % 6}", p, text) for p, text in zip(placed, said, strict=True)]
    parts.append("</svg>")
    unit = f' <span class="quiet">{escape(what.unit)}</span>' if what.unit else ""
    return (
        f'<figure class="card{" small" if what.small else ""}"><figcaption>{escape(what.title)}{unit}'
        f"{_legend(lines, what.small)}</figcaption>{''.join(parts)}</figure>"
    )


def ticks(low: float, high: float, count: int) -> list[float]:
    """About ``count`` round numbers that span ``low`` to ``high``; at least two."""
    span = high - low
    if span <= 0.0:
        span = abs(low) or 1.0
    raw = span / max(1, count - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1.0, 2.0, 2.5, 5.0, 10.0) if power * m >= raw * 0.999)
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [k * step for k in range(first, last + 1)]


def number(value: float) -> str:
    """A number as short as it can be read: ``12k``, ``0.031``, ``2e-05``."""
    if value != 0.0 and abs(value) < 1e-3:
        return f"{value:.2g}"
    if abs(value) >= 10_000:
        return f"{value / 1000:.4g}k"
    return f"{value:.4g}"


def _dot(hue: str, at: Point, said: str) -> str:
    return f'<circle class="{hue}" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="2.2"><title>{escape(said)}</title></circle>'


def _said(name: str, step: float, value: float, unit: str) -> str:
    return f"{name}{', ' if name else ''}step {step:,.0f}: {number(value)} {unit}".rstrip()


def _legend(lines: Sequence[Series], small: bool) -> str:
    if len(lines) < 2:
        last = lines[0].points[-1][1]
        return f" <b>{number(last)}</b>"
    named = (
        f'<span class="key c{k % 6}">{escape(s.name)}{"" if small else f" <b>{number(s.points[-1][1])}</b>"}</span>'
        for k, s in enumerate(lines)
    )
    return f'<span class="keys">{"".join(named)}</span>'


def _thinned(points: Sequence[Point]) -> list[Point]:
    if len(points) <= LINE:
        return list(points)
    out = []
    for k in range(LINE):
        part = points[k * len(points) // LINE : (k + 1) * len(points) // LINE]
        out.append((part[-1][0], math.fsum(y for _, y in part) / len(part)))
    return out
