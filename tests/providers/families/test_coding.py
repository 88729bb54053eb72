"""The coding family: answers are read with patience and applied with none; checks are hidden and hold what they say."""

from __future__ import annotations

import json

import pytest

from waytrace.providers import isolation
from waytrace.providers.families import Outcome, Reply
from waytrace.providers.families.coding import Coding
from waytrace.providers.families.coding.answer import AnswerError, applied, edits
from waytrace.providers.families.coding.family import judge
from waytrace.providers.families.coding.task import Task, read_task, tasks
from waytrace.providers.isolation import Ran

ALLOWED = ("planner/a.py", "planner/b.py")
REPOSITORY = {"planner/a.py": "x = 1\ny = 2\nz = 1\n", "planner/b.py": "b = 0\n", "planner/c.py": "c = 0\n"}
WHOLE = "```python\nx = 5\n```"
REPLACE = "<<<<<<< SEARCH\ny = 2\n=======\ny = 3\nw = 4\n>>>>>>> REPLACE"


@pytest.fixture
def walls() -> None:
    try:
        isolation.available()
    except isolation.IsolationError as error:
        pytest.skip(str(error))


def test_there_are_twelve_with_sixty_checks_of_both_kinds() -> None:
    found = tasks()
    assert len(found) == 12
    assert sum(len(task.checks) for task in found) == 60
    for task in found:
        assert {check.kind for check in task.checks} == {"fail", "pass"}
        assert len({check.name for check in task.checks}) == len(task.checks)
        assert set(task.allowed) <= set(task.repository)


@pytest.mark.parametrize("task", tasks(), ids=lambda task: task.id)
def test_before_the_change_exactly_the_checks_of_the_change_fail(task: Task, walls: None) -> None:
    ran = isolation.run(task.repository, [check.probe for check in task.checks])
    held = judge(task, ran).details["checks"]
    assert held == {check.name: check.kind == "pass" for check in task.checks}
    assert ran.attempts == ()


def test_nothing_hidden_is_shown() -> None:
    for item, task in zip(Coding().items(), tasks(), strict=True):
        shown = " ".join(message.content for message in item.prompt) + json.dumps(dict(item.meta))
        for check in task.checks:
            assert check.probe not in shown


@pytest.mark.parametrize(
    "text",
    [
        f"planner/a.py\n{WHOLE}",
        f"Here it is.\n\n### `planner/a.py`\n\n{WHOLE}\nDone.",
        f"**planner/a.py**\n{WHOLE}",
        f"File: planner/a.py:\n{WHOLE}",
        "```python planner/a.py\nx = 5\n```",
        "```python:planner/a.py\nx = 5\n```",
        '```python title="planner/a.py"\nx = 5\n```',
        "```python\nplanner/a.py\nx = 5\n```",
        "~~~~python planner/a.py\nx = 5\n~~~~",
        f"First an example:\n```python\nprint(1)\n```\nNow planner/a.py:\n{WHOLE}",
    ],
)
def test_whole_files_are_found_however_they_are_headed(text: str) -> None:
    assert applied(edits(text, ALLOWED), REPOSITORY)["planner/a.py"] == "x = 5\n"


def test_a_comment_with_the_path_stays_in_the_file() -> None:
    changed = applied(edits("```python\n# planner/a.py\nx = 5\n```", ALLOWED), REPOSITORY)
    assert changed["planner/a.py"] == "# planner/a.py\nx = 5\n"


@pytest.mark.parametrize(
    "text",
    [f"planner/a.py\n```python\n{REPLACE}\n```", f"```\nplanner/a.py\n{REPLACE.replace('y = 2', 'y = 2  ')}\n```"],
)
def test_replacements_change_what_they_name_and_nothing_else(text: str) -> None:
    assert applied(edits(text, ALLOWED), REPOSITORY) == REPOSITORY | {"planner/a.py": "x = 1\ny = 3\nw = 4\nz = 1\n"}


def test_the_only_allowed_file_needs_no_path() -> None:
    assert applied(edits(WHOLE, ALLOWED[:1]), REPOSITORY)["planner/a.py"] == "x = 5\n"
    with pytest.raises(AnswerError, match="no fenced block"):
        edits(WHOLE, ALLOWED)


@pytest.mark.parametrize(
    "path",
    [
        "planner/c.py", "../planner/a.py", "/etc/passwd.py", "planner/../planner/a.py", "planner//a.py",
        "./planner/a.py", "planner\\a.py", "C:\\planner\\a.py", "~/planner/a.py", "tests/test_a.py", "planner/a.pyc",
        "setup.cfg", "sitecustomize.py", "planner/__init__.py",
    ],
)  # fmt: skip
def test_no_other_path_is_touched(path: str) -> None:
    for text in (f"{path}\n{WHOLE}", f"planner/a.py\n{WHOLE}\n\n### `{path}`\n{WHOLE}", f"{path}\n```\n{REPLACE}\n```"):
        with pytest.raises(AnswerError, match="may not be touched"):
            edits(text, ALLOWED)


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ("<<<<<<< SEARCH\nq = 9\n=======\nq = 1\n>>>>>>> REPLACE", "occur 0 times"),
        ("<<<<<<< SEARCH\n\n=======\nq = 1\n>>>>>>> REPLACE", "nothing to search for"),
        ("<<<<<<< SEARCH\nx = 1\n=======\nx = 2", "not closed"),
        ("<<<<<<< SEARCH\nx = 1\n>>>>>>> REPLACE", "not closed"),
        (f"{REPLACE}\nx = 7\n{REPLACE}", "between search/replace blocks"),
    ],
)
def test_blocks_that_do_not_fit_are_refused(block: str, why: str) -> None:
    with pytest.raises(AnswerError, match=why):
        applied(edits(f"planner/a.py\n```python\n{block}\n```", ALLOWED), REPOSITORY)


def test_lines_that_occur_twice_are_not_replaced() -> None:
    block = "<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE"
    with pytest.raises(AnswerError, match="occur 2 times"):
        applied(edits(f"planner/a.py\n```\n{block}\n```", ALLOWED), {"planner/a.py": "x = 1\nx = 1\n"})


MALICE = {
    "network": "import socket\ntry:\n    socket.create_connection(('192.0.2.1', 80), 1)\nexcept OSError:\n    pass\n",
    "environment": "import os\nKEY = os.environ.get('ZAI_API_KEY', '')\n",
    "process": "import os\nif os.fork() == 0:\n    os._exit(0)\n",
    "write": "try:\n    open('/tmp/stolen', 'w').write('x')\nexcept OSError:\n    pass\n",
    "read": "try:\n    open('/etc/shadow').read()\nexcept OSError:\n    pass\n",
}


@pytest.mark.parametrize("kind", MALICE)
def test_a_right_answer_that_tries_to_get_out_fails_and_is_reported(kind: str, walls: None) -> None:
    family = Coding()
    item = next(item for item in family.items() if item.id.endswith("speed-profile"))
    right = family.scripted(item, "perfect").text
    bad = right.replace('"""Speeds along a route."""\n', '"""Speeds along a route."""\n\n' + MALICE[kind])
    assert bad != right
    verdict = family.score(item, Reply(bad))
    assert (verdict.outcome, verdict.score) == (Outcome.FAIL, 0.0)
    assert all(verdict.details["checks"].values())
    assert any(attempt.startswith(kind) for attempt in verdict.details["attempts"])


FORGERY = """
import json, os
for fd in range(3, 10):
    for probe in range(10):
        for value in (True, None, 0, []):
            try:
                os.write(fd, (json.dumps({"probe": probe, "value": value}) + "\\n").encode())
            except OSError:
                pass
os.write(3, b'{"end": true}\\n')
os._exit(0)
"""


def test_answers_that_print_results_do_not_pass(walls: None) -> None:
    family = Coding()
    for item, task in zip(family.items(), tasks(), strict=True):
        path = task.allowed[0]
        assert family.score(item, Reply(f"{path}\n```python\n{FORGERY}```")).outcome is Outcome.FAIL


def test_a_slow_answer_is_a_failure_with_its_reason(walls: None, monkeypatch: pytest.MonkeyPatch) -> None:
    family = Coding()
    item = family.items()[0]
    monkeypatch.setattr(isolation.Limits, "__init__", lambda self: object.__setattr__(self, "wall_s", 1.0))
    for name, value in {"cpu_s": 5, "memory_bytes": 1 << 28, "processes": 8, "disk_bytes": 1 << 24}.items():
        monkeypatch.setattr(isolation.Limits, name, value)
    path = tasks()[0].allowed[0]
    verdict = family.score(item, Reply(f"{path}\n```python\nimport time\ntime.sleep(30)\n```"))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.details["ended"] == "wall limit"


def test_half_of_the_checks_is_no_pass() -> None:
    task = tasks()[0]
    right = {k: check.expected for k, check in enumerate(task.checks)}
    assert judge(task, Ran(right, {}, (), "done", "unshare")).outcome is Outcome.PASS
    part = judge(task, Ran({k: right[k] for k in range(3)}, {3: "ZeroDivisionError: x"}, (), "done", "unshare"))
    assert (part.outcome, part.score) == (Outcome.FAIL, 0.6)
    assert part.details["errors"] == {task.checks[3].name: "ZeroDivisionError: x"}
    assert judge(task, Ran(right, {}, (), "exit 0", "unshare")).outcome is Outcome.FAIL
    assert judge(task, Ran(right, {}, ("network: socket.connect",), "done", "unshare")).score == 0.0


def test_without_isolation_nothing_is_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> str:
        raise isolation.IsolationError("no means")

    monkeypatch.setattr("waytrace.providers.isolation.sandbox.available", refuse)
    family = Coding()
    item = family.items()[0]
    with pytest.raises(isolation.IsolationError):
        family.score(item, family.scripted(item, "perfect"))


def test_a_task_file_with_a_part_missing_is_named() -> None:
    with pytest.raises(ValueError, match="task x lacks Solution"):
        read_task("x", "# t\n\nAllowed: a.py\n\n## Issue\n\n## Repository\n\n## Checks\n\n## Tempting\n")
