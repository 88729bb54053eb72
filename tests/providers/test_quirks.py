"""Every peculiarity of the vendors' APIs ends in the right class: an outcome, a retry, or a stop at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from waytrace.providers.families import Reply
from waytrace.providers.stand_in import Served, completion, serving

from .conftest import QUICK, Bench
from .toy import Toy

RIGHT = Served(completion(Reply("1")))
SUCCESS = Served(completion(Reply("1")) | {"base_resp": {"status_code": 0, "status_msg": "success"}})


def _error(status: int, code: str, message: str = "no") -> Served:
    return Served({"error": {"code": code, "message": message, "type": "error"}}, status)


def _base_resp(code: int, status: int = 200, message: str = "no") -> Served:
    return Served({"id": "x", "choices": None, "base_resp": {"status_code": code, "status_msg": message}}, status)


def _changed(**choice: Any) -> Served:
    body = completion(Reply("1"))
    body["choices"][0] |= choice
    return Served(body)


def _message(**message: Any) -> Served:
    return _changed(message={"role": "assistant"} | message)


STOP = "stop"
CASES = [
    # GLM
    ("glm", "moderation by code", [_error(400, "1301")], "moderation", 1),
    ("glm", "moderation by finish", [_changed(finish_reason="sensitive")], "moderation", 1),
    ("glm", "1302 passes", [_error(429, "1302"), RIGHT], "pass", 2),
    ("glm", "1305 passes", [_error(429, "1305"), RIGHT], "pass", 2),
    ("glm", "no balance", [_error(429, "1113")], STOP, 1),
    ("glm", "thinking apart", [_message(content="1", reasoning_content="let me see")], "pass", 1),
    # MiniMax
    ("minimax", "input filtered in 200", [_base_resp(1026)], "moderation", 1),
    ("minimax", "output filtered in 200", [_base_resp(1027)], "moderation", 1),
    ("minimax", "filtered with an error status", [_base_resp(1026, 400)], "moderation", 1),
    ("minimax", "1002 in 200 passes", [_base_resp(1002), RIGHT], "pass", 2),
    ("minimax", "1002 in 429 passes", [_base_resp(1002, 429), RIGHT], "pass", 2),
    ("minimax", "no balance in 200", [_base_resp(1008)], STOP, 1),
    ("minimax", "no balance in 429", [_base_resp(1008, 429)], STOP, 1),
    ("minimax", "wrong key in 200", [_base_resp(1004)], STOP, 1),
    ("minimax", "thinking in the content", [_message(content="<think>hm, 0?</think>\n\n1")], "pass", 1),
    ("minimax", "base_resp of success", [SUCCESS], "pass", 1),
    ("minimax", "choices null and no code", [Served({"id": "x", "choices": None})], "infrastructure", 3),
    # Doubao
    ("doubao", "input filtered", [_error(400, "InputTextSensitiveContentDetected")], "moderation", 1),
    ("doubao", "output filtered", [_error(400, "OutputTextSensitiveContentDetected.PolicyViolation")], "moderation", 1),
    ("doubao", "risk", [_error(400, "InputTextRiskDetection")], "moderation", 1),
    ("doubao", "RPM passes", [_error(429, "RateLimitExceeded.EndpointRPMExceeded"), RIGHT], "pass", 2),
    ("doubao", "TPM passes", [_error(429, "ModelAccountTpmRateLimitExceeded"), RIGHT], "pass", 2),
    ("doubao", "overloaded passes", [_error(429, "ServerOverloaded"), RIGHT], "pass", 2),
    ("doubao", "burst passes", [_error(429, "RequestBurstTooFast"), RIGHT], "pass", 2),
    ("doubao", "quota", [_error(429, "QuotaExceeded")], STOP, 1),
    ("doubao", "limit set", [_error(429, "SetLimitExceeded")], STOP, 1),
    ("doubao", "overdue", [_error(403, "AccountOverdueError")], STOP, 1),
    # any
    ("glm", "wrong key", [_error(401, "invalid")], STOP, 1),
    ("glm", "payment", [_error(402, "pay")], STOP, 1),
    ("glm", "unknown 429 passes", [_error(429, "9999"), RIGHT], "pass", 2),
    ("glm", "500 passes", [_error(500, "oops"), RIGHT], "pass", 2),
    ("glm", "a page of a proxy passes", [Served(b"<html>", 502, {"Content-Type": "text/html"}), RIGHT], "pass", 2),
    ("glm", "500 for ever", [_error(500, "oops")], "infrastructure", 3),
    ("glm", "retry after", [Served({"error": {"code": "1302"}}, 429, {"Retry-After": "0"}), RIGHT], "pass", 2),
    ("glm", "not understood", [_error(400, "1210", "bad parameter")], "infrastructure", 1),
    ("glm", "a bare string", [Served("hello"), RIGHT], "pass", 2),
    ("glm", "no choice", [Served(completion(Reply("1")) | {"choices": []}), RIGHT], "pass", 2),
    ("glm", "no content", [_message(content=None)], "fail", 1),
    ("glm", "the model declines", [_message(content="I cannot do that")], "refusal", 1),
    ("glm", "a list of parts", [Served([1, 2]), RIGHT], "pass", 2),
]  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "what", "served", "outcome", "calls"), CASES, ids=[f"{c[0]}: {c[1]}" for c in CASES]
)
def test_a_quirk_ends_in_its_class(
    provider: str, what: str, served: list[Served], outcome: str, calls: int, bench: Bench
) -> None:
    asked = bench.run(provider, served)
    assert len(asked.requests) == calls == asked.end.calls
    assert bool(asked.end.stopped) == (outcome == STOP)
    assert asked.outcomes == ([] if outcome == STOP else [outcome])


def test_no_balance_stops_the_items_that_follow_too(bench: Bench) -> None:
    asked = bench.run("glm", [RIGHT, _error(429, "1113")], family=Toy(count=20), settings=replace(QUICK, concurrency=4))
    assert len(asked.requests) <= 1 + 4, "one is answered, and four are on their way when the first is refused"
    assert "1113" in asked.end.stopped


def test_an_endpoint_where_nobody_listens_gives_no_answer(bench: Bench) -> None:
    with serving(bench.serve) as url:
        pass
    asked = bench.run("glm", [RIGHT], url=url)
    assert asked.outcomes == ["infrastructure"]
    assert asked.requests == []


def test_a_server_that_says_nothing_times_out(bench: Bench) -> None:
    slow = Served(completion(Reply("1")), pause_s=0.5)
    asked = bench.run("glm", [slow], settings=replace(QUICK, timeout_s=0.1, attempts=1))
    assert asked.outcomes == ["infrastructure"]


def test_a_redirect_is_not_followed(bench: Bench) -> None:
    asked = bench.run("glm", [Served({}, 307, {"Location": "/elsewhere"})])
    assert asked.outcomes == ["infrastructure"]
    assert len(asked.requests) == 1
