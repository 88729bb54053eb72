"""What stands in a reply: fenced blocks, and JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from math import isfinite
from typing import Any

MOST_DIGITS = 18

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")


@dataclass(frozen=True)
class Block:
    """A fenced block of Markdown."""

    info: str
    """What stands behind the opening fence."""
    before: str
    """The last line above it that is not empty."""
    body: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a text, in order; one that is not closed ends with the text."""
    found: list[Block] = []
    fence, info, before, body = "", "", "", list[str]()
    last = ""
    for line in text.splitlines():
        match = _FENCE.match(line)
        if fence:
            if match and match[1].startswith(fence) and not match[2].strip():
                found.append(Block(info, before, "\n".join(body) + "\n"))
                fence, last = "", ""
            else:
                body.append(line)
        elif match:
            fence, info, before, body = match[1], match[2].strip(), last, []
        elif line.strip():
            last = line.strip()
    if fence:
        found.append(Block(info, before, "\n".join(body) + "\n"))
    return found


def json_of(text: str) -> Any:
    """The JSON value that a reply is: all of it, its only fenced block, or its only outermost object.

    Raises ``ValueError`` that says what is wrong; NaN, huge numbers and keys given twice are no JSON here.
    """
    fenced = [b.body for b in blocks(text) if b.info.split(" ")[0].lower() in ("", "json", "jsonc")]
    if len(fenced) > 1:
        raise ValueError(f"{len(fenced)} fenced blocks; one JSON value was asked for")
    for candidate in (text, *fenced):
        try:
            return _loads(candidate)
        except json.JSONDecodeError:
            continue
    begin, end = text.find("{"), text.rfind("}")
    if begin < 0 or end < begin:
        raise ValueError("there is no JSON object")
    try:
        return _loads(text[begin : end + 1])
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON: {error.msg} at character {error.pos} of the object") from error


def _loads(text: str) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_constant, parse_int=_whole, parse_float=_finite
        )
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key is given twice")
    return made


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError("a number is too large")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError("a number is too large")
    return number
