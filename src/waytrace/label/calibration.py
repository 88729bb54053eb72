"""How often an intent that the forecast names comes true: counted on train scenes, so that probabilities are earned.

Made by ``benchmarks/label_quality.py --calibrate --scenes 1800``, on seeds apart from those that its reliability
diagram is drawn on.
"""

from __future__ import annotations

FREQUENCY: dict[str, float] = {
    "accelerate": 0.938, "brake": 0.725, "cross": 0.938, "go_before_ego": 0.894, "keep": 0.881, "start": 0.333,
    "static": 1.0, "stay_stopped": 0.855, "stays_green": 0.789, "stays_red": 0.571, "stop": 0.86,
}  # fmt: skip
"""Share of forecasts with this intent that what then happened bears the same name."""

UNKNOWN = 0.5
"""For an intent that was too rare to count."""


def probability(intent: str) -> float:
    """Probability that an intent comes true within 4 s."""
    return FREQUENCY.get(intent, UNKNOWN)
