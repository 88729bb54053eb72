"""Texts that differ in their numbers alone, stored once: ``templates/texts.js`` is the other half."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

HOLE = "\x01"
"""Stands for a number in a template; the character after it says how many digits follow the point."""
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,6})?")


class Texts:
    """A table of texts for one page. ``code`` gives the numbers that stand in the page for a text."""

    def __init__(self, table: Iterable[str] = ()) -> None:
        self.uses: Counter[str] = Counter()
        self._place = {template: k for k, template in enumerate(table)}

    @property
    def table(self) -> list[str]:
        """The templates, in the order of their numbers."""
        return list(self._place)

    def by_use(self) -> Texts:
        """A table of the same templates, those used most first: small numbers are short."""
        return Texts(template for template, _ in self.uses.most_common())

    def code(self, text: str) -> list[int]:
        """The number of a text's template, and what fills its holes in order (12.50 as 1250)."""
        fill: list[int] = []

        def hole(found: re.Match[str]) -> str:
            shown = found[0]
            whole, _, digits = shown.partition(".")
            if whole != str(int(whole)):
                return shown  # a leading zero would be lost
            fill.append(int(whole + digits))
            return f"{HOLE}{len(digits)}"

        template = _NUMBER.sub(hole, text.replace(HOLE, "\N{REPLACEMENT CHARACTER}"))
        self.uses[template] += 1
        return [self._place.setdefault(template, len(self._place)), *fill]


def read_text(stream: Iterator[int], table: list[str]) -> str:
    """The next text of a stream of what :meth:`Texts.code` gave."""

    def number(found: re.Match[str]) -> str:
        digits, value = int(found[1]), next(stream)
        return str(value) if not digits else f"{value // 10**digits}.{value % 10**digits:0{digits}d}"

    return re.sub(f"{HOLE}(.)", number, table[next(stream)])
