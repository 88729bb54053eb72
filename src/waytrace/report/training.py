"""The page of a training run: what it is, how its losses fell, how it drives. One file, made anew at every look."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from waytrace.learn.run_folder import METRICS, read_metrics, read_run
from waytrace.scenario.folders import write_text

from .curves import Chart, Series, chart, number
from .pages import render

PAGE = "report.html"
HORIZONS = ("1", "2", "4", "8")


def write_training_report(folder: Path | str) -> Path:
    """Write ``report.html`` into a run's folder; its path. Raises ConfigError where there is no run.

    A run that is still going, or was cut off, gives the page of what there is.
    """
    run = read_run(folder)
    lines = list(read_metrics(Path(folder) / METRICS))
    path = Path(folder) / PAGE
    write_text(path, training_page(Path(folder).name, run, lines))
    return path


def training_page(name: str, run: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> str:
    """The page as HTML, from ``run.json`` and the lines of ``metrics.jsonl``."""
    train, select, drive = ([r for r in lines if r["kind"] == kind] for kind in ("train", "select", "drive"))
    sections = [
        ("Losses", _charts(_losses(train, select))),
        ("What it says, on select", _charts(_said(select))),
        ("What it drives, on select", _charts([*_plans(select), *_driven(drive)])),
        ("Loss by slot, on select, in nats", _charts(_slots(select))),
        ("Course of the run", _charts(_course(train))),
    ]
    return render(
        "training",
        f"{name} - training",
        {},
        heading=name,
        about=_about(run, lines),
        tiles=_tiles(train, select, drive),
        sections=[(title, Markup(body)) for title, body in sections if body],
        families=_families(drive),
        decisions=_decisions(select),
        settings=[(k, _text(v)) for k, v in run["config"].items()],
        made=[(k, _text(v)) for k, v in _made(run)],
    )


def _charts(charts: Iterable[Chart]) -> str:
    return "".join(map(chart, charts))


def _series(rows: Sequence[Mapping[str, Any]], *path: str, name: str = "") -> Series:
    points = []
    for row in rows:
        value: Any = row
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, int | float):
            points.append((float(row["step"]), float(value)))
    return Series(name or path[-1].replace("_", " "), points)


def _keys(rows: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    found: dict[str, None] = {}
    for row in rows:
        part = row.get(name)
        if isinstance(part, Mapping):
            found |= dict.fromkeys(part)
    return list(found)


def _losses(train: Sequence[Mapping[str, Any]], select: Sequence[Mapping[str, Any]]) -> Iterator[Chart]:
    yield Chart("Loss", [_series(train, "loss", name="train"), _series(select, "loss", name="select")])
    parts = [_series(train, "parts", key) for key in _keys(train, "parts")]
    yield Chart("Parts of the loss, train", parts)
    yield Chart("Parts of the loss, select", [_series(select, "parts", key) for key in _keys(select, "parts")])


def _said(select: Sequence[Mapping[str, Any]]) -> Iterator[Chart]:
    axes = ("longitudinal", "lateral")
    yield Chart(
        "Decision, macro-F1", [_series(select, "decision", a, "macro_f1", name=a) for a in axes], low=0.0, high=1.0
    )
    yield Chart("Proximate cause found", [_series(select, "cause_top1")], "share", low=0.0, high=1.0)
    masses = [_series(select, "legal_mass", key, name=key) for key in ("mean", "least")]
    yield Chart("Mass on legal values before the mask", masses, "share", high=1.0)


def _plans(select: Sequence[Mapping[str, Any]]) -> Iterator[Chart]:
    for mode in _keys(select, "waypoint_m"):
        lines = [_series(select, "waypoint_m", mode, key, name=f"at {key} s") for key in HORIZONS]
        yield Chart(f"Waypoint error, {mode.replace('_', ' ')}", lines, "m", low=0.0)
    yield Chart(
        "Acceleration error", [_series(select, "accel_mps2", m) for m in _keys(select, "accel_mps2")], "m/s²", low=0.0
    )
    curvature = [_series(select, "curvature_1pm", m) for m in _keys(select, "curvature_1pm")]
    yield Chart("Curvature error", curvature, "1/m", low=0.0)


def _driven(drive: Sequence[Mapping[str, Any]]) -> Iterator[Chart]:
    yield Chart("Closed-loop score", [_series(drive, "score"), _series(drive, "oracle_score")], low=0.0, high=1.0)
    yield Chart("Scenes with a fault", [_series(drive, "at_fault"), _series(drive, "off_road")], "share", low=0.0)


def _slots(select: Sequence[Mapping[str, Any]]) -> Iterator[Chart]:
    for slot in _keys(select, "slots"):
        yield Chart(slot, [_series(select, "slots", slot, "loss")], low=0.0, small=True)


def _course(train: Sequence[Mapping[str, Any]]) -> Iterator[Chart]:
    yield Chart("Learning rate", [_series(train, "lr")], low=0.0)
    yield Chart("Norm of the gradient, before it is cut", [_series(train, "grad_norm")], low=0.0)
    yield Chart("Pace", [_series(train, "samples_per_s")], "samples/s", low=0.0)


def _about(run: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> str:
    ends = [r for r in lines if r["kind"] == "end"]
    step = max((r["step"] for r in lines), default=0)
    state = ends[-1]["reason"] if ends and ends[-1]["step"] == step else "going on, or cut off"
    return f"step {step:,} of {run['config'].get('steps', 0):,}; {state}; begun {run.get('begun', '')}"


def _tiles(*groups: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    train, select, drive = (group[-1] if group else {} for group in groups)
    wanted: list[tuple[str, Any]] = [
        ("loss, train", train.get("loss")),
        ("loss, select", select.get("loss")),
        ("waypoint error at 4 s, m", select.get("waypoint_m", {}).get("trace", {}).get("4")),
        ("closed-loop score", drive.get("score")),
        ("samples/s", train.get("samples_per_s")),
    ]
    return [(name, number(value)) for name, value in wanted if value is not None]


def _families(drive: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    last = drive[-1]["families"] if drive else {}
    return [(name, "-" if score is None else f"{score:.3f}") for name, score in last.items()]


def _decisions(select: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    last = select[-1].get("decision", {}) if select else {}
    return [
        (axis, name, f"{one['support']}", "-" if one["f1"] is None else f"{one['f1']:.3f}")
        for axis, figures in last.items()
        for name, one in figures["classes"].items()
    ]


def _made(run: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key in ("kind", "identity_sha256", "code", "revision"):
        if key in run:
            yield key, run[key]
    yield from run.get("environment", {}).items()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
