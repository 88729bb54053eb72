"""The trace's values as rows of one table: what the value embedding and the output layer are indexed by.

Every closed set and every set of bins has its rows, one after the other in the order in which the slot table first
names it. References have none: a pointer's values are the scene tokens of the moment.
"""

from __future__ import annotations

from typing import Final

from waytrace.trace.slots import SLOTS, Pointer, Slot


def _first_rows() -> tuple[dict[str, int], int]:
    first: dict[str, int] = {}
    at = 0
    for slot in SLOTS:
        if not isinstance(slot.values, Pointer) and slot.values.name not in first:
            first[slot.values.name] = at
            at += len(slot.values)
    return first, at


_FIRST, _TOTAL = _first_rows()

VALUE_AT: Final[dict[str, int]] = _FIRST
"""First row of every set but the pointers', by the set's name."""

VALUES: Final[int] = _TOTAL
"""Rows of the table."""

SLOT_AT: Final[dict[str, int]] = {slot.name: number for number, slot in enumerate(SLOTS)}
"""Number of every slot, by its name: row of the slot embedding."""

CLOSING: Final[int] = len(SLOTS)
"""Row of the slot embedding for the token after the last value."""


def is_pointer(slot: Slot) -> bool:
    """Whether a slot's values are references."""
    return isinstance(slot.values, Pointer)


_ROWS = {slot.name: slice(VALUE_AT[slot.values.name], VALUE_AT[slot.values.name] + len(slot.values))
         for slot in SLOTS if not isinstance(slot.values, Pointer)}  # fmt: skip


def rows_of(slot: Slot) -> slice:
    """Rows of a slot's values. Raises ``KeyError`` for a pointer."""
    return _ROWS[slot.name]
