"""One vendor's API through Inspect AI: its message conversion and thinking, our reading of errors.

The only module that imports Inspect AI; all else of the benchmark works without the extra. Of Inspect 0.3.285, which is
pinned, was measured: an error in an HTTP 200 raises TypeError, some messages of a vendor's filter become ordinary text,
and every 429 is retried.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpx2
from inspect_ai._util.http_defaults_httpx2 import default_client_kwargs
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    ModelOutput,
)
from inspect_ai.model._providers.openai_compatible import OpenAICompatibleAPI
from inspect_ai.tool import ToolInfo
from openai import APIConnectionError, APIError, APIStatusError, DefaultAsyncHttpxClient
from openai.types.chat import ChatCompletion, ChatCompletionToolParam

from .asking import Heard
from .cost import usage_of
from .families import Message
from .faults import Fault, Trouble, VendorError, code_of, error_in, trouble_of
from .request import Request
from .rows import Provider

_TURNS: Mapping[str, type[ChatMessageSystem | ChatMessageUser | ChatMessageAssistant]] = {
    "system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant,
}  # fmt: skip
_peer: ContextVar[list[str] | None] = ContextVar("_peer", default=None)


class RawTool(ToolInfo):
    """A tool whose JSON Schema is sent as the item has it."""

    function: dict[str, Any]


class VendorAPI(OpenAICompatibleAPI):
    """Chat completions of one vendor. Nothing is retried here; whoever asks decides."""

    def __init__(self, provider: Provider, model: str, base: str, key: str, timeout_s: float = 300.0) -> None:
        self.provider = provider
        hooks = {"response": [_note_peer]}
        client = DefaultAsyncHttpxClient(
            **default_client_kwargs(follow_redirects=False, event_hooks=hooks, timeout=httpx2.Timeout(timeout_s))
        )
        super().__init__(
            f"waytrace/{model}", base_url=base, api_key=key, service="waytrace", stream=False, max_retries=0,
            client_timeout=timeout_s, http_client=client,
        )  # fmt: skip

    async def answer(self, request: Request) -> Heard:
        """The answer to a request, whole. Raises :class:`VendorError`."""
        with self._hearing() as peer:
            result = await self.generate(*self.arguments(request))
            output, call = result if isinstance(result, tuple) else (result, None)
            if isinstance(output, Exception):
                raise output
        if call is None or not isinstance(call.response, dict):
            raise VendorError(Trouble(Fault.RETRY, 200, "", "the response was not kept"))
        return Heard(output.message.text, call.response, peer[-1] if peer else "")

    async def timed(self, request: Request) -> Heard:
        """The answer to a request, token by token and timed. Raises :class:`VendorError`."""
        messages, tools, _, config = self.arguments(request)
        wanted = {"stream": True, "stream_options": {"include_usage": True}}
        params = self.completion_params(config, bool(tools)) | wanted
        times: list[float] = []
        last: dict[str, Any] = {}
        began = time.perf_counter()
        with self._hearing() as peer:
            chunks = await self.client.chat.completions.create(
                messages=await self.messages_to_openai(messages), **params
            )
            async with chunks:
                async for chunk in chunks:
                    last = chunk.model_dump()
                    if code_of(last)[0]:
                        raise VendorError(trouble_of(self.provider.faults, 200, last), last)
                    if _says_something(last):
                        times.append(time.perf_counter() - began)
        if not times:
            raise VendorError(Trouble(Fault.RETRY, 200, "", "the stream held no token"), last or None)
        return Heard("", last, peer[-1] if peer else "", times[0], _rate(times, last))

    @contextmanager
    def _hearing(self) -> Iterator[list[str]]:
        """Note who answers, and turn the client's exceptions into :class:`VendorError`."""
        peer: list[str] = []
        token = _peer.set(peer)
        try:
            yield peer
        except APIError as error:
            raise self._trouble(error) from error
        finally:
            _peer.reset(token)

    def arguments(self, request: Request) -> tuple[list[ChatMessage], list[ToolInfo], Any, GenerateConfig]:
        """A request as ``generate`` takes it: messages, tools, choice of tools, configuration."""
        messages: list[ChatMessage] = [_turn(m) for m in request.messages]
        tools: list[ToolInfo] = [
            RawTool(name=t["name"], description=t.get("description", ""), function=t) for t in request.tools
        ]
        config = GenerateConfig(
            max_tokens=request.most_tokens, temperature=request.temperature, extra_body=request.body or None
        )
        return messages, tools, "any" if request.required else "auto", config

    def completion_params(self, config: GenerateConfig, tools: bool) -> dict[str, Any]:
        """Inspect's, with the field that bounds thinking too."""
        params = super().completion_params(config, tools)
        most = params.pop("max_completion_tokens", None) or params.pop("max_tokens", None)
        return params | {self.provider.most_tokens_field: most}

    def tools_to_openai(self, tools: list[ToolInfo]) -> list[ChatCompletionToolParam]:
        """Every tool as its item has it: nothing is left out of a schema, nothing is added."""
        found: Any = [{"type": "function", "function": t.function} for t in tools if isinstance(t, RawTool)]
        return list(found)

    def handle_bad_request(self, ex: APIStatusError) -> ModelOutput | Exception:
        """The error as it came: Inspect would make ordinary output of some."""
        return ex

    async def _generate_completion(self, request: dict[str, Any], config: GenerateConfig) -> ChatCompletion:
        completion = await super()._generate_completion(request, config)
        said: Any = completion.model_dump() if isinstance(completion, ChatCompletion) else {}
        if trouble := error_in(self.provider.faults, said):
            raise VendorError(trouble, said)
        return completion

    def _trouble(self, error: APIError) -> VendorError:
        """What an exception of the OpenAI client calls for."""
        faults = self.provider.faults
        if isinstance(error, APIStatusError):
            headers = error.response.headers
            body = error.body if error.body is not None else error.response.text
            return VendorError(trouble_of(faults, error.status_code, body, _seconds(headers.get("retry-after"))))
        if isinstance(error, APIConnectionError):
            return VendorError(Trouble(Fault.RETRY, None, "", f"{type(error).__name__}: {error.__cause__ or error}"))
        return VendorError(Trouble(Fault.RETRY, 200, "", f"{type(error).__name__}: {error.message}"))


def _says_something(chunk: Mapping[str, Any]) -> bool:
    """Whether a piece of a stream holds a token, of the answer or of thinking."""
    delta = (chunk.get("choices") or [{}])[0].get("delta") or {}
    return any(delta.get(key) for key in ("content", "reasoning_content", "reasoning", "tool_calls"))


def _rate(times: Sequence[float], last: Mapping[str, Any]) -> float | None:
    """Tokens a second from the first to the last; None where the stream came in one or two pieces, or uncounted."""
    usage, span = usage_of(last), times[-1] - times[0]
    if usage is None or usage.output < 2 or len(times) < 3 or span <= 0:
        return None
    return (usage.output - 1) / span


def _turn(message: Message) -> ChatMessage:
    return _TURNS[message.role](content=message.content)


async def _note_peer(response: httpx2.Response) -> None:
    """Note the address that answered: a live figure has to come from a public one."""
    heard = _peer.get()
    stream = response.extensions.get("network_stream")
    if heard is not None and stream is not None:
        address = stream.get_extra_info("server_addr")
        heard.append(str(address[0]) if address else "")


def _seconds(said: str | None) -> float | None:
    """Seconds of a Retry-After header; None for a date or nonsense."""
    try:
        return min(max(float(said), 0.0), 60.0) if said else None
    except ValueError:
        return None
