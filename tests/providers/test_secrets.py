"""A key is sent to its vendor and stands nowhere else: not in files, not in what is said, not in errors."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from waytrace.cli import main
from waytrace.providers import endpoint_of, load_book
from waytrace.providers.run import NO_KEY, Target, key_for
from waytrace.providers.secrets import Scrubber, key_of, scrubber
from waytrace.providers.stand_in import Served, completion, scripted

from .conftest import QUICK, Bench
from .toy import Toy

CANARY = "sk-canary-0123456789abcdef"


@pytest.fixture
def _canary(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ZAI_API_KEY", "MINIMAX_API_KEY", "ARK_API_KEY", "WAYTRACE_PROVIDER_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, CANARY)


def _everything(folder: Path) -> str:
    return "\n".join(p.read_text() for p in folder.rglob("*") if p.is_file())


@pytest.mark.usefixtures("_canary")
def test_no_real_key_goes_to_this_machine(bench: Bench) -> None:
    bench.run("glm", scripted({"tools": Toy(count=1)}, "perfect"))
    assert bench.headers[0]["authorization"] == f"Bearer {NO_KEY}"
    assert CANARY not in str(bench.headers)


@pytest.mark.usefixtures("_canary")
@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_vendor_that_echoes_the_key_does_not_get_it_written(status: int, bench: Bench, monkeypatch: Any) -> None:
    """As live: the real key is sent. The vendor puts it into its error, its answer, its headers and its id."""
    monkeypatch.setattr("waytrace.providers.run.key_for", lambda target: CANARY)
    answer = completion(Toy(count=1).scripted(Toy(count=1).items()[0], "poor"))
    answer["choices"][0]["message"]["content"] = f"your key is {CANARY}"
    answer |= {"id": CANARY, f"x-{CANARY}": {"deep": [f"Bearer {CANARY}"]}}
    error = {"error": {"code": CANARY, "message": f"wrong key {CANARY}, Authorization: Bearer {CANARY}"}}
    asked = bench.run("glm", [Served(answer if status == 200 else error, status, {"X-Key": CANARY})])
    assert bench.headers[0]["authorization"] == f"Bearer {CANARY}"
    written = _everything(asked.folder)
    assert CANARY not in written
    assert "[ZAI_API_KEY]" in written or "[ARK_API_KEY]" in written
    assert CANARY not in str(asked.end)


def test_the_key_of_an_endpoint_by_url_is_not_written_either(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYTRACE_PROVIDER_API_KEY", CANARY)
    monkeypatch.setattr("waytrace.providers.run.key_for", lambda target: CANARY)
    asked = bench.run(bench.url, [Served({"error": {"code": "x", "message": CANARY}}, 400)], model="m")
    assert bench.headers[0]["authorization"] == f"Bearer {CANARY}"
    assert CANARY not in _everything(asked.folder)
    assert "[WAYTRACE_PROVIDER_API_KEY]" in _everything(asked.folder)


@pytest.mark.usefixtures("_canary")
def test_a_run_that_stops_does_not_say_the_key(bench: Bench, monkeypatch: Any) -> None:
    monkeypatch.setattr("waytrace.providers.run.key_for", lambda target: CANARY)
    error = {"error": {"code": "1113", "message": f"no balance for {CANARY}"}}
    asked = bench.run("glm", [Served(error, 429)])
    assert asked.end.stopped
    assert CANARY not in asked.end.stopped
    assert CANARY not in _everything(asked.folder)


@pytest.mark.usefixtures("_canary")
def test_the_list_says_that_a_key_is_set_and_not_which(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers", "list", "--json"]) == 0
    said = capsys.readouterr()
    assert "ZAI_API_KEY is set" in said.err
    assert CANARY not in said.out + said.err


@pytest.mark.parametrize("url", [f"http://user:{CANARY}@127.0.0.1/v1", f"https://example.com/v1?key={CANARY}"])
def test_a_key_in_a_url_is_refused_and_not_repeated(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers", "run", "--provider", url, "--model", "m"]) == 2
    said = capsys.readouterr()
    assert "a key belongs in WAYTRACE_PROVIDER_API_KEY" in said.err
    assert CANARY not in said.out + said.err


def test_the_first_variable_that_is_set_holds_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    glm = load_book().provider("glm")
    assert key_of(glm) is None
    monkeypatch.setenv("ZHIPUAI_API_KEY", "second")
    assert key_of(glm) == ("ZHIPUAI_API_KEY", "second")
    monkeypatch.setenv("ZAI_API_KEY", " first\n")
    assert key_of(glm) == ("ZAI_API_KEY", "first")


def test_an_endpoint_by_url_gets_the_key_that_was_set_for_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    monkeypatch.setenv("WAYTRACE_PROVIDER_API_KEY", "for-this-one")
    row = load_book().provider("https://8.8.8.8/v1")
    target = Target(row, row.models[0] if row.models else _model(), endpoint_of(row, None), {}, QUICK)
    assert target.mode == "live"
    assert key_for(target) == "for-this-one"


def _model() -> Any:
    from waytrace.providers import Model

    return Model(id="m")


@pytest.mark.parametrize(
    "said",
    [
        "Authorization: Bearer abcdefgh12345",
        'api_key="abcdefgh12345"',
        "api-key: abcdefgh12345",
        f"key {CANARY} twice {CANARY}",
    ],
)
def test_what_looks_like_a_key_is_taken_out_too(said: str) -> None:
    scrub = Scrubber({"A": CANARY})
    assert "abcdefgh12345" not in scrub.text(said)
    assert CANARY not in scrub.text(said)


def test_a_longer_key_is_not_left_over_from_a_shorter_one() -> None:
    scrub = Scrubber({"SHORT": "abcd", "LONG": "abcdefgh"})
    assert scrub.text("x abcdefgh y abcd") == "x [LONG] y [SHORT]"
    assert scrub.json({"abcd": ["abcdefgh", 1, None, {"k": "abcd"}]}) == {
        "[SHORT]": ["[LONG]", 1, None, {"k": "[SHORT]"}]
    }


def test_keys_that_are_encoded_are_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZAI_API_KEY", "id.secret/with+signs")
    scrub = scrubber(load_book().providers)
    for form in ("id.secret%2Fwith%2Bsigns", base64.b64encode(b"id.secret/with+signs").decode()):
        assert form not in scrub.text(f"seen {form} here")
