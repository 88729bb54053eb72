"""The page about the model says what is so."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from waytrace.microgpt import SIZES, GPTConfig, shapes

PAGE = Path(__file__).resolve().parents[2] / "docs" / "model.md"
PARTS = ("backbone.", "head.trace.", "head.control.")


@pytest.mark.parametrize("size", SIZES)
def test_counts_of_parameters(size: str) -> None:
    """To the last one; of the scene encoder, which has as many as there are columns, within a tenth."""
    config = GPTConfig.of(size)

    def count(part: str) -> int:
        return sum(math.prod(shape) for name, shape in shapes(config).items() if name.startswith(part))

    row = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| {size} |"))
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells[:6] == [size, str(config.depth), str(config.width), *(f"{count(part):,}" for part in PARTS)]
    for cell, part in zip(cells[6:], ("scene.", ""), strict=True):
        assert float(cell.removesuffix(" M")) == pytest.approx(count(part) / 1e6, rel=0.1)
