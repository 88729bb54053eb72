"""One HTTP exchange with a planner's server, bounded in time and size: no retry, no redirect, no proxy."""

from __future__ import annotations

import http.client
import socket
import threading
from urllib.parse import SplitResult

from waytrace.scenario import WaytraceError

ANSWER_S = 10.0
"""A server has this long for a whole answer, however it dribbles."""
MOST_BYTES = 1 << 20
"""An answer may be this long; a plan of 16 knots is some 2 kB."""
MOST_SAID = 640
"""Bytes of an answer of another status that its message is taken from."""


class RemoteError(WaytraceError):
    """A planner's server does not answer, or not with what a planner answers. The message is one line."""


def exchange(address: SplitResult, body: bytes | None, *, timeout_s: float = ANSWER_S) -> bytes:
    """The body of the server's answer with status 200: to a POST of ``body``, or to a GET where that is None.

    Raises :class:`RemoteError` where the server cannot be reached, answers with another status, with more than
    ``MOST_BYTES``, or not within ``timeout_s`` (which a name look-up or a connection may take besides).
    """
    where = address.geturl()
    make = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = make(address.hostname or "", address.port, timeout=timeout_s)
    late = threading.Event()
    watch = threading.Timer(timeout_s, _cut, (connection, late))
    watch.daemon = True
    watch.start()
    try:
        answer = _answer(connection, address, body)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if not late.is_set() and not isinstance(error, TimeoutError):
            raise RemoteError(f"{where} gave no answer: {one_line(str(error) or type(error).__name__)}") from error
        late.set()
    finally:
        watch.cancel()
        connection.close()
    if late.is_set():
        raise RemoteError(f"{where} did not answer within {timeout_s:g} s")
    status, reason, content = answer
    if status != http.client.OK:
        raise RemoteError(f"{where} answered {status} {one_line(reason)}, not 200{_why(content)}")
    if len(content) > MOST_BYTES:
        raise RemoteError(f"{where} answers with more than {MOST_BYTES} bytes")
    return content


def _why(content: bytes) -> str:
    """The beginning of what a server says of its failure; a page for browsers says nothing."""
    said = content[:MOST_SAID].decode(errors="replace").strip()
    return "" if not said or said.startswith("<") else f": {one_line(said)}"


def one_line(text: str, most: int = 160) -> str:
    """Foreign text, fit for an error message: one line, printable, not long."""
    line = "".join(c if c.isprintable() else " " for c in text)
    return line if len(line) <= most else line[: most - 3] + "..."


def _cut(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    """End an exchange that takes too long: whoever waits on the socket sees it closed."""
    late.set()
    if connection.sock is not None:
        try:
            connection.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            connection.sock.close()  # it was not connected, or is gone already


def _answer(connection: http.client.HTTPConnection, address: SplitResult, body: bytes | None) -> tuple[int, str, bytes]:
    """(status, reason, content up to one byte more than allowed)."""
    headers = {"Content-Type": "application/json", "Accept": "application/json", "Connection": "close"}
    connection.request("GET" if body is None else "POST", address.path or "/", body, headers)
    response = connection.getresponse()
    content = response.read(MOST_BYTES + 1)
    if response.length and len(content) <= MOST_BYTES:
        raise http.client.IncompleteRead(content, response.length)
    return response.status, response.reason, content
