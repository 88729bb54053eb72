"""Numbers of things in words."""

from __future__ import annotations


def number_of(number: int, what: str) -> str:
    """``1 scene``, ``2 scenes``: the number with the thing's name, in the plural where it is not one."""
    return f"{number} {what}" + ("" if number == 1 else "s")
