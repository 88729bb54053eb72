"""What an error calls for: decided by the vendor's code first, by the HTTP status where the code says nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from .rows import Faults


class Fault(StrEnum):
    """What to do about an answer that is none."""

    MODERATION = "moderation"
    """The vendor's filter: an outcome of its own, neither an error nor a wrong answer."""
    RETRY = "retry"
    """It passes: ask again."""
    STOP = "stop"
    """No balance, no quota, no valid key: nothing that follows can do better."""
    REJECTED = "rejected"
    """The request was not understood: asking again is no use, the next item may do."""


@dataclass(frozen=True)
class Trouble:
    """An answer that is none: what it calls for, and what the vendor said."""

    fault: Fault
    status: int | None
    """HTTP status; None where no answer came."""
    code: str
    message: str
    retry_after_s: float | None = None

    def __str__(self) -> str:
        status = "no answer" if self.status is None else f"HTTP {self.status}"
        return ", ".join(filter(None, [status, self.code and f"code {self.code}", self.message[:300]]))


class VendorError(Exception):
    """An answer that is none, raised; ``response`` is the body that held it, which may say what was billed."""

    def __init__(self, trouble: Trouble, response: Mapping[str, Any] | None = None) -> None:
        super().__init__(str(trouble))
        self.trouble = trouble
        self.response = response


_STOP_STATUS = (401, 402, 403)
_RETRY_STATUS = (408, 409, 425, 429)


def trouble_of(faults: Faults, status: int | None, body: object, retry_after_s: float | None = None) -> Trouble:
    """What an HTTP error, or an error in the body of an HTTP 200, calls for."""
    code, message = code_of(body)
    return Trouble(_fault(faults, status, code), status, code, message, retry_after_s)


def error_in(faults: Faults, reply: Mapping[str, Any]) -> Trouble | None:
    """The trouble in a response of HTTP 200: an error code in it, no choices, a filtered answer. None if it is whole.

    A filtered answer has one of the vendor's finish reasons for it; MiniMax says so in ``base_resp`` and leaves
    ``choices`` null.
    """
    code, message = code_of(reply)
    if code:
        return Trouble(_fault(faults, 200, code), 200, code, message)
    choices = reply.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        return Trouble(Fault.RETRY, 200, "", "the response holds no choice")
    finish = str(choices[0].get("finish_reason") or "")
    if finish in faults.moderation_finish:
        return Trouble(Fault.MODERATION, 200, finish, f"finish reason {finish}")
    if not isinstance(choices[0].get("message"), Mapping):
        return Trouble(Fault.RETRY, 200, "", "the response holds no message")
    return None


def code_of(body: object) -> tuple[str, str]:
    """(code, message) of an error in any of the forms that are about; empty where the body holds none.

    ``{"error": {"code", "message"}}`` (OpenAI, GLM, Doubao), the inside of it alone, ``{"base_resp": {"status_code",
    "status_msg"}}`` (MiniMax, where 0 means no error).
    """
    if isinstance(body, str | bytes):
        try:
            body = json.loads(body)
        except ValueError:
            return "", str(body)[:300]
    if not isinstance(body, Mapping):
        return "", ""
    base = body.get("base_resp")
    if isinstance(base, Mapping) and base.get("status_code") not in (0, "0", None):
        return str(base["status_code"]), str(base.get("status_msg") or "")
    error = body.get("error")
    if isinstance(error, str) and error:
        return "error", error
    inner = error if isinstance(error, Mapping) else body if "choices" not in body else {}
    code = inner.get("code") or inner.get("type")
    return ("" if code is None else str(code)), str(inner.get("message") or "")


def _fault(faults: Faults, status: int | None, code: str) -> Fault:
    for fault, patterns in (
        (Fault.STOP, faults.stop), (Fault.MODERATION, faults.moderation), (Fault.RETRY, faults.retry),
    ):  # fmt: skip
        if any(fnmatchcase(code, pattern) for pattern in patterns):
            return fault
    if status in _STOP_STATUS:
        return Fault.STOP
    if status is None or status in _RETRY_STATUS or status >= 500:
        return Fault.RETRY
    return Fault.REJECTED
