"""Which source made something: a hash over the package's code."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

SHOWING = ("cli", "report")
"""Rooms that show results and do not make them."""


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Hash over the package's source: what was made by other code is never taken for this code's."""
    root = Path(__file__).parents[1]
    out = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if name.split("/")[0] in SHOWING:
            continue
        out.update(name.encode())
        out.update(path.read_bytes())
    return out.hexdigest()
