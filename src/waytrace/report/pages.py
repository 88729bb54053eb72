"""HTML from a template, its scripts, styles and data all inside. Nothing is fetched, and only these scripts may run."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

_SCRIPTS = {
    "scene": (
        "elements.js", "codec.js", "texts.js", "scene_data.js", "camera.js", "roads.js", "traffic.js", "told.js",
        "undone.js", "plots.js", "panel.js", "told_panel.js", "player.js",
    ),
    "index": ("elements.js", "table.js", "index.js"),
    "comparison": ("elements.js", "table.js", "comparison.js"),
    "annotate": ("elements.js", "annotate.js"),
    "training": (),
}  # fmt: skip
_STYLES = {
    "scene": ("base.css", "scene.css", "told.css", "print.css"),
    "index": ("base.css", "index.css", "figures.css", "print.css"),
    "comparison": ("base.css", "index.css", "figures.css", "comparison.css", "print.css"),
    "annotate": ("base.css", "snapshot.css", "annotate.css"),
    "training": ("base.css", "training.css", "print.css"),
}
_SHARED = ("page.html", "head.html", "parts.html", "figures.html", "table.html")


def render(name: str, title: str, payload: Mapping[str, Any], **more: Any) -> str:
    """The page ``name``, one of the keys of ``_SCRIPTS``, around ``payload`` (JSON values, all finite).

    A content security policy names the page's own scripts and styles by their hashes and forbids everything else, so
    even text that got past the escaping could neither run nor fetch.
    """
    script, style, errors = _script(name), _style(name), _file("errors.js")
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"script-src {_source(errors)} {_source(script)}; style-src {_source(style)}"
    )
    html: str = (
        _environment()
        .get_template(f"{name}.html")
        .render(
            title=title,
            policy=policy,
            errors=Markup(errors),
            script=Markup(script),
            style=Markup(style),
            data=embed(payload),
            **more,
        )
    )
    return html


def embed(payload: Mapping[str, Any]) -> Markup:
    """JSON that may stand inside a ``<script>`` element whatever its strings hold."""
    text = json.dumps(payload, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


@cache
def _environment() -> Environment:
    pages = {name: _file(name) for name in (*_SHARED, *(f"{page}.html" for page in _SCRIPTS))}
    return Environment(loader=DictLoader(pages), autoescape=True, undefined=StrictUndefined, trim_blocks=True)


@cache
def _file(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")


def style_of(name: str) -> str:
    """A style sheet, for files that are no page."""
    return _file(name)


@cache
def _script(name: str) -> str:
    body = "\n".join(_file(part) for part in _SCRIPTS[name])
    return f'(() => {{\n"use strict";\n{body}\n}})();\n'


@cache
def _style(name: str) -> str:
    return "\n".join(_file(part) for part in _STYLES[name])


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"
