"""Attempts to make a report lie. Every one has to fail."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from waytrace.cli import main
from waytrace.providers import Measured, ProviderError, figures_of, html, load_book, load_run, markdown, report_of
from waytrace.providers.cells import MixedModesError, Shown, Table, percent
from waytrace.providers.endpoint import is_public, mode_of
from waytrace.providers.journal import file_hash
from waytrace.providers.stand_in import Served, scripted

from .conftest import Bench
from .planted import run_of
from .toy import Toy

TODAY = date(2026, 11, 26)


def _edit(folder: Path, name: str, change: Callable[[str], str]) -> None:
    path = folder / name
    before = path.read_text()
    after = change(before)
    assert before != after
    path.write_text(after)


def _seal(folder: Path) -> None:
    """Make the manifest fit the files, as someone would who edits them on purpose."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"] = {name: file_hash(folder / name) for name in manifest["files"]}
    path.write_text(json.dumps(manifest))


@pytest.fixture
def dry(bench: Bench) -> Path:
    """A finished dry run of a poor model."""
    family = Toy(count=12)
    return bench.run("glm", scripted({"tools": family}, "poor"), family=family).folder


KNOWN = {"tools": Toy(count=12)}


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/v1", "https://127.0.0.1/v1", "https://localhost/v1", "https://localhost./v1",
        "https://api.localhost/v1", "https://[::1]/v1", "https://[::ffff:127.0.0.1]/v1", "https://127.1/v1",
        "https://2130706433/v1", "https://0x7f000001/v1", "https://0.0.0.0/v1", "https://10.0.0.7/v1",
        "https://192.168.1.2/v1", "https://169.254.169.254/v1", "https://[fe80::1]/v1", "http://api.z.ai/v1",
        "http://8.8.8.8/v1",
    ],
)  # fmt: skip
def test_what_answers_here_is_a_dry_run_however_it_is_spelled(url: str) -> None:
    assert mode_of(url) == "dry-run"


def test_a_vendors_name_that_leads_here_is_a_dry_run(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", ("8.8.8.8", 0)), (2, 1, 6, "", ("127.0.0.1", 0))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: found)
    assert mode_of("https://api.z.ai/api/paas/v4") == "dry-run"
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: found[:1])
    assert mode_of("https://api.z.ai/api/paas/v4") == "live"


def test_a_live_run_whose_answers_come_from_here_stops_at_the_first(bench: Bench, monkeypatch: Any) -> None:
    """As a proxy on this machine, or a name that resolves otherwise a moment later, would have it."""
    monkeypatch.setattr("waytrace.providers.run.mode_of", lambda base: "live")
    monkeypatch.setenv("ZAI_API_KEY", "a-key-for-tests")
    family = Toy(count=12)
    table = bench.priced("glm", "glm-5.3")
    asked = bench.run("glm", scripted({"tools": family}, "perfect"), family=family, table=table)
    assert len(asked.requests) == 1
    assert "which is no public one" in asked.end.stopped
    assert asked.found.scores == {}
    with pytest.raises(ProviderError, match="is on this machine"):
        load_run(asked.folder, KNOWN)
    monkeypatch.setattr("waytrace.providers.results.mode_of", lambda base: "live")
    with pytest.raises(ProviderError, match=r"call 1 was answered by 127\.0\.0\.1, which is no vendor's"):
        load_run(asked.folder, KNOWN)


def test_a_dry_run_that_is_renamed_live_is_refused(dry: Path) -> None:
    _edit(dry, "run.json", lambda s: s.replace('"dry-run"', '"live"'))
    with pytest.raises(ProviderError, match="not what the manifest says"):
        load_run(dry, KNOWN)
    _edit(dry, "manifest.json", lambda s: s.replace('"dry-run"', '"live"'))
    _seal(dry)
    with pytest.raises(ProviderError, match="says it is live, but its endpoint"):
        load_run(dry, KNOWN)
    _edit(dry, "run.json", lambda s: s.replace("http://127.0.0.1", "https://8.8.8.8"))
    _seal(dry)
    with pytest.raises(ProviderError, match=r"answered by 127\.0\.0\.1, which is no vendor's"):
        load_run(dry, KNOWN)


def test_an_edited_score_is_refused_even_with_the_manifest_made_to_fit(dry: Path) -> None:
    _edit(dry, "scores.jsonl", lambda s: s.replace('"outcome":"fail","score":0.0', '"outcome":"pass","score":1.0', 1))
    with pytest.raises(ProviderError, match=r"scores\.jsonl is not what the manifest says"):
        load_run(dry, KNOWN)
    _seal(dry)
    with pytest.raises(ProviderError, match=r"it says pass 1\.0, the scorer says fail 0\.0"):
        load_run(dry, KNOWN)


def test_a_failure_cannot_be_called_the_vendors_fault(dry: Path) -> None:
    _edit(dry, "scores.jsonl", lambda s: s.replace('"outcome":"fail"', '"outcome":"infrastructure"', 1))
    _seal(dry)
    with pytest.raises(ProviderError, match="it is called infrastructure, and its call says something else"):
        load_run(dry, KNOWN)


def test_a_score_without_a_call_is_refused(dry: Path) -> None:
    def invent(text: str) -> str:
        row = json.loads(text.splitlines()[0])
        return text + json.dumps(row | {"call": 999, "outcome": "pass", "score": 1.0}) + "\n"

    _edit(dry, "scores.jsonl", invent)
    _seal(dry)
    with pytest.raises(ProviderError, match="its score has no call behind it"):
        load_run(dry, KNOWN)


@pytest.mark.parametrize("field", ['"item":"tools/00"', '"epoch":0'])
def test_a_score_of_what_was_not_asked_is_refused(field: str, dry: Path) -> None:
    other = {'"item":"tools/00"': '"item":"tools/99"', '"epoch":0': '"epoch":5'}[field]
    _edit(dry, "scores.jsonl", lambda s: s.replace(field, other, 1))
    _seal(dry)
    with pytest.raises(ProviderError, match="the run did not ask this"):
        load_run(dry, KNOWN)


def test_a_call_without_a_beginning_or_another_request_is_refused(dry: Path) -> None:
    _edit(dry, "requests.jsonl", lambda s: s.replace("What is", "Say what is", 1))
    _seal(dry)
    with pytest.raises(ProviderError, match=r"request \w+ was edited"):
        load_run(dry, KNOWN)
    _edit(dry, "calls.jsonl", lambda s: s.replace('"event":"sent"', '"event":"dreamt"', 1))
    _seal(dry)
    with pytest.raises(ProviderError, match="an end and no beginning"):
        load_run(dry, KNOWN)


def test_a_run_that_is_not_finished_or_none_is_refused(dry: Path, tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="holds no finished provider run"):
        load_run(tmp_path / "nothing", KNOWN)
    (dry / "manifest.json").unlink()
    with pytest.raises(ProviderError, match="It was cut off: repeat its command"):
        load_run(dry, KNOWN)


def test_another_version_of_a_family_is_refused(dry: Path) -> None:
    newer = Toy(count=12)
    newer.version = "toy-2"
    with pytest.raises(ProviderError, match="scored by version toy-1 of tools, and here is toy-2"):
        load_run(dry, {"tools": newer})


def test_a_bare_number_is_no_cell(dry: Path) -> None:
    for value in (0.97, 1, "97 %", None):
        with pytest.raises(TypeError, match="no measured figure"):
            Table("t", "live", ["model"], [[value]])  # type: ignore[list-item]


def test_live_and_dry_figures_never_share_a_table(dry: Path) -> None:
    here = figures_of(load_run(dry, KNOWN)).served
    there = figures_of(run_of("a", {"tools/00": 1.0}, mode="live")).served
    assert here
    assert there
    for mode in ("live", "dry-run"):
        with pytest.raises(MixedModesError):
            Table("t", mode, ["a", "b"], [[Shown(here, percent), Shown(there, percent)]])
    with pytest.raises(MixedModesError):
        Table("facts", None, ["a"], [[Shown(here, percent)]])


def test_a_figure_needs_answered_calls(dry: Path) -> None:
    run = load_run(dry, KNOWN)
    for broken in (replace(run, calls=0), run):
        with pytest.raises(ValueError, match="without answered calls"):
            Measured(0.5, broken, 12 if broken.calls == 0 else 0)
    with pytest.raises(ValueError, match="without answered calls"):
        Measured(float("nan"), run, 12)


def test_a_run_that_no_call_answered_shows_no_figure(bench: Bench) -> None:
    asked = bench.run("glm", [Served({"error": {"code": "1210"}}, 400)], family=Toy(count=12))
    run = load_run(asked.folder, KNOWN)
    assert run.complete
    with pytest.raises(ValueError, match="without answered calls"):
        figures_of(run)
    text = markdown(report_of([run], load_book(), TODAY))
    assert "no call was answered" in text


def test_without_a_live_run_there_is_no_recommendation_and_no_rank(dry: Path) -> None:
    report = report_of([load_run(dry, KNOWN)], load_book(), TODAY)
    assert report.headline.startswith("Provisional, from documents")
    assert not report.uses
    assert not report.points
    text = markdown(report)
    live = text.split("## Live runs")[1].split("# Dry runs")[0]
    for name, key in (("glm", "ZAI_API_KEY"), ("minimax", "MINIMAX_API_KEY"), ("doubao", "ARK_API_KEY")):
        assert f"| {name} | not run ({key} unset) |" in live
    rows = [line for line in live.splitlines() if line.startswith(("| glm", "| minimax", "| doubao"))]
    assert len(rows) == 3
    assert not any(re.search(r"\d", row) for row in rows)
    page = html(report)
    assert page.index("Dry runs: no provider answered these") > page.index("Live runs")


def test_a_dry_run_beside_a_live_one_changes_nothing_of_it(dry: Path) -> None:
    live = run_of("glm glm-5.3", {f"tools/{n:02}": float(n % 3 > 0) for n in range(40)}, mode="live")
    alone, beside = (report_of(runs, load_book(), TODAY) for runs in ([live], [live, load_run(dry, KNOWN)]))
    assert (alone.headline, alone.why, alone.uses, alone.points) == (
        beside.headline,
        beside.why,
        beside.uses,
        beside.points,
    )
    assert [t.rows for t in alone.live] == [t.rows for t in beside.live]


def test_without_a_key_the_command_says_what_it_would_cost_and_sends_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("waytrace.providers.families", lambda: {"tools": Toy()})
    monkeypatch.setattr("waytrace.providers.run.run_target", lambda *a, **k: pytest.fail("it was run"))
    for name, key, currency in (
        ("mlg", "ZAI_API_KEY", "USD"),
        ("minmax", "MINIMAX_API_KEY", "USD"),
        ("doubao", "ARK_API_KEY", "CNY"),
    ):
        assert main(["providers", "run", "--provider", name]) == 2
        said = capsys.readouterr().err
        assert f"not run ({key} unset): nothing was sent" in said
        assert f"about {currency} " in said
    assert list(tmp_path.iterdir()) == []


def test_addresses() -> None:
    assert is_public("8.8.8.8")
    assert is_public("2001:4860:4860::8888")
    for address in ("", "nowhere", "127.0.0.1", "::1", "::ffff:10.0.0.1", "fe80::1%eth0", "100.64.0.1", "0.0.0.0"):
        assert not is_public(address)


def test_text_of_a_vendor_cannot_break_out_of_a_page(bench: Bench) -> None:
    family = Toy(count=12)
    said = {"error": {"code": "1113", "message": "<script>alert(1)</script> | x\n# Live runs"}}
    asked = bench.run("glm", [Served(said, 429)], family=family)
    report = report_of([load_run(asked.folder, KNOWN)], load_book(), TODAY)
    assert "<script>" not in html(report)
    assert "<script>" not in markdown(report)
    assert "\n# Live runs" not in markdown(report)
