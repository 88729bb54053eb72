"""Servers on loopback that answer well, badly or not at all."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from waytrace.catalogue import generate
from waytrace.observe import Observation
from waytrace.sim import World

Reply = Callable[[dict[str, Any] | None], bytes]
"""The bytes on the wire for an observation, or for None, a GET."""


def http(body: bytes, status: str = "200 OK", length: int | None = None) -> bytes:
    """A whole HTTP answer."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body


def answer(**fields: Any) -> bytes:
    return http(json.dumps({"schema": "waytrace.plan/1", **fields}).encode())


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        line, length = self.rfile.readline(), 0
        while (header := self.rfile.readline().strip()) != b"":
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        asked = json.loads(self.rfile.read(length)) if line.startswith(b"POST") else None
        try:
            for part in self.server.reply(asked):  # type: ignore[attr-defined]
                self.wfile.write(part)
        except OSError:  # whoever asked has gone
            pass


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """``serve(reply)`` starts a server and gives its address; with ``pause_s`` it sends byte by byte, so far apart."""
    servers: list[_Server] = []

    def start(reply: Reply, pause_s: float = 0.0) -> str:
        def parts(asked: dict[str, Any] | None) -> Iterator[bytes]:
            content = reply(asked)
            if not pause_s:
                yield content
                return
            for byte in content:
                time.sleep(pause_s)
                yield bytes([byte])

        server = _Server(("127.0.0.1", 0), _Handler)
        server.reply = parts  # type: ignore[attr-defined]
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}/plan"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def observation() -> Observation:
    """What the egos of two generated scenes see after half a second."""
    world = World([generate("red-light", 3), generate("cut-in", 2)])
    world.advance(5)
    return world.observe()
