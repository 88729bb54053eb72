"""What the documents tell a reader to type is typed here: ``console`` and ``python`` blocks, in order.

A block after the line ``<!-- slow -->`` runs in the slow tier; one after ``<!-- not run: reason -->`` does not run. In
a document with slow blocks all blocks run in the slow tier, since later ones may need what earlier ones leave.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]
BLOCK = re.compile(
    r"(?:^<!-- (?P<note>slow|not run: [^\n]+?) -->\n+)?^```(?P<kind>console|python)\n(?P<text>.*?)^```$", re.M | re.S
)
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: what it is, what stands in it, and the note before it."""

    kind: str
    text: str
    note: str

    @property
    def commands(self) -> list[list[str]]:
        """What to run, as argument lists."""
        if self.kind == "python":
            return [[sys.executable, "-W", "error", "-c", self.text]]
        joined = self.text.replace("\\\n", " ")
        return [["bash", "-c", line[2:]] for line in joined.splitlines() if line.startswith("$ ")]


def _blocks(document: Path) -> list[Block]:
    return [Block(m["kind"], m["text"], m["note"] or "") for m in BLOCK.finditer(document.read_text())]


def _cases() -> list[object]:
    cases = []
    for document in DOCUMENTS:
        blocks = [b for b in _blocks(document) if not b.note.startswith("not run")]
        if blocks:
            marks = [pytest.mark.slow] if any(b.note == "slow" for b in blocks) else []
            cases.append(pytest.param(blocks, id=document.relative_to(ROOT).as_posix(), marks=marks))
    return cases


@pytest.mark.parametrize("blocks", _cases())
def test_what_a_document_says_to_type_works(blocks: list[Block], tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for block in blocks:
        for command in block.commands:
            done = subprocess.run(
                command, cwd=tmp_path, env=os.environ | {"PATH": path}, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(document.read_text()):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"
