"""The total, derived from its terms in this one place. Frozen: see ``docs/score.md``."""

from __future__ import annotations

from collections.abc import Mapping

MULTIPLIERS: tuple[str, ...] = ("NC", "DAC", "MP", "DDC", "TLC")
"""Terms whose product scales the rest."""

WEIGHTS: dict[str, int] = {"EP": 5, "TTC": 5, "SL": 4, "C": 2}
"""Terms of the weighted mean; where one does not apply, the others' weights are renormalised."""

TERMS: tuple[str, ...] = (*MULTIPLIERS, *WEIGHTS)
"""All terms in the order of the formula."""


def total(terms: Mapping[str, float]) -> float:
    """``NC * DAC * MP * DDC * TLC * (5 EP + 5 TTC + 4 SL + 2 C) / 16`` over the terms that are there.

    A multiplier that is missing is left out of the product, a weighted term out of the mean *and* of its weights.
    Without any weighted term the product alone is the score. An unknown key raises ``KeyError``.
    """
    unknown = terms.keys() - set(TERMS)
    if unknown:
        raise KeyError(f"No term of the score is called {', '.join(sorted(unknown))}; there are {', '.join(TERMS)}.")
    return combine(terms, MULTIPLIERS, WEIGHTS)


def combine(terms: Mapping[str, float], multipliers: tuple[str, ...], weights: Mapping[str, int]) -> float:
    """Product of the multipliers times the weighted mean of the weighted terms, over those that ``terms`` holds."""
    score = 1.0
    for key in multipliers:
        score *= terms.get(key, 1.0)
    held = [key for key in weights if key in terms]
    if held:
        score *= sum(weights[key] * terms[key] for key in held) / sum(weights[key] for key in held)
    return score
