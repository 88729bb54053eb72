"""Tables whose figures can only be measured ones: a bare number is refused, and so are two modes in one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .endpoint import Mode
from .figures import Measured


@dataclass(frozen=True)
class Words:
    """A cell that holds no figure: names, settings, why there is none."""

    text: str


@dataclass(frozen=True)
class Shown:
    """A cell that holds a measured figure, in some form."""

    figure: Measured
    form: Callable[[Measured], str]

    @property
    def text(self) -> str:
        """The figure as it is read."""
        return self.form(self.figure)


Cell = Words | Shown


class MixedModesError(ValueError):
    """A live figure and one of a dry run were put into one table."""


@dataclass(frozen=True)
class Table:
    """Rows of cells, all of one mode; ``text_columns`` at the left are words."""

    title: str
    mode: Mode | None
    """None for a table of facts, which holds no figure of any run."""
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    text_columns: int = 1

    def __post_init__(self) -> None:
        """Refuse what is no cell (``TypeError``) and figures of another mode (:class:`MixedModesError`)."""
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title}: a row of {len(row)} cells under {len(self.columns)} columns")
            for cell in row:
                if isinstance(cell, Shown):
                    if cell.figure.run.mode != self.mode:
                        raise MixedModesError(
                            f"{self.title}: a figure of a {cell.figure.run.mode} in a {self.mode} table"
                        )
                elif not isinstance(cell, Words):
                    raise TypeError(f"{self.title}: {cell!r} is no measured figure")


def figure(measured: Measured | None, form: Callable[[Measured], str]) -> Cell:
    """A figure, or a dash where there is nothing to measure."""
    return Words("-") if measured is None else Shown(measured, form)


def percent(measured: Measured) -> str:
    """``81.5 % [74, 88]``."""
    text = f"{100 * measured.value:.1f} %"
    if measured.low is None or measured.high is None:
        return text
    return f"{text} [{100 * measured.low:.0f}, {100 * measured.high:.0f}]"


def seconds(measured: Measured) -> str:
    """``0.84 s``."""
    return f"{measured.value:.2f} s"


def plain(measured: Measured) -> str:
    """A whole number."""
    return f"{measured.value:,.0f}"


def money(measured: Measured) -> str:
    """``USD 0.0123``, in the currency that was billed."""
    price = measured.run.price
    return f"{price['currency'] if price else ''} {measured.value:.4f}".strip()
