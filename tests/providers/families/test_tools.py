"""The tools family: exactly the calls that are due, exactly the JSON that was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from waytrace.providers.families import Call, Outcome, Reply, Verdict
from waytrace.providers.families.tools import Tools

FAMILY = Tools()
ITEMS = {item.id.partition("/")[2]: item for item in FAMILY.items()}


def called(item: str, *calls: tuple[str, dict[str, Any] | None], text: str = "") -> Verdict:
    return FAMILY.score(ITEMS[item], Reply(text, tuple(Call(name, args, json.dumps(args)) for name, args in calls)))


def test_schemas_are_schemas_and_what_is_due_fits_them() -> None:
    for item in ITEMS.values():
        functions = {tool["name"]: tool["parameters"] for tool in item.tools}
        for schema in (*functions.values(), *([item.schema] if item.schema else [])):
            Draft202012Validator.check_schema(schema)
        for due in item.meta.get("calls", ()):
            assert due["name"] in functions
            for values in (due["arguments"] | due.get("optional", {})).values():
                assert isinstance(values, list)


@pytest.mark.parametrize(
    ("arguments", "passes"),
    [
        ({"agent": "agent:7"}, True), ({"agent": "agent:7", "at_s": 0}, True),
        ({"agent": "agent:7", "at_s": 0.0}, True),
        ({"agent": "agent:7", "at_s": 1}, False), ({"agent": "agent:8"}, False), ({"agent": "7"}, False),
        ({"agent": 7}, False), ({}, False), (None, False), ({"agent": "agent:7", "why": "x"}, False),
        ({"agent": "agent:7", "at_s": False}, False),
    ],
)  # fmt: skip
def test_arguments_have_to_be_right(arguments: dict[str, Any] | None, passes: bool) -> None:
    assert (called("call-gap", ("gap", arguments)).outcome is Outcome.PASS) is passes


def test_units_are_converted() -> None:
    assert called("call-kmh", ("set_desired_speed", {"speed_mps": 25.0})).outcome is Outcome.PASS
    assert called("call-kmh", ("set_desired_speed", {"speed_mps": 90})).details["schema_valid"] is False
    assert called("call-kmh", ("set_desired_speed", {"speed_mps": "25"})).outcome is Outcome.FAIL


def test_calls_in_any_order_but_each_once() -> None:
    a, b, c = (("gap", {"agent": f"agent:{k}"}) for k in (1, 4, 9))
    assert called("parallel-gaps", c, a, b).outcome is Outcome.PASS
    two = called("parallel-gaps", a, b)
    assert (two.outcome, round(two.score, 3)) == (Outcome.FAIL, 0.667)
    assert called("parallel-gaps", a, b, c, c).score == 0.75
    assert called("parallel-gaps", a, a, a).outcome is Outcome.FAIL
    assert called("parallel-gaps", a, b, c, ("drive", {})).score == 0.0


def test_a_call_in_words_is_no_call() -> None:
    assert called("call-gap", text='gap({"agent": "agent:7"})').outcome is Outcome.FAIL


@pytest.mark.parametrize("item", [name for name in ITEMS if name.startswith("abstain")])
def test_where_nothing_is_due_a_call_fails_whatever_is_said(item: str) -> None:
    good = ITEMS[item].meta["good"]
    assert called(item, text=good).outcome is Outcome.PASS
    name = ITEMS[item].tools[0]["name"]
    assert called(item, (name, {}), text=good).outcome is Outcome.FAIL
    assert called(item, text="Done.").outcome is Outcome.FAIL


def test_nested_arguments_are_compared_to_their_depth() -> None:
    due = ITEMS["nested-search"].meta["calls"][0]["arguments"]
    right = {name: values[0] for name, values in due.items()}
    assert called("nested-search", ("search_scenarios", right)).outcome is Outcome.PASS
    where = {"ego_speed_mps": {"min": 10}, "agents": {"min": 4}}
    assert called("nested-search", ("search_scenarios", right | {"where": where})).outcome is Outcome.FAIL
    where = {"ego_speed_mps": {"min": 10, "max": 15, "mean": 12}, "agents": {"min": 4}}
    wrong = called("nested-search", ("search_scenarios", right | {"where": where}))
    assert wrong.details["schema_valid"] is False


def test_edits_have_an_order() -> None:
    due = ITEMS["nested-edits"].meta["calls"][0]["arguments"]
    right = {name: values[0] for name, values in due.items()}
    assert called("nested-edits", ("edit_scenario", right)).outcome is Outcome.PASS
    assert called("nested-edits", ("edit_scenario", right | {"edits": right["edits"][::-1]})).outcome is Outcome.FAIL


@pytest.mark.parametrize("item", [name for name in ITEMS if name.startswith("structured")])
def test_json_is_taken_plain_or_fenced_and_to_the_last_value(item: str) -> None:
    expected = ITEMS[item].meta["expected"]
    text = json.dumps(expected, ensure_ascii=False, indent=1)
    for shape in (text, f"```json\n{text}\n```", f"Here you are:\n\n```\n{text}\n```\n", f"<json>{text}</json>"):
        assert FAMILY.score(ITEMS[item], Reply(shape)).outcome is Outcome.PASS
    for shape in (f"```json\n{text}\n```\n```json\n{text}\n```", text[:-1], f"[{text}]", text.replace(":", "=", 1)):
        verdict = FAMILY.score(ITEMS[item], Reply(shape))
        assert (verdict.outcome, verdict.score) == (Outcome.FAIL, 0.0)
        assert verdict.details["schema_valid"] is False


def test_a_wrong_value_is_named_and_most_of_the_score_stays() -> None:
    expected = json.loads(json.dumps(ITEMS["structured-tree"].meta["expected"]))
    expected["causes"][0]["causes"][0]["share"] = 0.5
    verdict = FAMILY.score(ITEMS["structured-tree"], Reply(json.dumps(expected)))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.details["why"] == "wrong: causes[0].causes[0].share"
    assert 0.5 < verdict.score < 1.0


def test_keys_given_twice_are_no_json() -> None:
    text = '{"decision": "stop", "decision": "yield", "causes": []}'
    assert FAMILY.score(ITEMS["structured-tree"], Reply(text)).details["why"] == "a key is given twice"
