"""A model's answer to a coding task: whole files or search/replace blocks, each under its path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..text import Block, blocks

SEARCH, MIDDLE, REPLACE = "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"
FORM = f"""Answer with the files that you change, each in a fenced block under a line with its path. A block holds
either the whole new file, or one or more replacements of the form

path/of/file.py
```python
{SEARCH}
lines as they stand in the file
{MIDDLE}
lines to put in their place
{REPLACE}
```

The lines to search for have to occur exactly once. Touch no file but the allowed ones."""

_PATH = re.compile(r"(?<![\w./\\~:-])((?:[A-Za-z]:)?[~./\\]*[\w.-]+(?:[/\\]+[\w.-]+)*\.[A-Za-z]\w{0,4})(?![\w/\\])")
_SAFE = re.compile(r"[A-Za-z_]\w*(?:/[A-Za-z_]\w*)*\.py")


class AnswerError(ValueError):
    """An answer that cannot be applied; the message says why."""


@dataclass(frozen=True)
class Edit:
    """The new text of a file, or what of it is to be replaced."""

    path: str
    whole: str | None
    replacements: tuple[tuple[str, str], ...] = ()


def edits(text: str, allowed: Sequence[str]) -> list[Edit]:
    """The edits of an answer. Blocks without a path are explanation, unless one file alone may be touched.

    Raises :class:`AnswerError` for none, for a block that is malformed and for a path that may not be touched.
    """
    found: list[Edit] = []
    every = blocks(text)
    for block in every:
        path, body = _path(block)
        if not path and (SEARCH in body or len(every) == 1) and len(allowed) == 1:
            path = allowed[0]
        if not path:
            if SEARCH in body:
                raise AnswerError("a search/replace block has no path")
            continue
        if not _SAFE.fullmatch(path) or path not in allowed:
            raise AnswerError(f"{path[:80]} may not be touched; allowed: {', '.join(allowed)}")
        found.append(Edit(path, None, tuple(_replacements(body))) if SEARCH in body else Edit(path, body))
    if not found:
        raise AnswerError("there is no fenced block under the path of an allowed file")
    return found


def applied(edits: Sequence[Edit], repository: Mapping[str, str]) -> dict[str, str]:
    """The repository after the edits. Raises :class:`AnswerError` where a text to replace is not there once."""
    files = dict(repository)
    for edit in edits:
        if edit.whole is not None:
            files[edit.path] = edit.whole
        for old, new in edit.replacements:
            files[edit.path] = _replaced(files.get(edit.path, ""), old, new, edit.path)
    return files


def _path(block: Block) -> tuple[str, str]:
    """(the path that a block is for or nothing, its text without it)."""
    first, _, rest = block.body.partition("\n")
    for line in (block.info.replace("=", " ").replace(":", " "), block.before):
        named = _PATH.findall(line.strip("*#`: "))
        if len(named) == 1:
            if first.strip() == named[0]:
                return named[0], rest
            return named[0], block.body
    bare = first.strip()
    if _PATH.fullmatch(bare):
        return bare, rest
    if bare.startswith("#") and _PATH.fullmatch(bare.lstrip("# ")):
        return bare.lstrip("# "), block.body
    return "", block.body


def _replacements(body: str) -> Iterator[tuple[str, str]]:
    old: list[str] = []
    new: list[str] = []
    into: list[str] | None = None
    for line in body.splitlines():
        mark = line.strip()
        if mark == SEARCH and into is None:
            old, new = [], []
            into = old
        elif mark == MIDDLE and into is old:
            into = new
        elif mark == REPLACE and into is new:
            yield "\n".join(old), "\n".join(new)
            into = None
        elif into is not None:
            into.append(line)
        elif mark:
            raise AnswerError(f"a line between search/replace blocks: {mark[:60]!r}")
    if into is not None:
        raise AnswerError("a search/replace block is not closed")


def _replaced(text: str, old: str, new: str, path: str) -> str:
    """A text with some lines of it replaced; blanks at the ends of lines do not count."""
    lines, wanted = text.splitlines(), [line.rstrip() for line in old.splitlines()]
    if not any(wanted):
        raise AnswerError(f"{path}: there is nothing to search for")
    stripped = [line.rstrip() for line in lines]
    at = [k for k in range(len(lines) - len(wanted) + 1) if stripped[k : k + len(wanted)] == wanted]
    if len(at) != 1:
        raise AnswerError(f"{path}: the lines to replace occur {len(at)} times: {wanted[0].strip()[:60]!r}")
    return "\n".join([*lines[: at[0]], *new.splitlines(), *lines[at[0] + len(wanted) :]]) + "\n"
