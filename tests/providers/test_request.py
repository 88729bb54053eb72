"""What is sent: thinking, temperature, structure and bounds as each vendor takes them, and nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from waytrace.providers import ProviderError, load_book, model_of
from waytrace.providers.families import Call, Reply
from waytrace.providers.request import ANSWER, reply_of, request_of
from waytrace.providers.stand_in import Served, completion

from .conftest import QUICK, Bench
from .toy import SCHEMA, Toy, structured

TOOL = {
    "name": "gap",
    "description": "The gap to a vehicle.",
    "parameters": {"type": "object", "properties": {"who": {"$ref": "#/$defs/who"}}, "$defs": {"who": {"enum": ["a"]}}},
}
RIGHT = [Served(completion(Reply("1")))]


class Asking(Toy):
    """A family of one given item."""

    def __init__(self, item: Any) -> None:
        super().__init__("tools", 1)
        self.item = item

    def items(self) -> Any:
        return [replace(self.item, meta={"sum": 1})]


def _sent(bench: Bench, provider: str, **more: Any) -> dict[str, Any]:
    return bench.run(provider, RIGHT, **more).requests[0]


def test_glm_thinks_harder_or_less_and_never_not_at_all(bench: Bench) -> None:
    assert _sent(bench, "glm", settings=replace(QUICK, thinking="low"))["reasoning_effort"] == "low"
    with pytest.raises(ProviderError, match=r"glm-5\.3 always thinks: there is low, high, max"):
        bench.run("glm", RIGHT, settings=replace(QUICK, thinking="off"), folder="other")


@pytest.mark.parametrize(
    ("provider", "model", "mode", "sent"),
    [
        ("glm", "glm-4.7-flash", "off", {"type": "disabled"}),
        ("minimax", "MiniMax-M3", "off", {"type": "disabled"}),
        ("minimax", "MiniMax-M3", "on", {"type": "adaptive"}),
        ("doubao", "doubao-seed-2-1-pro-260915", "auto", {"type": "auto"}),
    ],
)
def test_thinking_is_switched(provider: str, model: str, mode: str, sent: Any, bench: Bench) -> None:
    body = _sent(bench, provider, model=model, settings=replace(QUICK, thinking=mode))
    assert body["thinking"] == sent


def test_minimax_is_asked_for_thinking_apart(bench: Bench) -> None:
    assert _sent(bench, "minimax")["reasoning_split"] is True


def test_glm_gets_what_its_sdk_would_send_for_temperature_0(bench: Bench) -> None:
    body = _sent(bench, "glm")
    assert (body["temperature"], body["do_sample"]) == (0.01, False)
    assert "do_sample" not in _sent(bench, "glm", settings=replace(QUICK, temperature=0.5), folder="warm")


@pytest.mark.parametrize("status", [200, 400])
def test_minimax_may_reject_0_and_gets_0_01_from_then_on(status: int, bench: Bench) -> None:
    def script(body: dict[str, Any], _: object) -> Served:
        if body["temperature"] == 0:
            said = {"status_code": 2013, "status_msg": "invalid params, temperature must be > 0"}
            return Served({"choices": None, "base_resp": said}, status)
        return RIGHT[0]

    asked = bench.run("minimax", script, family=Toy(count=3), settings=replace(QUICK, attempts=1))
    assert [body["temperature"] for body in asked.requests] == [0, 0.01, 0.01, 0.01]
    assert asked.outcomes == ["pass", "fail", "fail"]
    manifest = (asked.folder / "manifest.json").read_text()
    assert '"temperature_fell_back": true' in manifest
    assert '"temperature_sent": 0.01' in manifest


def test_structure_is_asked_for_by_the_best_means_there_is(bench: Bench) -> None:
    family = Asking(structured())
    glm = _sent(bench, "glm", family=family, folder="glm")
    assert glm["response_format"] == {"type": "json_object"}
    assert "speed_mps" in glm["messages"][-1]["content"]
    doubao = _sent(bench, "doubao", family=family, folder="doubao")
    assert doubao["response_format"] == {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
    assert doubao["messages"][-1]["content"] == "How fast?"
    minimax = _sent(bench, "minimax", family=family, folder="minimax")
    assert "response_format" not in minimax
    assert minimax["tools"][0]["function"] == {
        "name": ANSWER,
        "description": "Gives the answer.",
        "parameters": SCHEMA,
    }
    assert minimax["tool_choice"] == "auto"


def test_a_schema_that_is_no_object_is_prompted_for_where_only_objects_can_be_asked() -> None:
    item = structured({"type": "array", "items": {"type": "number"}})
    for name, means in (("glm", "prompt"), ("minimax", "prompt"), ("doubao", "json_schema")):
        row = load_book().provider(name)
        request = request_of(item, row, model_of(row, None), QUICK)
        assert request.means == means
        assert (means == "prompt") == ("array" in request.messages[-1].content)


def test_an_answer_by_the_tool_for_it_is_the_text(bench: Bench) -> None:
    row = load_book().provider("minimax")
    request = request_of(structured(), row, model_of(row, None), QUICK)
    said = completion(Reply("", (Call(ANSWER, None, '{"speed_mps": 3}'),)))
    assert reply_of(request, "", said) == Reply('{"speed_mps": 3}', (), "stop")
    assert reply_of(request, '{"speed_mps": 3}', completion(Reply("x"))).text == '{"speed_mps": 3}'


@pytest.mark.parametrize(
    ("raw", "arguments"), [('{"who": "a"}', {"who": "a"}), ("{broken", None), ("[1]", None), ("", {})]
)
def test_a_tool_goes_out_whole_and_its_calls_come_back_as_written(raw: str, arguments: Any, bench: Bench) -> None:
    seen = []

    class Watching(Asking):
        def score(self, item: Any, reply: Reply) -> Any:
            seen.append(reply)
            return super().score(item, reply)

    served = [Served(completion(Reply("", (Call("gap", None, raw),))))]
    asked = bench.run("glm", served, family=Watching(_tooled()))
    assert asked.requests[0]["tools"] == [{"type": "function", "function": TOOL}]
    assert seen == [Reply("", (Call("gap", arguments, raw),), "tool_calls")]


def _tooled() -> Any:
    return replace(structured(), schema=None, tools=(TOOL,))


def test_thinking_has_room_and_is_bounded(bench: Bench) -> None:
    item = 16
    assert _sent(bench, "glm", folder="a")["max_tokens"] == item + QUICK.thinking_tokens
    off = replace(QUICK, thinking="off")
    assert _sent(bench, "minimax", settings=off, folder="b")["max_tokens"] == item
    doubao = _sent(bench, "doubao", settings=off, folder="c")
    assert doubao["max_completion_tokens"] == item
    assert "max_tokens" not in doubao


def test_thinking_goes_back_with_the_results_of_tools(bench: Bench) -> None:
    """No family has several turns yet; one that comes finds the wire ready for what GLM asks."""
    from inspect_ai.model import ChatMessageTool, ChatMessageUser, GenerateConfig

    from waytrace.providers.wire import VendorAPI

    def script(body: dict[str, Any], _: object) -> Served:
        turns = [m for m in body["messages"] if m["role"] == "assistant"]
        if not turns:
            said = completion(Reply("", (Call("gap", None, '{"who": "a"}'),)))
            said["choices"][0]["message"]["reasoning_content"] = "the gap first"
            return Served(said)
        kept = turns[0].get("reasoning_content") == "the gap first"
        return Served(completion(Reply("kept" if kept else "lost")))

    async def talk() -> str:
        api = VendorAPI(load_book().provider("glm"), "glm-5.3", bench.url, "none")
        try:
            asked: list[Any] = [ChatMessageUser(content="How large is the gap?")]
            first, _ = await api.generate(asked, [], "auto", GenerateConfig())  # type: ignore[misc]
            call = first.message.tool_calls[0]
            asked += [first.message, ChatMessageTool(content="12 m", tool_call_id=call.id, function="gap")]
            second, _ = await api.generate(asked, [], "auto", GenerateConfig())  # type: ignore[misc]
            return str(second.message.text)
        finally:
            await api.aclose()

    bench.script = script
    assert asyncio.run(talk()) == "kept"
