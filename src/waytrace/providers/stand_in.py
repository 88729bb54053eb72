"""An OpenAI-compatible server on this machine that answers from a script: to rehearse a run without paying for it.

``python -m waytrace.providers.stand_in --skill perfect`` answers every item of the families as a perfect model would;
``--skill poor`` as a poor one. Whatever it serves is a dry run: an endpoint on this machine never counts as live.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .families import Family, Item, Reply, Skill, families


@dataclass(frozen=True)
class Served:
    """What the server sends for one request."""

    body: Any = None
    """JSON, or bytes to send as they are."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    chunks: Iterable[Mapping[str, Any]] = ()
    """Pieces of a stream, in place of the body; each is sent as it is made."""
    pause_s: float = 0.0
    """Before every piece."""


Script = Callable[[dict[str, Any], Mapping[str, str]], Served]
"""From a request's JSON and headers to what is sent."""


@contextmanager
def serving(script: Script, port: int = 0) -> Iterator[str]:
    """Serve a script on 127.0.0.1; the endpoint's URL. Port 0 takes any that is free."""
    handler = type("Handler", (_Handler,), {"script": staticmethod(script)})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def scripted(known: Mapping[str, Family], skill: Skill) -> Script:
    """Answers every item of the families with that skill, and counts to a hundred for a probe."""
    items: dict[str, tuple[Family, Item]] = {i.prompt[-1].content: (f, i) for f in known.values() for i in f.items()}

    def script(asked: dict[str, Any], _: Mapping[str, str]) -> Served:
        said = asked["messages"][-1]["content"]
        if asked.get("stream"):
            return streamed([f"{n} " for n in range(1, 101)])
        key = max((text for text in items if said.startswith(text)), key=len, default=None)
        if key is None:
            return Served({"error": {"code": "unknown_item", "message": "no item has this prompt"}}, 400)
        family, item = items[key]
        return Served(completion(family.scripted(item, skill), prompt_tokens=len(said) // 4))

    return script


def completion(reply: Reply, *, prompt_tokens: int = 100, **usage: Any) -> dict[str, Any]:
    """A chat completion that says a reply."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text}
    if reply.calls:
        message["tool_calls"] = [
            {"id": f"call_{n}", "type": "function", "function": {"name": c.name, "arguments": c.raw}}
            for n, c in enumerate(reply.calls)
        ]
    tokens = max(1, (len(reply.text) + sum(len(c.raw) for c in reply.calls)) // 4)
    return {
        "id": "stand-in", "object": "chat.completion", "created": 0, "model": "stand-in",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if reply.calls else reply.finish}],
        "usage": {
            "prompt_tokens": prompt_tokens, "completion_tokens": tokens, "total_tokens": prompt_tokens + tokens, **usage
        },
    }  # fmt: skip


def streamed(pieces: list[str], pause_s: float = 0.0) -> Served:
    """A stream of pieces, a token each, with the usage at its end."""
    base = {"id": "stand-in", "object": "chat.completion.chunk", "created": 0, "model": "stand-in"}
    said = [base | {"choices": [{"index": 0, "delta": {"content": p}, "finish_reason": None}]} for p in pieces]
    usage = {"prompt_tokens": 20, "completion_tokens": len(pieces), "total_tokens": 20 + len(pieces)}
    return Served(chunks=(*said, base | {"choices": [], "usage": usage}), pause_s=pause_s)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        served = self.script(asked, dict(self.headers))
        if served.chunks:
            self._stream(served)
            return
        time.sleep(served.pause_s)
        data = served.body if isinstance(served.body, bytes) else json.dumps(served.body).encode()
        self.send_response(served.status)
        for name, value in {"Content-Type": "application/json", **served.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, served: Served) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for chunk in served.chunks:
            time.sleep(served.pause_s)
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.flush()
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_: Any) -> None:
        """Say nothing: a run says what matters."""


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--skill", choices=("perfect", "poor"), default="perfect")
    parser.add_argument("--port", type=int, default=8123)
    options = parser.parse_args()
    with serving(scripted(families(), options.skill), options.port) as url:
        print(f"Answering as a {options.skill} model at {url}; stop with Ctrl-C.", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    _main()
