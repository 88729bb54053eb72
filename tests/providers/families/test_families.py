"""Every family: what it promises, and that a perfect and a poor model stand at its two ends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from waytrace.providers import isolation
from waytrace.providers.families import NAMES, Call, Family, Item, Message, Outcome, Reply, families
from waytrace.providers.families.version import version_of

COUNTS = {"coding": 12, "long-context": 12, "tools": 30, "refusal": 30, "driving-trace": 30}


@pytest.fixture(scope="module")
def table() -> Mapping[str, Family]:
    return families()


@pytest.fixture(params=NAMES)
def family(request: pytest.FixtureRequest, table: Mapping[str, Family]) -> Family:
    if request.param == "coding":
        try:
            isolation.available()
        except isolation.IsolationError as error:
            pytest.skip(str(error))
    return table[request.param]


def test_the_table_has_the_five(table: Mapping[str, Family]) -> None:
    assert tuple(table) == NAMES
    assert {name: len(family.items()) for name, family in table.items()} == COUNTS
    assert len({family.version for family in table.values()}) == len(NAMES)


def test_items_are_what_the_contract_says(table: Mapping[str, Family]) -> None:
    items = [item for family in table.values() for item in family.items()]
    assert len({item.id for item in items}) == len(items)
    for item in items:
        assert item.id.startswith(item.family + "/")
        assert [message.role for message in item.prompt] == ["system", "user"]
        assert all(message.content.strip() for message in item.prompt)
        json.dumps([item.schema, list(item.tools), dict(item.meta)])
        for tool in item.tools:
            assert set(tool) == {"name", "description", "parameters"}


def test_a_perfect_and_a_poor_model_bracket_every_family(family: Family) -> None:
    items = family.items()
    perfect = [family.score(item, family.scripted(item, "perfect")) for item in items]
    poor = [family.score(item, family.scripted(item, "poor")) for item in items]
    assert sum(v.outcome is Outcome.PASS for v in perfect) >= 0.95 * len(items)
    assert sum(v.outcome is Outcome.PASS for v in poor) <= 0.1 * len(items)
    assert all(v.score > w.score for v, w in zip(perfect, poor, strict=True))
    for verdict in perfect + poor:
        assert verdict.outcome in (Outcome.PASS, Outcome.FAIL, Outcome.REFUSAL)
        assert 0.0 <= verdict.score <= 1.0
        json.dumps(dict(verdict.details), allow_nan=False)


TRICKY = (
    "", " \n", "```", "```json\n```", "{", "[]", "null", "NaN", '{"a": NaN}', '{"a": 1e999}',
    '{"a": ' + "9" * 5000 + "}",
    "[" * 3000, '{"a":' * 800 + "1" + "}" * 800,
    "\x00\ud800", "<think>" + "x" * 1000, "OK.", "是的。", "<<<<<<< SEARCH",
    '{"answers": [], "summary": ""}', '{"scene_summary": {}, "entities": [1], "plan": {"waypoints": [[1]]}}',
)  # fmt: skip


def test_no_reply_breaks_a_scorer(family: Family) -> None:
    for item in family.items()[:: 6 if family.name == "coding" else 3]:
        for text in TRICKY:
            for calls in ((), (Call("gap", None, "{"), Call("", {}, ""), Call("gap", {"agent": "x" * 9999}, ""))):
                verdict = family.score(item, Reply(text, calls))
                assert verdict.outcome is not Outcome.PASS
                assert verdict.score < 1.0


def test_a_refusal_is_told_apart_from_a_failure(family: Family) -> None:
    for text in ("I'm sorry, but I can't help with that.", "抱歉，我无法协助完成这个请求。"):
        seen = {family.score(item, Reply(text)).outcome for item in family.items()}
        assert Outcome.REFUSAL in seen
        if family.name != "refusal":
            assert Outcome.PASS not in seen


def test_scores_are_a_function_of_item_and_reply(family: Family) -> None:
    item = family.items()[1]
    for skill in ("perfect", "poor"):
        reply = family.scripted(item, skill)
        assert family.score(item, reply) == family.score(item, reply)


def test_items_are_the_same_from_one_table_to_the_next(table: Mapping[str, Family]) -> None:
    again = families()
    for name, family in table.items():
        assert again[name].items() == family.items()
        assert again[name].version == family.version


def test_a_version_changes_with_an_item() -> None:
    module = "waytrace.providers.families.tools.family"
    item = Item("tools/a", "tools", (Message("user", "x"),))
    versions = {
        version_of([item], module), version_of([replace(item, meta={"a": 1})], module),
        version_of([replace(item, most_tokens=1)], module), version_of([item], module, "more"),
        version_of([item], "waytrace.providers.families.refusal.family"), version_of([], module),
    }  # fmt: skip
    assert len(versions) == 6
    assert version_of([item], module) in versions
