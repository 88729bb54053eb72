"""A report as Markdown and as one HTML file that fetches nothing and runs nothing."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from waytrace.scenario.folders import make_folder, write_text

from .cells import Table
from .report import Point, Report

MARKDOWN, HTML = "providers.md", "providers.html"
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 620, 20, 260


def write_pages(report: Report, folder: Path) -> tuple[Path, Path]:
    """Write both forms into a folder; their paths. Raises ``StoreError`` where the disk refuses."""
    make_folder(folder)
    paths = folder / MARKDOWN, folder / HTML
    for path, text in zip(paths, (markdown(report), html(report)), strict=True):
        write_text(path, text)
    return paths


def markdown(report: Report) -> str:
    """The report as Markdown."""
    parts = [f"# LLM providers, {report.on}", f"**{_inline(report.headline)}**", _bullets(report.why)]
    if report.warnings:
        parts += ["## Warnings", _bullets(report.warnings)]
    parts += [_table(table) for table in report.live]
    if report.uses:
        parts += ["## When to use each", _bullets([f"{family}: {why}" for family, why in report.uses])]
    if report.dry:
        parts.append("# Dry runs: no provider answered these")
        parts += [_table(table) for table in report.dry]
    parts += [_table(table) for table in report.facts]
    return "\n\n".join(filter(None, parts)) + "\n"


def html(report: Report) -> str:
    """The report as HTML. A content security policy allows its own style sheet and nothing else."""
    style = _file("report.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = _environment()

    def show(table: Table) -> Markup:
        return Markup(environment.get_template("table.html").render(table=table))

    return environment.get_template("report.html").render(
        report=report, style=Markup(style), style_hash=f"sha256-{digest}", show=show, chart=_chart(report.points)
    )


def _chart(points: Any) -> Markup:
    """Share of items answered rightly, with its interval, against dollars a passed item, from 0."""
    if not points:
        return Markup("")
    most = max(p.usd for p in points) or 1.0
    drawn = [_drawn(point, most) for point in points]
    rungs = [(_height(share / 4), f"{25 * share} %") for share in range(5)]
    return Markup(_environment().get_template("chart.svg").render(points=drawn, rungs=rungs, most=f"{most:.4f}"))


def _drawn(point: Point, most: float) -> dict[str, Any]:
    share = point.served
    return {
        "name": f"{point.name}: USD {point.usd:.5f}, {100 * share.value:.1f} %",
        "x": round(_LEFT + (_RIGHT - _LEFT) * point.usd / most, 1), "y": _height(share.value),
        "low": None if share.low is None else _height(share.low),
        "high": None if share.high is None else _height(share.high),
    }  # fmt: skip


def _height(share: float) -> float:
    return round(_BOTTOM - (_BOTTOM - _TOP) * share, 1)


def _table(table: Table) -> str:
    head = "| " + " | ".join(table.columns) + " |"
    rule = "|" + "|".join(" --- " if k < table.text_columns else " ---: " for k in range(len(table.columns))) + "|"
    rows = ["| " + " | ".join(_inline(cell.text) for cell in row) + " |" for row in table.rows]
    return "\n\n".join(filter(None, [f"## {table.title}", table.note, "\n".join([head, rule, *rows])]))


def _bullets(lines: Any) -> str:
    return "\n".join(f"- {_inline(line)}" for line in lines)


def _inline(text: str) -> str:
    """Text that cannot break out of its line or cell, nor be read as HTML."""
    return text.replace("\n", " ").replace("|", "\\|").replace("<", "&lt;")


@cache
def _environment() -> Environment:
    names = ("report.html", "table.html", "chart.svg")
    return Environment(
        loader=DictLoader({name: _file(name) for name in names}), autoescape=True, undefined=StrictUndefined
    )


@cache
def _file(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")
