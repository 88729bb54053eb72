"""The slot table's own forms: the page that people read, the vocabulary."""

from __future__ import annotations

from pathlib import Path

from waytrace.trace import SLOTS, vocabulary_hash
from waytrace.trace.check.registry import RULES
from waytrace.trace.check.registry import markdown as rules_markdown
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


def test_the_page_holds_the_rules_and_thresholds_as_they_are() -> None:
    assert rules_markdown() in PAGE.read_text(), "docs/trace.md: write its tables anew"
    assert all(len(text) > 10 for text in RULES.values())
