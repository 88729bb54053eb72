"""A coding task: one Markdown file with an issue, a small repository, hidden checks, and two answers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

from ..text import blocks

Kind = Literal["fail", "pass"]
"""``fail``: fails before the change and has to pass after it; ``pass``: passes before and has to go on doing so."""


@dataclass(frozen=True)
class Check:
    """A probe that is run over the repository, and the value that it has to give."""

    name: str
    kind: Kind
    probe: str
    """Python; its last expression is the value."""
    expected: Any
    """JSON value. It never goes where the answer's code runs."""


@dataclass(frozen=True)
class Task:
    """What a model is given, and what it is not shown (``checks`` and the two answers)."""

    id: str
    title: str
    allowed: tuple[str, ...]
    issue: str
    repository: Mapping[str, str]
    checks: tuple[Check, ...]
    solution: str
    """An answer that passes every check."""
    tempting: str
    """An answer that looks right and is not."""


@lru_cache(maxsize=1)
def tasks() -> tuple[Task, ...]:
    """The committed tasks, by name."""
    folder = files("waytrace.providers.families.coding").joinpath("tasks")
    found = sorted((p for p in folder.iterdir() if p.name.endswith(".md")), key=lambda p: p.name)
    return tuple(read_task(p.name.removesuffix(".md"), p.read_text(encoding="utf-8")) for p in found)


def read_task(name: str, text: str) -> Task:
    """A task from its file. Raises ``ValueError`` where a part is missing."""
    head, *rest = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    parts = dict(zip(rest[::2], rest[1::2], strict=True))
    title = re.search(r"^# (.+)$", head, re.MULTILINE)
    allowed = re.search(r"^Allowed: (.+)$", head, re.MULTILINE)
    missing = {"Issue", "Repository", "Checks", "Solution", "Tempting"} - set(parts)
    if title is None or allowed is None or missing:
        raise ValueError(f"task {name} lacks {', '.join(sorted(missing)) or 'its title or what is allowed'}")
    return Task(
        name, title[1], tuple(p.strip() for p in allowed[1].split(",")), parts["Issue"].strip(),
        {b.before.lstrip("# "): b.body for b in blocks(parts["Repository"])}, _checks(name, parts["Checks"]),
        parts["Solution"], parts["Tempting"],
    )  # fmt: skip


def _checks(name: str, text: str) -> tuple[Check, ...]:
    found = blocks(text)
    if len(found) % 2:
        raise ValueError(f"task {name}: a check is a block of Python and one of JSON")
    made = []
    for probe, expected in zip(found[::2], found[1::2], strict=True):
        kind, _, title = probe.before.lstrip("# ").partition(": ")
        if kind not in ("fail", "pass") or probe.info != "python" or expected.info != "json":
            raise ValueError(f"task {name}: {probe.before!r} is no check")
        made.append(Check(title, "fail" if kind == "fail" else "pass", probe.body, json.loads(expected.body)))
    return tuple(made)
