"""Texts that differ in their numbers alone, stored once: ``templates/texts.js`` is the other half."""

from __future__ import annotations

import re

HOLE = "\x01"
"""Stands for a number in a template; the character after it says how many digits follow the point."""
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,6})?")

Code = int | list[int]
"""A text's place in the table, or that and the numbers that fill its holes (12.50 as 1250)."""


class Texts:
    """A table of texts for one page. ``code`` gives what stands in the page for a text, ``table`` the table."""

    def __init__(self) -> None:
        self._place: dict[str, int] = {}

    @property
    def table(self) -> list[str]:
        """The templates, in the order of their numbers."""
        return list(self._place)

    def code(self, text: str) -> Code:
        """The number of a text's template, with what fills its holes if it has any."""
        fill: list[int] = []

        def hole(found: re.Match[str]) -> str:
            shown = found[0]
            whole, _, digits = shown.partition(".")
            if whole != str(int(whole)):
                return shown  # a leading zero would be lost
            fill.append(int(whole + digits))
            return f"{HOLE}{len(digits)}"

        template = _NUMBER.sub(hole, text.replace(HOLE, "\N{REPLACEMENT CHARACTER}"))
        place = self._place.setdefault(template, len(self._place))
        return [place, *fill] if fill else place


def text_of(code: Code, table: list[str]) -> str:
    """The text that :meth:`Texts.code` was given."""
    place, *fill = code if isinstance(code, list) else [code]
    left = iter(fill)

    def number(found: re.Match[str]) -> str:
        digits, value = int(found[1]), next(left)
        return str(value) if not digits else f"{value // 10**digits}.{value % 10**digits:0{digits}d}"

    return re.sub(f"{HOLE}(.)", number, table[place])
