"""The house stands as its plan says: rooms import downward, files stay small, help is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "waytrace"
ROOMS = sorted(p.parent for p in SOURCE.glob("*/__init__.py"))
HEAVY = ("torch", "numba", "numpy", "scipy", "transformers", "rich", "tyro", "pydantic", "jinja2")


def test_rooms_import_downward_only() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["scenarios", "--help"], ["nonsense"]])
def test_top_level_answers_come_from_a_static_table(arguments: list[str]) -> None:
    script = (
        "import sys\nfrom waytrace.cli import main\nmain(sys.argv[1:])\n"
        f"sys.exit(' '.join(m for m in {HEAVY!r} if m in sys.modules) or 0)"
    )
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"imported: {done.stderr}"


def test_no_file_has_outgrown_one_idea() -> None:
    sizes = {p.relative_to(ROOT).as_posix(): len(p.read_text().splitlines()) for p in SOURCE.rglob("*.py")}
    assert not {name: lines for name, lines in sizes.items() if lines > 400}


@pytest.mark.parametrize("room", ROOMS, ids=lambda p: p.name)
def test_every_room_says_what_is_public(room: Path) -> None:
    tree = ast.parse((room / "__init__.py").read_text())
    targets = [t for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign) for t in _names(node)]
    assert "__all__" in targets
    assert ast.get_docstring(tree)


def _names(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [t.id for t in targets if isinstance(t, ast.Name)]


def test_nothing_loads_pickles() -> None:
    """One restricted importer may come to read them; until it exists nobody does."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            imported = [a.name for a in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            module = node.module if isinstance(node, ast.ImportFrom) else None
            assert not {"pickle", "cloudpickle", "joblib", "dill"} & {*imported, module}, path
