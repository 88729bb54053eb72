"""How often an intent that the forecast names comes true: counted on train scenes, so that probabilities are earned.

Made by ``benchmarks/label_quality.py --calibrate``; seeds apart from those that its reliability diagram is drawn on.
"""

from __future__ import annotations

FREQUENCY: dict[str, float] = {}
"""Share of forecasts with this intent that what then happened bears the same name."""

UNKNOWN = 0.5
"""For an intent that was too rare to count."""


def probability(intent: str) -> float:
    """Probability that an intent comes true within 4 s."""
    return FREQUENCY.get(intent, UNKNOWN)
