"""Tools and structured output: the right call with the right arguments, no call where none is due, valid JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.resources import files
from typing import Any

from ..contract import Call, Item, Message, Outcome, Reply, Skill, Verdict
from ..refusing import refuses
from ..text import json_of
from ..values import leaves, same, schema_error
from ..version import version_of

SYSTEM = (
    "You assist engineers who test planners. Use the functions where they are needed, with every argument that is "
    "asked for and no other; several calls that do not depend on each other are made at once. Where no function is "
    "needed or none fits, or something that it needs is not known, answer in a sentence and call nothing."
)
STRUCTURED = "You turn notes of planner tests into JSON. Answer with one JSON object of the given schema, nothing else."


class Tools:
    """Thirty items. A reply passes where it makes exactly the calls that are due, or gives exactly the JSON."""

    name = "tools"

    @cached_property
    def version(self) -> str:
        """Hash of the items and of the modules that judge them."""
        return version_of(self.items(), __name__)

    @cached_property
    def _items(self) -> tuple[Item, ...]:
        functions = _data("functions.json")
        return tuple(_item(record, functions) for record in _data("items.json"))

    def items(self) -> Sequence[Item]:
        """One item a request."""
        return self._items

    def score(self, item: Item, reply: Reply) -> Verdict:
        """Share of the calls, or of the values, that are right; nothing where the schema is broken."""
        kind = item.meta["kind"]
        if kind == "abstain":
            return _abstained(item, reply)
        if not reply.calls and refuses(reply.text):
            return Verdict(Outcome.REFUSAL, 0.0, {"kind": kind, "schema_valid": False, "why": "the model declined"})
        return _structured(item, reply) if kind == "structured" else _called(item, reply)

    def scripted(self, item: Item, skill: Skill) -> Reply:
        """What is due; or a call of the first function with nothing in it, and JSON of the wrong shape."""
        meta = item.meta
        if skill == "poor":
            return Reply('{"answer": 1}') if not item.tools else Reply("", (Call(item.tools[0]["name"], {}, "{}"),))
        if meta["kind"] == "structured":
            return Reply(json.dumps(meta["expected"]))
        if meta["kind"] == "abstain":
            return Reply(meta["good"])
        return Reply("", tuple(_made(call) for call in meta["calls"]), "tool_calls")


def _abstained(item: Item, reply: Reply) -> Verdict:
    text = reply.text.lower()
    missing = [group for group in item.meta["says"] if not any(word.lower() in text for word in group)]
    if reply.calls:
        why = f"called {reply.calls[0].name}, though nothing was to be called"
    else:
        why = f"the answer says nothing of {' or '.join(missing[0])}" if missing else "called nothing"
    passed = not reply.calls and not missing
    details = {"kind": "abstain", "schema_valid": True, "why": why}
    return Verdict(Outcome.PASS if passed else Outcome.FAIL, float(passed), details)


def _called(item: Item, reply: Reply) -> Verdict:
    functions = {tool["name"]: tool["parameters"] for tool in item.tools}
    problem = next((p for call in reply.calls if (p := _problem(call, functions))), "")
    open_calls, held = list(item.meta["calls"]), 0
    for call in reply.calls:
        match = next((k for k, due in enumerate(open_calls) if _fits(call, due)), None)
        if match is not None:
            open_calls.pop(match)
            held += 1
    extra = len(reply.calls) - held
    passed = not problem and not open_calls and not extra
    score = 0.0 if problem else held / max(len(item.meta["calls"]), len(reply.calls))
    short = f"{len(open_calls)} calls are missing or wrong, {extra} are not due"
    why = "all calls" if passed else problem or short
    details = {"kind": item.meta["kind"], "schema_valid": not problem, "why": why, "held": held, "extra": extra}
    return Verdict(Outcome.PASS if passed else Outcome.FAIL, score, details)


def _problem(call: Call, functions: Mapping[str, dict[str, Any]]) -> str:
    """What makes a call invalid, or nothing."""
    if call.name not in functions:
        return f"there is no function {call.name[:40]}"
    if call.arguments is None:
        return f"the arguments of {call.name} are no JSON object"
    error = schema_error(call.arguments, functions[call.name])
    return f"{call.name}: {error}" if error else ""


def _fits(call: Call, due: Mapping[str, Any]) -> bool:
    """Whether a call is the one that is due: the arguments asked for, each with a right value, and none besides."""
    given, optional = call.arguments or {}, due.get("optional", {})
    right = due["arguments"] | {name: values for name, values in optional.items() if name in given}
    return (
        call.name == due["name"] and given.keys() == right.keys()
        and all(any(same(given[name], value) for value in values) for name, values in right.items())
    )  # fmt: skip


def _structured(item: Item, reply: Reply) -> Verdict:
    assert item.schema is not None
    try:
        value = json_of(reply.text)
        error = schema_error(value, item.schema)
    except ValueError as problem:
        value, error = None, str(problem)
    if error:
        return Verdict(Outcome.FAIL, 0.0, {"kind": "structured", "schema_valid": False, "why": error})
    given, expected = leaves(value), leaves(item.meta["expected"])
    wrong = [path for path in sorted(given.keys() | expected.keys()) if not _alike(given, expected, path)]
    share = 1.0 - len(wrong) / len(given.keys() | expected.keys())
    details = {"kind": "structured", "schema_valid": True, "why": f"wrong: {', '.join(wrong[:5])}" if wrong else "all"}
    return Verdict(Outcome.FAIL if wrong else Outcome.PASS, share, details)


def _alike(given: Mapping[str, Any], expected: Mapping[str, Any], path: str) -> bool:
    return path in given and path in expected and same(given[path], expected[path])


def _made(due: Mapping[str, Any]) -> Call:
    arguments = {name: values[0] for name, values in due["arguments"].items()}
    return Call(due["name"], arguments, json.dumps(arguments))


def _data(name: str) -> Any:
    return json.loads(files("waytrace.providers.families.tools").joinpath(name).read_text(encoding="utf-8"))


def _item(record: dict[str, Any], functions: dict[str, Any]) -> Item:
    tools = tuple({"name": name, **functions[name]} for name in record.get("tools", ()))
    meta = {key: value for key, value in record.items() if key not in ("id", "ask", "tools", "schema")}
    prompt = (Message("system", SYSTEM if tools else STRUCTURED), Message("user", record["ask"]))
    return Item(f"tools/{record['id']}", "tools", prompt, tools, record.get("schema"), 1024, meta)
