"""From samples of recorded and simulated traffic to figures by source, a page and its pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chart import Bars, Curves, picture
from realism_words import FINDINGS, MADE, METHOD, summary
from waytrace.cli.tables import markdown
from waytrace.evaluate.digest import environment

F8 = NDArray[np.float64]
Drive = Mapping[str, Any]
QUANTILES = (5, 25, 50, 75, 95)
BOOTSTRAP = 1000


class Measure(NamedTuple):
    """How a quantity is counted: bins over a range (what lies beyond falls into the last ones) and how it is drawn."""

    title: str
    unit: str
    low: float
    high: float
    bin: float
    shown: tuple[float, float]
    mark: float


MEASURES = {
    "speed": Measure("speed", "m/s", 0.0, 40.0, 0.1, (0.0, 25.0), 5.0),
    "acceleration": Measure("acceleration while moving", "m/s²", -8.0, 8.0, 0.05, (-4.0, 4.0), 2.0),
    "jerk": Measure("jerk while moving", "m/s³", -10.0, 10.0, 0.05, (-4.0, 4.0), 2.0),
    "gap": Measure("gap to the leader", "m", -2.0, 80.0, 0.25, (0.0, 60.0), 20.0),
    "headway": Measure("time headway", "s", -1.0, 12.0, 0.05, (0.0, 6.0), 1.0),
    "least gap": Measure("least gap of a vehicle", "m", -2.0, 80.0, 0.25, (0.0, 60.0), 20.0),
}
RATES = {
    "lane changes per vehicle-minute": ("lane changes", "lane minutes", 1.0),
    "stops per vehicle-minute": ("stops", "minutes", 1.0),
    "share of time standing, %": ("standing ticks", "ticks", 100.0),
    "contacts per 100 vehicles": ("contacts", "vehicles", 100.0),
    "share of time off the drivable area, %": ("off road ticks", "settled ticks", 100.0),
}
PICTURES = {"speed": "Speed", "acceleration": "Acceleration while moving", "headway": "Time headway to the leader",
            "gap": "Gap to the leader"}  # fmt: skip


def figures(drives: Sequence[Drive], sides: Sequence[str]) -> dict[str, Any]:
    """By group: quantiles, distances to the recording and rates, with 95 % bootstrap intervals over drives.

    A group is a source, or one road section of a source that has several drives there.
    """
    return {name: _figures(_of_group(drives, name), sides) for name in sorted({group(d, drives) for d in drives})}


def group(drive: Drive, drives: Sequence[Drive]) -> str:
    """The name under which a drive is counted."""
    shared = sum(d["source"] == drive["source"] and d["cluster"] == drive["cluster"] for d in drives) > 1
    return f"{drive['source']}, {drive['cluster']}" if shared else str(drive["source"])


def _of_group(drives: Sequence[Drive], name: str) -> list[Drive]:
    return [d for d in drives if group(d, drives) == name]


def _figures(drives: Sequence[Drive], sides: Sequence[str]) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    draws = rng.multinomial(len(drives), np.full(len(drives), 1.0 / len(drives)), size=BOOTSTRAP).astype(np.float64)
    halves = np.array([rng.permutation(len(drives)) < len(drives) / 2 for _ in range(200)], dtype=np.float64)
    out: dict[str, Any] = {
        "drives": len(drives),
        "vehicles": sum(d["vehicles"] for d in drives),
        "compared_share": sum(d["compared ticks"] for d in drives) / max(1, sum(d["wanted ticks"] for d in drives)),
        "vehicle_minutes": sum(d["compared ticks"] for d in drives) / 600.0,
        "measures": {},
        "rates": {},
    }
    for name, measure in MEASURES.items():
        counts = {side: np.array([histogram(d["sides"][side][name], measure) for d in drives]) for side in sides}
        everyone = np.ones((1, len(drives)))
        rows = {
            side: {"quantiles": quantiles(np.concatenate([d["sides"][side][name] for d in drives])),
                   "samples": int(counts[side].sum())}
            for side in sides
        }  # fmt: skip
        recorded = counts[sides[0]]
        for side in sides[1:]:
            pairs = {"distance": wasserstein, "ks": kolmogorov}
            for key, of in pairs.items():
                rows[side][key] = float(of(everyone @ recorded, everyone @ counts[side], measure)[0])
                rows[side][f"{key}_interval"] = _interval(of(draws @ recorded, draws @ counts[side], measure))
        between = wasserstein(halves @ recorded, (1.0 - halves) @ recorded, measure)
        rows[sides[0]]["between_halves"] = float(np.nanmean(between)) if np.isfinite(between).any() else None
        out["measures"][name] = rows
    for name, (over, under, scale) in RATES.items():
        out["rates"][name] = {side: _rate(drives, side, over, under, scale, draws) for side in sides}
    return out


def _rate(drives: Sequence[Drive], side: str, over: str, under: str, scale: float, draws: F8) -> dict[str, Any]:
    top = np.array([float(d["sides"][side][over]) for d in drives])
    below = np.array([float(d[under] if under in d else d["sides"][side][under]) for d in drives])
    drawn = scale * (draws @ top) / np.maximum(draws @ below, 1e-9)
    return {"value": float(scale * top.sum() / max(below.sum(), 1e-9)), "count": float(top.sum()),
            "interval": _interval(drawn)}  # fmt: skip


def histogram(values: F8, measure: Measure) -> F8:
    """Counts of values over the measure's bins."""
    edges = np.arange(measure.low, measure.high + 0.5 * measure.bin, measure.bin)
    middle = np.clip(values, measure.low, measure.high - 1e-9)
    return np.histogram(middle, edges)[0].astype(np.float64)


def quantiles(values: F8) -> list[float] | None:
    """The 5, 25, 50, 75 and 95 % quantiles, or None where there is nothing."""
    return [float(q) for q in np.percentile(values, QUANTILES)] if len(values) else None


def wasserstein(a: F8, b: F8, measure: Measure) -> F8:
    """Area between the distribution functions of pairs of histograms [B, bins], in the measure's unit."""
    area: F8 = measure.bin * np.abs(_cumulative(a) - _cumulative(b)).sum(1)
    return area


def kolmogorov(a: F8, b: F8, measure: Measure) -> F8:
    """Largest difference between the distribution functions of pairs of histograms [B, bins], 0 to 1."""
    most: F8 = np.abs(_cumulative(a) - _cumulative(b)).max(1)
    return most


def _cumulative(counts: F8) -> F8:
    total = counts.sum(1, keepdims=True)
    with np.errstate(invalid="ignore"):
        share: F8 = np.cumsum(counts, axis=1) / total
    return share


def _interval(values: F8) -> list[float] | None:
    known = values[np.isfinite(values)]
    return [float(q) for q in np.percentile(known, (2.5, 97.5))] if len(known) else None


def page(drives: Sequence[Drive], found: Mapping[str, Any], sides: Sequence[str], seed: int) -> str:
    """The page as Markdown."""
    machine = environment()
    head = (
        f"{date.today().isoformat()}, Waytrace {machine['waytrace']}, Python {machine['python']}, "
        f"NumPy {machine['numpy']}, Numba {machine['numba']}, {machine['machine']}, {machine['cores']} "
        f"core{'s' if machine['cores'] != 1 else ''}, environment `{machine['hash'][:12]}`, seed {seed}."
    )
    parts = ["# Is the traffic realistic?\n", MADE.format(head=head), METHOD]
    rows = [
        [
            name,
            str(f["drives"]),
            str(f["vehicles"]),
            f"{f['vehicle_minutes']:.1f}",
            f"{100 * f['compared_share']:.0f} %",
        ]
        for name, f in found.items()
    ]
    parts.append(markdown(["source", "drives", "vehicles", "vehicle-minutes", "of those recorded"], rows) + "\n")
    parts += ["## What is like the recordings, and what is not\n", summary(found) + "\n", FINDINGS]
    parts += ["## Pictures\n"]
    parts += [f"![{title}](pictures/realism-{name}.svg)\n" for name, title in _picture_titles().items()]
    for name, of in found.items():
        parts += [f"## {name}\n", _distributions(of, sides) + "\n", _distances(of, sides) + "\n"]
        parts.append(_rates(of, sides) + "\n")
    return "\n".join(parts).rstrip() + "\n"


def _picture_titles() -> dict[str, str]:
    return {**{name.replace(" ", "-"): title for name, title in PICTURES.items()}, "lane-changes": "Lane changes"}


def _distributions(of: Mapping[str, Any], sides: Sequence[str]) -> str:
    rows = []
    for name, measure in MEASURES.items():
        for side in sides:
            row = of["measures"][name][side]
            values = [f"{q:.2f}" for q in row["quantiles"]] if row["quantiles"] else ["-"] * len(QUANTILES)
            rows.append([f"{measure.title}, {measure.unit}" if side == sides[0] else "", side, *values])
    return markdown(["measure", "side", *(f"{q} %" for q in QUANTILES)], rows)


def _distances(of: Mapping[str, Any], sides: Sequence[str]) -> str:
    rows = []
    for name, measure in MEASURES.items():
        found = of["measures"][name]
        between = found[sides[0]]["between_halves"]
        row = [f"{measure.title}, {measure.unit}", "-" if between is None else f"{between:.2f}"]
        for side in sides[1:]:
            row += [_with_interval(found[side]["distance"], found[side]["distance_interval"]),
                    _with_interval(found[side]["ks"], found[side]["ks_interval"])]  # fmt: skip
        rows.append(row)
    columns = [f"{side}: {what}" for side in sides[1:] for what in ("Wasserstein", "KS")]
    return markdown(["measure", "recording against itself", *columns], rows)


def _rates(of: Mapping[str, Any], sides: Sequence[str]) -> str:
    rows = [[name, *(_with_interval(row[s]["value"], row[s]["interval"]) for s in sides)]
            for name, row in of["rates"].items()]  # fmt: skip
    return markdown(["rate", *sides], rows)


def _with_interval(value: float, interval: Sequence[float] | None) -> str:
    if not np.isfinite(value):
        return "-"
    return f"{value:.2f} [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else f"{value:.2f}"


def pictures(drives: Sequence[Drive], found: Mapping[str, Any], sides: Sequence[str]) -> dict[str, str]:
    """SVG pictures by name: histograms over distribution functions, a column for each source; lane changes as bars."""
    out = {}
    for name, title in PICTURES.items():
        measure = MEASURES[name]
        rows = [[_panel(g, _of_group(drives, g), sides, name, measure, of) for g in found] for of in (_density, _share)]
        out[name.replace(" ", "-")] = picture(title, sides, rows)
    bars = [
        Bars(g, [row[s]["value"] for s in sides],
             [tuple(row[s]["interval"]) if row[s]["interval"] else None for s in sides], "per vehicle-minute")
        for g, of in found.items()
        for row in [of["rates"]["lane changes per vehicle-minute"]]
    ]  # fmt: skip
    out["lane-changes"] = picture("Lane changes", sides, [bars])
    return out


def _panel(
    group: str, drives: Sequence[Drive], sides: Sequence[str], name: str, measure: Measure,
    of: Callable[[F8, Measure, F8], F8],
) -> Curves:  # fmt: skip
    low, high = measure.shown
    x = np.linspace(low, high, 81)
    rows = [of(np.concatenate([d["sides"][s][name] for d in drives]), measure, x) for s in sides]
    what = "histogram" if of is _density else "share below"
    top = None if of is _density else 1.0
    return Curves(f"{group}: {what}", x, rows, f"{measure.title}, {measure.unit}", measure.mark, top)


def _density(values: F8, measure: Measure, x: F8) -> F8:
    """Share of the values in 40 equal bins over x, as steps."""
    edges = x[::2]
    share = np.histogram(values, edges)[0] / max(1, len(values))
    return np.append(np.repeat(share, 2), share[-1])


def _share(values: F8, measure: Measure, x: F8) -> F8:
    """Share of the values up to each x."""
    share: F8 = np.searchsorted(np.sort(values), x, side="right") / max(1, len(values))
    return share
