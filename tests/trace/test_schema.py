"""The slot table's own forms: the page that people read, the vocabulary."""

from __future__ import annotations

from pathlib import Path

from waytrace.trace import SLOTS, vocabulary_hash
from waytrace.trace.schema import markdown
from waytrace.trace.slots import offsets, token

PAGE = Path(__file__).parents[2] / "docs" / "trace.md"


def test_the_page_holds_the_table() -> None:
    """Renew with the command that stands above the table."""
    assert PAGE.read_text().endswith(markdown())


def test_tokens_are_unique_over_all_sets() -> None:
    sets = {slot.values.name: slot for slot in SLOTS}
    tokens = [token(slot, k) for slot in sets.values() for k in range(len(slot.values))]
    assert sorted(tokens) == list(range(offsets()["total"]))


def test_slots_of_one_set_hold_the_same_values() -> None:
    for slot in SLOTS:
        others = [other for other in SLOTS if other.values.name == slot.values.name]
        assert all(other.values == slot.values for other in others)
    assert len({slot.name for slot in SLOTS}) == len(SLOTS)
    assert len(vocabulary_hash()) == 64
