"""Runs: nothing is paid for twice, no budget is exceeded, the same run gives the same scores."""

from __future__ import annotations

import json
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from waytrace.providers import ProviderError
from waytrace.providers.families import Item, Outcome, Reply, Verdict
from waytrace.providers.journal import Journal
from waytrace.providers.secrets import Scrubber
from waytrace.providers.stand_in import Served, completion, scripted, streamed

from .conftest import QUICK, Bench
from .toy import Toy, planted

EMPTY = Served({"error": {"code": "1113", "message": "no balance"}}, 429)


def test_the_same_run_twice_gives_the_same_scores(bench: Bench) -> None:
    family = Toy()
    runs = [bench.run("glm", planted(family, 0.6), family=family, folder=name) for name in ("a", "b")]
    first, second = ({k: (v["outcome"], v["score"]) for k, v in run.found.scores.items()} for run in runs)
    assert first == second
    assert len(first) == 20
    assert len({outcome for outcome, _ in first.values()}) == 2


def test_a_finished_run_is_not_paid_for_again(bench: Bench) -> None:
    family = Toy(count=5)
    perfect = scripted({"tools": family}, "perfect")
    assert bench.run("glm", perfect, family=family, settings=replace(QUICK, epochs=2)).end.calls == 10
    again = bench.run("glm", perfect, family=family, settings=replace(QUICK, epochs=2))
    assert (again.end.calls, again.end.samples, again.requests) == (0, 10, [])


def test_a_stopped_run_goes_on_with_what_is_left(bench: Bench) -> None:
    family = Toy(count=6)
    perfect = scripted({"tools": family}, "perfect")

    def poor_after_three(body: dict[str, Any], headers: Any) -> Served:
        return perfect(body, headers) if len(bench.requests) <= 3 else EMPTY

    first = bench.run("glm", poor_after_three, family=family)
    assert (first.end.samples, bool(first.end.stopped)) == (3, True)
    second = bench.run("glm", perfect, family=family)
    assert (second.end.samples, second.end.calls, second.end.stopped) == (6, 3, "")
    assert set(second.outcomes) == {"pass"}


def test_what_was_answered_and_not_scored_is_scored_without_a_call(bench: Bench) -> None:
    class Breaking(Toy):
        broken = True

        def score(self, item: Item, reply: Reply) -> Verdict:
            if self.broken and item.id.endswith("2"):
                raise RuntimeError("the scorer broke")
            return super().score(item, reply)

    family = Breaking(count=5)
    perfect = scripted({"tools": family}, "perfect")
    with pytest.raises(RuntimeError, match="the scorer broke"):
        bench.run("glm", perfect, family=family)
    sent = len(bench.requests)
    family.broken = False
    again = bench.run("glm", perfect, family=family)
    assert sent + again.end.calls == 5
    assert again.outcomes == ["pass"] * 5


def test_a_line_cut_short_by_a_crash_is_taken_off_and_its_call_counts_as_paid(bench: Bench) -> None:
    family = Toy(count=3)
    table = bench.priced("glm", "glm-5.3")
    perfect = scripted({"tools": family}, "perfect")
    first = bench.run("glm", perfect, family=family, table=table)
    calls, scores = first.folder / "calls.jsonl", first.folder / "scores.jsonl"
    lines = calls.read_bytes().splitlines(keepends=True)
    calls.write_bytes(b"".join(lines[:-1]) + lines[-1][:40])
    scores.write_bytes(b"".join(scores.read_bytes().splitlines(keepends=True)[:-1]))
    reserved = json.loads(lines[-2])["reserved"]
    paid = sum(json.loads(line)["cost"] for line in lines[:-2] if b'"answered"' in line)
    second = bench.run("glm", perfect, family=family, table=table)
    assert second.end.calls == 1
    assert second.outcomes == ["pass"] * 3
    assert second.end.spent == pytest.approx(paid + reserved + paid / 2, rel=0.05)


def test_other_settings_are_refused_with_what_differs(bench: Bench) -> None:
    bench.run("glm", [EMPTY])
    with pytest.raises(ProviderError, match=r"settings: .*'temperature': 0\.0.*'temperature': 0\.7"):
        bench.run("glm", [EMPTY], settings=replace(QUICK, temperature=0.7))
    bench.run("glm", [EMPTY], settings=replace(QUICK, concurrency=7), budget=3.0)


def test_two_runs_into_one_folder_are_refused(bench: Bench, tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "run", {"a": 1}, Scrubber({})),
        pytest.raises(ProviderError, match="written to by another run"),
    ):
        Journal(tmp_path / "run", {"a": 1}, Scrubber({}))
    Journal(tmp_path / "run", {"a": 1}, Scrubber({})).__exit__()


def test_the_budget_stops_before_the_request_that_could_exceed_it(bench: Bench) -> None:
    family = Toy(count=20)
    table = bench.priced("minimax", "MiniMax-M3")
    off = replace(QUICK, thinking="off")
    asked = bench.run(
        "minimax", scripted({"tools": family}, "perfect"), family=family, table=table, settings=off, budget=0.0004
    )
    assert 0 < asked.end.samples < 20
    assert "budget of 0.0004 USD does not hold another request" in asked.end.stopped
    assert asked.end.spent <= 0.0004
    more = bench.run(
        "minimax", scripted({"tools": family}, "perfect"), family=family, table=table, settings=off, budget=1.0
    )
    assert (more.end.samples, more.end.stopped) == (20, "")
    assert more.end.calls + asked.end.calls == 20


def test_requests_under_way_count_towards_the_budget(bench: Bench) -> None:
    """A vendor that bills all it may, asked by many at once, still never exceeds the budget."""
    family, lock = Toy(count=20), threading.Lock()
    billed = 0.0

    def greedy(body: dict[str, Any], _: object) -> Served:
        nonlocal billed
        said = completion(Reply("1"))
        tokens_in = len(body["messages"][-1]["content"].encode())
        said["usage"] = {"prompt_tokens": tokens_in, "completion_tokens": body["max_tokens"], "total_tokens": 0}
        with lock:
            billed += (tokens_in + 10 * body["max_tokens"]) / 1e6
        return Served(said, pause_s=0.01)

    table = bench.priced("minimax", "MiniMax-M3")
    asked = bench.run(
        "minimax",
        greedy,
        family=family,
        table=table,
        budget=0.002,
        settings=replace(QUICK, thinking="off", concurrency=8),
    )
    assert asked.end.stopped
    assert asked.end.spent == pytest.approx(billed)
    assert billed <= 0.002


def test_an_answer_that_does_not_say_its_usage_counts_in_full(bench: Bench) -> None:
    said = completion(Reply("1"))
    del said["usage"]
    asked = bench.run("glm", [Served(said)], table=bench.priced("glm", "glm-5.3"))
    assert asked.end.spent == asked.found.calls[1]["sent"]["reserved"] > 0


def test_thinking_is_counted_and_priced(bench: Bench) -> None:
    details = {"completion_tokens": 500, "total_tokens": 600, "completion_tokens_details": {"reasoning_tokens": 450}}
    said = completion(Reply("1"), prompt_tokens=100, **details)
    asked = bench.run("glm", [Served(said)], table=bench.priced("glm", "glm-5.3"))
    assert asked.end.spent == pytest.approx((100 * 1 + 500 * 10) / 1e6)


def test_a_stream_is_timed_and_billed(bench: Bench) -> None:
    def script(body: dict[str, Any], _: object) -> Served:
        return streamed(["1 ", "2 ", "3 "], 0.02) if body.get("stream") else Served(completion(Reply("1")))

    table = bench.priced("glm", "glm-5.3")
    asked = bench.run("glm", script, settings=replace(QUICK, probes=2), table=table)
    probes = [e["answered"] for e in asked.found.calls.values() if e["sent"]["kind"] == "probe"]
    assert len(probes) == 2
    assert all(p["first_token_s"] >= 0.02 and 0 < p["tokens_per_s"] < 100 for p in probes)
    assert probes[0]["cost"] == pytest.approx((20 + 3 * 10) / 1e6)
    assert asked.requests[0]["stream_options"] == {"include_usage": True}
    again = bench.run("glm", script, settings=replace(QUICK, probes=2), table=table)
    assert again.requests == []


def test_a_stream_that_says_no_balance_stops(bench: Bench) -> None:
    asked = bench.run("glm", [EMPTY], settings=replace(QUICK, probes=2))
    assert len(asked.requests) == 1
    assert "1113" in asked.end.stopped


def test_a_stream_with_an_error_in_it_measures_nothing(bench: Bench) -> None:
    def script(body: dict[str, Any], _: object) -> Served:
        if body.get("stream"):
            return Served(
                chunks=({"id": "x", "choices": [], "base_resp": {"status_code": 1002, "status_msg": "rate"}},)
            )
        return Served(completion(Reply("1")))

    asked = bench.run("minimax", script, settings=replace(QUICK, probes=1))
    assert asked.found.calls[1]["trouble"]["code"] == "1002"
    assert asked.outcomes == ["pass"]


def test_an_interrupt_leaves_a_folder_that_goes_on(bench: Bench) -> None:
    class Interrupting(Toy):
        interrupt = True

        def score(self, item: Item, reply: Reply) -> Verdict:
            if self.interrupt and item.id.endswith("1"):
                os.kill(os.getpid(), 2)
            return super().score(item, reply)

    family = Interrupting(count=4)
    perfect = scripted({"tools": family}, "perfect")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            bench.run("glm", perfect, family=family)
    finally:
        signal.signal(signal.SIGINT, before)
    family.interrupt = False
    again = bench.run("glm", perfect, family=family)
    assert again.outcomes == [Outcome.PASS] * 4
