"""A small family and planted models, for tests of everything around a family."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from waytrace.providers.families import Call, Item, Message, Outcome, Reply, Skill, Verdict
from waytrace.providers.stand_in import Script, Served, completion, streamed

SCHEMA = {"type": "object", "properties": {"speed_mps": {"type": "number"}}, "required": ["speed_mps"]}


class Toy:
    """Twenty sums, a few of them asked for as a call or as JSON."""

    version = "toy-1"

    def __init__(self, name: str = "tools", count: int = 20) -> None:
        self.name = name
        self.count = count

    def items(self) -> Sequence[Item]:
        return [
            Item(f"{self.name}/{n:02}", self.name, (Message("user", f"[{self.name} {n:02}] What is {n} + 1?"),),
                 most_tokens=16, meta={"sum": n + 1})
            for n in range(self.count)
        ]  # fmt: skip

    def score(self, item: Item, reply: Reply) -> Verdict:
        if reply.text.startswith("I cannot"):
            return Verdict(Outcome.REFUSAL, 0.0)
        right = reply.text.strip() == str(item.meta["sum"])
        return Verdict(Outcome.PASS if right else Outcome.FAIL, float(right), {"said": reply.text})

    def scripted(self, item: Item, skill: Skill) -> Reply:
        return Reply(str(item.meta["sum"]) if skill == "perfect" else "0")


def structured(schema: dict[str, Any] | None = None, **more: Any) -> Item:
    """An item that asks for JSON."""
    return Item("tools/structured", "tools", (Message("user", "How fast?"),), schema=schema or SCHEMA, **more)


def planted(family: Toy, share: float) -> Script:
    """A model that answers about that share of the items rightly, always the same ones."""

    def script(asked: dict[str, Any], _: object) -> Served:
        if asked.get("stream"):
            return streamed(["1 ", "2 ", "3 ", "4 "])
        said = asked["messages"][-1]["content"]
        item = next(i for i in family.items() if said.startswith(i.prompt[-1].content))
        draw = int(hashlib.sha256(f"{item.id}".encode()).hexdigest()[:8], 16) / 2**32
        return Served(completion(family.scripted(item, "perfect" if draw < share else "poor")))

    return script


def call(name: str, raw: str) -> Reply:
    """A reply that is one call."""
    return Reply("", (Call(name, None, raw),), "tool_calls")
