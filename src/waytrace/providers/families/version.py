"""The version of a family: a hash over its items and over the code that judges them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from importlib.resources import files
from typing import Any

from .contract import Item

SHARED = ("contract.py", "text.py", "refusing.py", "values.py")


def version_of(items: Sequence[Item], module: str, *more: Any) -> str:
    """Twelve hex digits that change with an item, with ``more``, or with the code of a family's package."""
    digest = hashlib.sha256(json.dumps([[asdict(item) for item in items], more], default=_plain).encode())
    package = files(module.rpartition(".")[0])
    for path in sorted((p for p in package.iterdir() if p.name.endswith(".py")), key=lambda p: p.name):
        digest.update(path.read_bytes())
    for name in SHARED:
        digest.update(files("waytrace.providers.families").joinpath(name).read_bytes())
    return digest.hexdigest()[:12]


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no plain value")
