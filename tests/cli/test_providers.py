"""``waytrace providers``: what is said, what is sent, and with what code it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from waytrace.cli import main
from waytrace.providers.stand_in import Served, scripted, serving

from ..providers.toy import Toy

KNOWN = {"tools": Toy(count=5)}


@pytest.fixture(autouse=True)
def _apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("waytrace.providers.families", lambda: KNOWN)
    for key in ("ZAI_API_KEY", "ZHIPUAI_API_KEY", "MINIMAX_API_KEY", "ARK_API_KEY", "WAYTRACE_PROVIDER_API_KEY"):
        monkeypatch.delenv(key, raising=False)


def _json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return record


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers", "list", "--json"]) == 0
    listed = {row["name"]: row for row in _json(capsys)["providers"]}
    assert set(listed) == {"glm", "minimax", "doubao"}
    assert "mlg" in listed["glm"]["aliases"]
    assert not any(row["key_set"] for row in listed.values())


def test_run_then_report_then_again(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(scripted(KNOWN, "perfect")) as url:
        run = ["providers", "run", "--provider", url, "--model", "m", "--epochs", "2", "--out", "run", "--json"]
        assert main(run) == 0
        first = _json(capsys)
        assert (first["mode"], first["samples"], first["of"], first["stopped"]) == ("dry-run", 10, 10, "")
        assert main(run) == 0
    assert main(["providers", "report", "run", "--json"]) == 0
    record = _json(capsys)
    assert (record["live"], record["dry_run"]) == (0, 1)
    assert record["headline"].startswith("Provisional, from documents")
    page = Path(record["report"]).read_text()
    assert "Dry runs: no provider answered these" in page
    assert Path(record["markdown"]).is_file()


def test_a_report_of_nothing_says_what_was_not_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers", "report"]) == 0
    assert "not run (ZAI_API_KEY unset)" in Path("out/providers-report/providers.md").read_text()


def test_a_run_that_stops_ends_with_1_and_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    no_balance = Served({"error": {"code": "1113", "message": "no balance"}}, 429)
    with serving(lambda *_: no_balance) as url:
        assert main(["providers", "run", "--provider", "glm", "--endpoint", url, "--out", "run"]) == 1
    said = capsys.readouterr().out
    assert "Stopped: glm says: HTTP 429, code 1113, no balance. Repeat the command to go on." in said


def test_a_plan_sends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers", "run", "--provider", "glm", "--plan", "--json"]) == 0
    record = _json(capsys)
    assert record["requests"] == 5 * 3 + 3
    assert 0 < record["likely"] < record["most"]


def test_more_than_the_budget_is_not_begun(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZAI_API_KEY", "a-key-that-is-not-used")
    monkeypatch.setattr("waytrace.providers.run_target", lambda *a, **k: pytest.fail("it was run"))
    assert main(["providers", "run", "--provider", "glm", "--budget", "0.01"]) == 2
    assert "the budget is 0.01: nothing was sent" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--provider", "glm", "--family", "poems"], "no family 'poems'. There are: tools."),
        (["--provider", "glm", "--limit", "0"], "--limit is a number of items, 1 or more."),
        (["--provider", "glm", "--epochs", "0"], "epochs is 0; it has to be 1 or more."),
        (["--provider", "glm", "--temperature", "3"], "The temperature is 3.0; it lies between 0 and 2."),
        (["--provider", "glm", "--thinking", "off"], "glm-5.3 always thinks: there is low, high, max"),
        (["--provider", "glm", "--model", "GLM-5.3"], "case-sensitive: glm-5.3"),
        (["--provider", "glm", "--endpoint", "mars"], "There are: international, china"),
        (["--provider", "glm", "--endpoint", "china"], "No price is known of glm-5.3 by glm in region china"),
        (["--provider", "glm", "--table", "none.toml"], "none.toml could not be read"),
        (["--provider", "https://8.8.8.8/v1", "--model", "m"], "No price is known of m by 8.8.8.8"),
        (["--provider", "http://127.0.0.1:9/v1"], "Which model"),
        (["--provider", "ftp://127.0.0.1/v1"], "no http(s) URL"),
    ],
)
def test_bad_input_is_one_line_and_2(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers", "run", *arguments]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said
    assert not Path("out").exists()


def test_a_report_of_what_is_no_run_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert main(["providers", "report", "empty"]) == 2
    assert "empty holds no finished provider run" in capsys.readouterr().err


def test_prices_are_shown_and_checked(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["providers", "prices"]) == 0
    assert "MiniMax-M3" in capsys.readouterr().out
    old = Path("old.toml")
    old.write_text('[[rate]]\ncurrency = "CNY"\nusd = 0.14\nchecked_on = 2020-01-01\nsource = "x"\nstatus = "vendor"\n')
    assert main(["providers", "prices", "check", "--table", str(old)]) == 1
    assert "Too old to decide:" in capsys.readouterr().out
    assert main(["providers", "prices", "show", "--table", str(old)]) == 0


def test_without_the_extra_all_but_a_run_works(tmp_path: Path) -> None:
    """In a process where neither Inspect AI nor the OpenAI client can be imported."""
    script = (
        "import sys\n"
        "class Gone:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name.split('.')[0] in ('inspect_ai', 'openai', 'httpx2'): raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Gone())\n"
        "import importlib.util\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda n, *a: None if n in ('inspect_ai', 'openai') else find(n, *a)\n"
        "from waytrace.cli import main\n"
        "asked = (['list'], ['prices'], ['report'], ['run', '--provider', 'glm', '--plan'],\n"
        "         ['run', '--provider', 'http://127.0.0.1:9/v1', '--model', 'm', '--family', 'refusal'])\n"
        "codes = [main(['providers', *a]) for a in asked]\n"
        "print(codes)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "[0, 0, 0, 0, 2]", done.stdout + done.stderr
    assert "not installed: pip install 'waytrace[providers]'" in done.stderr
