"""From an item to what is sent, and from what came back to a reply: structured output by the best means there is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .families import Call, Item, Message, Reply
from .rows import Model, Provider
from .settings import Settings

ANSWER = "give_answer"
"""The tool that takes a structured answer where a provider has no other means."""


@dataclass(frozen=True)
class Request:
    """What is sent for one item."""

    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...]
    required: bool
    """Whether a tool has to be called."""
    temperature: float
    most_tokens: int
    body: dict[str, Any]
    """Fields beside the usual ones."""
    means: str
    """How structured output is asked for: json_schema, json_object, tool, prompt; empty where none is."""

    @property
    def size(self) -> int:
        """UTF-8 bytes of all that becomes tokens of the prompt."""
        extra = [self.body.get("response_format", {}), self.tools]
        return sum(len(m.content.encode()) + len(m.role) for m in self.messages) + len(json.dumps(extra).encode())

    def to_json(self) -> dict[str, Any]:
        """The request as plain values: what is recorded, and what its hash is over."""
        return {
            "messages": [{"role": m.role, "content": m.content} for m in self.messages], "tools": list(self.tools),
            "required": self.required, "temperature": self.temperature, "most_tokens": self.most_tokens,
            "body": self.body, "means": self.means,
        }  # fmt: skip


def request_of(item: Item, provider: Provider, model: Model, settings: Settings, *, raised: bool = False) -> Request:
    """What to send for an item; ``raised`` with the temperature that a vendor falls back to."""
    body = provider.body | settings.body_of(model)
    temperature = settings.temperature
    if temperature < provider.temperature.least:
        temperature = provider.temperature.least
        body |= provider.temperature.at_least_body
    if raised and provider.temperature.fallback is not None:
        temperature = max(temperature, provider.temperature.fallback)
    messages, tools, required, means = list(item.prompt), list(item.tools), False, ""
    if item.schema is not None:
        means = _means(provider, item)
        if means == "json_schema":
            shape = {"name": "answer", "schema": item.schema}
            body |= {"response_format": {"type": "json_schema", "json_schema": shape}}
        elif means == "tool":
            tools.append({"name": ANSWER, "description": "Gives the answer.", "parameters": item.schema})
            required = "required" in provider.tool_choice and not item.tools
            messages = _told(messages, f"Give your answer by calling the tool {ANSWER}.")
        else:
            if means == "json_object":
                body |= {"response_format": {"type": "json_object"}}
            shown = json.dumps(item.schema, ensure_ascii=False)
            messages = _told(messages, f"Answer with one JSON value of this JSON Schema and nothing else:\n{shown}")
    most = settings.most_tokens(model, item.most_tokens)
    return Request(tuple(messages), tuple(tools), required, temperature, most, body, means)


def reply_of(request: Request, text: str, response: Mapping[str, Any]) -> Reply:
    """The reply in a whole response; ``text`` is its content with thinking taken off.

    An answer given by the tool for it stands in ``text``, as if it had been written.
    """
    choice = response["choices"][0]
    calls = tuple(_call(c) for c in choice["message"].get("tool_calls") or () if isinstance(c, Mapping))
    finish = str(choice.get("finish_reason") or "")
    if request.means == "tool" and (given := [c for c in calls if c.name == ANSWER]):
        others = tuple(c for c in calls if c.name != ANSWER)
        return Reply(given[0].raw, others, "tool_calls" if others else "stop")
    return Reply(text, calls, finish)


def _call(said: Mapping[str, Any]) -> Call:
    function = said.get("function") or {}
    raw = function.get("arguments")
    if isinstance(raw, Mapping):
        return Call(str(function.get("name") or ""), dict(raw), json.dumps(raw, ensure_ascii=False))
    raw = str(raw or "")
    try:
        arguments = json.loads(raw or "{}")
    except (ValueError, RecursionError):
        arguments = None
    return Call(str(function.get("name") or ""), arguments if isinstance(arguments, dict) else None, raw)


def _means(provider: Provider, item: Item) -> str:
    """The provider's means; a tool's parameters and ``json_object`` are objects, so other schemas are prompted for."""
    if provider.structured in ("tool", "json_object") and (item.schema or {}).get("type") != "object":
        return "prompt"
    return provider.structured


def _told(messages: list[Message], sentence: str) -> list[Message]:
    """The messages with a sentence at the end of the last one."""
    last = messages[-1]
    return [*messages[:-1], Message(last.role, f"{last.content}\n\n{sentence}")]
